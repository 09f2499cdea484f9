"""Sessions: a signed assertion or the app's secret, renewed once where Salesforce ended one (R38)."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from connectors.salesforce.login import App
from tieout.model.errors import ConfigError, Unauthorized, Unavailable
from tieout.simulator.salesforce import deeds

KEY, SECRET = "simulated-consumer-key", "simulated-consumer-secret"
USER = "integration@nordlys.example"


@pytest.fixture(scope="module")
def pair():
    """A private key and its certificate, both as PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tieout")])
    present = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(present - timedelta(days=1))
        .not_valid_after(present + timedelta(days=9))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return private.decode(), certificate.public_bytes(serialization.Encoding.PEM).decode()


@pytest.fixture
def kept(tmp_path):
    """Keep a secret in a file; return how the settings name it."""

    def keeping(name, text):
        (tmp_path / name).write_text(text)
        return f"file:{tmp_path / name}"

    return keeping


@pytest.fixture
def signed_in(opened, kept, org, front, pair):
    """Open a session as the app's certificate lets it."""
    deeds.trust(org, pair[1])

    def opening(**changed):
        options = {
            "client_id": kept("id", KEY),
            "private_key": kept("key", pair[0]),
            "user": USER,
            **changed,
        }
        return opened(options=options, urls={"login": front.url})

    return opening


@pytest.fixture
def by_secret(opened, kept, front):
    def opening(secret=SECRET):
        options = {"client_id": kept("id", KEY), "client_secret": kept("secret", secret)}
        return opened(options=options, urls={"api": front.url})

    return opening


def test_an_assertion_buys_a_session_and_the_login_says_where_the_org_is(signed_in, org):
    session = signed_in()
    assert session.check().company == org.org_id
    assert session.calls == {"POST token": 1, "query": 1}


def test_the_apps_secret_buys_a_session_of_its_user(by_secret, org):
    assert by_secret().check().company == org.org_id


def test_a_session_that_was_ended_is_renewed_once_and_the_call_asked_again(signed_in, org):
    session = signed_in()
    session.check()
    deeds.end_sessions(org)
    assert session.check().company == org.org_id
    assert session.calls["POST token"] == 2


def test_a_session_that_ends_at_once_is_not_renewed_for_ever(signed_in, org):
    org.session_secs = 0
    session = signed_in()
    with pytest.raises(Unauthorized):
        session.check()
    assert session.calls["POST token"] == 2


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"user": "nobody@nordlys.example"}, "approved"),
        ({"user": "admin@nordlys.example"}, "approved"),
    ],
)
def test_a_user_who_is_not_approved_is_refused_in_salesforces_words(signed_in, changed, said):
    with pytest.raises(Unauthorized, match=said) as caught:
        signed_in(**changed).check()
    assert "private_key" in caught.value.next


def test_a_wrong_secret_is_refused_and_not_shown(by_secret):
    with pytest.raises(Unauthorized) as caught:
        by_secret("another-secret-altogether").check()
    assert "another-secret" not in f"{caught.value!r} {caught.value}"


def test_a_text_that_is_no_key_is_refused_and_not_shown(signed_in, kept):
    with pytest.raises(Unauthorized, match="no RSA key") as caught:
        signed_in(private_key=kept("other", "-----BEGIN nothing")).check()
    assert "BEGIN" not in str(caught.value)


def test_a_login_that_does_not_answer_is_unavailable(opened, kept):
    options = {"client_id": kept("id", KEY), "client_secret": kept("secret", SECRET)}
    session = opened(options=options, urls={"login": "http://127.0.0.1:9"})
    with pytest.raises(Unavailable):
        session.check()


@pytest.mark.parametrize(
    "named",
    [
        {"client_id": "env:A"},
        {"client_id": "env:A", "user": "u"},
        {"client_id": "env:A", "private_key": "env:B"},
        {"client_secret": "env:A"},
        {"client_id": "env:A", "client_secret": "env:B", "private_key": "env:C", "user": "u"},
    ],
)
def test_half_an_app_is_no_app(named):
    with pytest.raises(ConfigError, match="client_id with user"):
        App.of(named, "https://login.salesforce.com")


@pytest.mark.parametrize(
    ("login", "audience"),
    [
        ("https://login.salesforce.com", "https://login.salesforce.com"),
        ("https://test.salesforce.com", "https://test.salesforce.com"),
        ("https://acme.my.salesforce.com", "https://login.salesforce.com"),
        ("https://acme--uat.sandbox.my.salesforce.com/", "https://test.salesforce.com"),
    ],
)
def test_an_assertion_is_for_the_login_that_the_address_belongs_to(login, audience):
    app = App.of({"client_id": "env:A", "private_key": "env:B", "user": "u"}, login)
    assert app.audience == audience
