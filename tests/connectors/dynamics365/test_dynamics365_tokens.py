"""Signing in: an application with a secret or a certificate, in whatever cloud."""

import datetime as dt
import logging
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from connectors.dynamics365 import Dynamics365
from connectors.dynamics365.tokens import App, AppTokens
from tieout.model.contract import Opening
from tieout.model.errors import ConfigError, Unauthorized, Unavailable

NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
def signing(org, tmp_path):
    """Open a session that signs in by itself; what is said otherwise replaces an option."""
    sessions = []

    def opening(urls=None, **options):
        secret = tmp_path / "secret"
        if not secret.exists():
            secret.write_text(org.client_secret)
        given = {
            "tenant": org.tenant_id,
            "client_id": org.client_id,
            "client_secret": f"file:{secret}",
            **options,
        }
        made = Dynamics365.open(
            Opening(org.org_id, options={k: v for k, v in given.items() if v}),
            urls={"api": org.url, "authority": org.url, **(urls or {})},
            credentials=None,
            now=lambda: datetime.now(UTC),
            sleep=lambda _secs: None,
        )
        sessions.append(made)
        return made

    yield opening
    for session in sessions:
        session.close()


@pytest.fixture
def certified(org, tmp_path):
    """Return a private key's file, with the certificate behind it, and the thumbprint."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tieout")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + dt.timedelta(days=2))
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM).decode()
    org.trust(pem)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
    alone, both = tmp_path / "key.pem", tmp_path / "both.pem"
    alone.write_text(private)
    both.write_text(private + pem)
    return alone, both, certificate.fingerprint(hashes.SHA1()).hex()


def test_an_application_signs_in_with_its_secret_once(org, signing):
    session = signing()
    assert session.check().company == org.org_id
    session.check()
    assert org.counts["POST token"] == 1


def test_an_application_signs_in_with_a_certificate_beside_its_key(org, signing, certified):
    _, both, _ = certified
    session = signing(client_secret="", private_key=f"file:{both}")
    assert session.check().company == org.org_id


def test_an_application_signs_in_with_a_key_and_a_thumbprint(org, signing, certified):
    alone, _, thumbprint = certified
    session = signing(client_secret="", private_key=f"file:{alone}", thumbprint=thumbprint)
    assert session.check().company == org.org_id


def test_a_wrong_secret_is_refused_in_the_vendors_words_and_the_right_one_taken_later(
    org, signing, tmp_path
):
    (tmp_path / "secret").write_text("another-secret")
    session = signing()
    with pytest.raises(Unauthorized) as refused:
        session.check()
    assert "AADSTS" in refused.value.vendor_words
    (tmp_path / "secret").write_text(org.client_secret)
    assert session.check().company == org.org_id


def test_a_key_that_is_none_is_refused(signing, tmp_path):
    (tmp_path / "no-key").write_text("no key at all")
    session = signing(
        client_secret="", private_key=f"file:{tmp_path / 'no-key'}", thumbprint="AB12"
    )
    with pytest.raises(Unauthorized):
        session.check()


def test_a_token_that_was_revoked_is_replaced_by_another(org, signing):
    session = signing()
    session.check()
    for name in list(org.grants):
        del org.grants[name]
    assert session.check().company == org.org_id
    assert org.counts["POST token"] == 2


def test_an_authority_that_does_not_answer_is_unavailable(signing):
    with pytest.raises(Unavailable):
        signing(urls={"authority": NOWHERE}).check()


def test_a_token_server_that_fails_is_unavailable(org, signing):
    org.faults.add(fault="status", status=503, path="/token$", count=None)
    with pytest.raises(Unavailable):
        signing().check()


def test_a_tenant_that_is_not_there_is_refused(signing):
    with pytest.raises(Unauthorized):
        signing(tenant="00000000-0000-4000-8000-00000000dead").check()


def test_an_application_without_a_tenant_is_a_mistake_of_the_configuration(signing):
    with pytest.raises(ConfigError):
        signing(tenant="").check()


@pytest.mark.parametrize("both", [True, False])
def test_an_application_proves_who_it_is_in_one_way(signing, tmp_path, both):
    key = {"private_key": f"file:{tmp_path / 'key'}"} if both else {"client_secret": ""}
    with pytest.raises(ConfigError):
        signing(**key)


def test_a_sovereign_clouds_addresses_are_asked(org, signing):
    """The authority, and the resource that tokens are for, are the configuration's to say."""
    session = signing(urls={"resource": org.url.replace("http:", "https:")})
    assert session.check().company == org.org_id
    with pytest.raises(Unauthorized):
        signing(urls={"resource": "https://contoso.crm.microsoftdynamics.us"}).check()


def test_plain_http_is_for_this_machine_alone():
    app = App("http://login.example", "t", "c", secret="env:X", resource="https://o.example")
    tokens = AppTokens(app, now=lambda: datetime.now(UTC))
    with pytest.raises(ConfigError):
        tokens.access_token()


def test_no_secret_and_no_token_is_logged(org, signing, caplog, capsys):
    caplog.set_level(logging.DEBUG)
    session = signing()
    session.check()
    said = caplog.text + capsys.readouterr().out + repr(vars(session))
    assert [one for one in (org.client_secret, *org.grants) if one in said] == []
