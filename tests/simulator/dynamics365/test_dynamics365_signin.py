"""Signing in: the token endpoint as an app without a user asks it, and what a token opens."""

import datetime as dt
import json
import urllib.error
import urllib.parse
import urllib.request

import msal
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID


class Answer:
    """What msal wants of an answer."""

    def __init__(self, status, text, headers):
        self.status_code = status
        self.text = text
        self.headers = headers

    def raise_for_status(self):
        if self.status_code >= 400:
            raise RuntimeError(self.status_code)


class PlainLoopback:
    """An HTTP client for msal, which speaks https only: it puts http back on loopback."""

    def get(self, url, params=None, headers=None, **_):
        query = f"?{urllib.parse.urlencode(params)}" if params else ""
        return self._send(urllib.request.Request(self._plain(url) + query, headers=headers or {}))

    def post(self, url, params=None, data=None, headers=None, **_):
        body = urllib.parse.urlencode(data).encode()
        return self._send(urllib.request.Request(self._plain(url), body, headers or {}))

    def close(self):
        pass

    def _plain(self, url):
        assert url.startswith("https://127.0.0.1:")
        return f"http{url.removeprefix('https')}"

    def _send(self, request):
        try:
            with urllib.request.urlopen(request, timeout=10) as response:
                return Answer(response.status, response.read().decode(), dict(response.headers))
        except urllib.error.HTTPError as error:
            return Answer(error.code, error.read().decode(), dict(error.headers))


def app_of(crm, credential, client_id=None, tenant=None):
    host = crm.served.url.removeprefix("http://")
    return msal.ConfidentialClientApplication(
        client_id or crm.org.client_id,
        client_credential=credential,
        authority=f"https://{host}/{tenant or crm.org.tenant_id}",
        instance_discovery=False,
        http_client=PlainLoopback(),
    )


def token_of(crm, app):
    return app.acquire_token_for_client([f"{crm.served.url}/.default"])


@pytest.fixture(scope="module")
def keys():
    """A private key, its certificate, and a certificate of another."""
    made = []
    for _ in range(2):
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Tieout")])
        start = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(start + dt.timedelta(days=3650))
            .sign(key, hashes.SHA256())
        )
        private = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ).decode()
        public = certificate.public_bytes(serialization.Encoding.PEM).decode()
        sha1 = certificate.fingerprint(hashes.SHA1()).hex()
        made.append((private, public, sha1))
    return made


def test_d1_an_app_signs_in_with_its_secret_and_its_token_opens_the_web_api(crm):
    told = token_of(crm, app_of(crm, crm.org.client_secret))
    assert (told["token_type"], told["expires_in"]) == ("Bearer", 3599)
    crm.token = told["access_token"]
    status, me = crm.get("WhoAmI")
    assert (status, me["OrganizationId"], me["UserId"]) == (200, crm.org.org_id, crm.org.user_id)


@pytest.mark.parametrize("by", ["sha1", "sha256"])
def test_d1_an_app_signs_in_with_a_certificate(crm, keys, by):
    private, public, sha1 = keys[0]
    crm.org.trust(public)
    credential = {"private_key": private}
    credential |= {"thumbprint": sha1} if by == "sha1" else {"public_certificate": public}
    told = token_of(crm, app_of(crm, credential))
    assert "access_token" in told, told


def test_d1_an_assertion_that_has_ended_opens_nothing(crm, keys, clock):
    private, public, sha1 = keys[0]
    crm.org.trust(public)
    app = app_of(crm, {"private_key": private, "thumbprint": sha1})
    clock.advance(20 * 365 * 86_400)
    assert token_of(crm, app)["error_codes"] == [700024]


def test_d1_a_certificate_that_is_not_registered_or_not_the_keys_opens_nothing(crm, keys):
    (private, public, _), (other, _, other_sha1) = keys
    stranger = app_of(crm, {"private_key": other, "thumbprint": other_sha1})
    crm.org.trust(public)
    assert token_of(crm, stranger)["error_codes"] == [700027]
    forged = app_of(crm, {"private_key": other, "public_certificate": public})
    assert token_of(crm, forged)["error_codes"] == [700027]
    assert private != other


def test_d1_a_wrong_secret_app_or_tenant_is_told_with_its_code(crm):
    told = token_of(crm, app_of(crm, "wrong"))
    assert (told["error"], told["error_codes"]) == ("invalid_client", [7000215])
    told = token_of(crm, app_of(crm, crm.org.client_secret, client_id="0"))
    assert (told["error"], told["error_codes"]) == ("unauthorized_client", [700016])
    with pytest.raises(ValueError, match="Unable to get authority configuration"):
        app_of(crm, crm.org.client_secret, tenant=crm.org.client_id)


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"scope": "https://other.crm.dynamics.com/.default"}, 500011),
        ({"scope": "user_impersonation"}, 1002012),
        ({"grant_type": "password"}, 70003),
        ({"client_secret": None}, 7000218),
    ],
)
def test_d1_a_wrong_scope_or_grant_is_told_with_its_code(crm, form, code):
    asked = {
        "grant_type": "client_credentials",
        "client_id": crm.org.client_id,
        "client_secret": crm.org.client_secret,
        "scope": f"{crm.served.url}/.default",
        **form,
    }
    body = urllib.parse.urlencode({name: one for name, one in asked.items() if one})
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    path = f"/{crm.org.tenant_id}/oauth2/v2.0/token"
    _, told = crm.send("POST", path, body, kind)
    assert told["error_codes"] == [code]
    assert f"AADSTS{code}" in told["error_description"]


def test_d1_a_token_ends_and_a_revoked_one_opens_nothing(crm, clock):
    crm.token = token_of(crm, app_of(crm, crm.org.client_secret))["access_token"]
    assert crm.get("WhoAmI")[0] == 200
    clock.advance(3600)
    assert crm.refused(crm.get("WhoAmI")) == (401, "0x8005F101")
    assert "authorization_uri=" in crm.headers["www-authenticate"]
    crm.token = crm.org.token
    crm.deed("revoke_tokens")
    assert crm.get("WhoAmI")[0] == 401
    crm.token = ""
    assert crm.get("WhoAmI")[0] == 401


def test_d1_a_rotated_secret_takes_the_place_of_the_former(crm):
    former = crm.org.client_secret
    crm.deed("rotate_secret", secret="another")
    assert token_of(crm, app_of(crm, former))["error_codes"] == [7000215]
    assert "access_token" in token_of(crm, app_of(crm, "another"))


def test_d1_an_app_that_is_no_user_of_the_organization_is_forbidden(crm):
    crm.deed("set_access", member=False)
    crm.token = token_of(crm, app_of(crm, crm.org.client_secret))["access_token"]
    assert crm.refused(crm.get("WhoAmI")) == (403, "0x80072560")


def test_d1_where_to_sign_in_is_told_as_https(crm):
    tenant = crm.org.tenant_id
    _, told = crm.send("GET", f"/{tenant}/v2.0/.well-known/openid-configuration", None, {})
    host = crm.served.url.removeprefix("http://")
    assert told["token_endpoint"] == f"https://{host}/{tenant}/oauth2/v2.0/token"
    _, found = crm.send("GET", "/common/discovery/instance", None, {})
    assert found["tenant_discovery_endpoint"].startswith(f"https://{host}/{tenant}/v2.0/")


def test_d12_a_user_without_a_privilege_is_forbidden_and_told_which(crm):
    crm.deed("grant_token", token="reader", privileges=["prvReadOpportunity"])
    crm.token = "reader"
    assert crm.get("opportunities")[0] == 200
    status, answer = crm.get("opportunityproducts")
    assert (status, answer["error"]["code"]) == (403, "0x80040220")
    assert "is missing prvReadOpportunityProduct privilege" in answer["error"]["message"]
    for method, path, privilege in (
        ("POST", "accounts", "prvCreateAccount"),
        ("GET", "EntityDefinitions", "prvReadEntity"),
    ):
        status, answer = crm.ask(method, path, {"name": "x"} if method == "POST" else None)
        assert (status, privilege in answer["error"]["message"]) == (403, True)


def test_r51_every_answer_tells_the_servers_time(crm):
    crm.get("WhoAmI")
    assert crm.headers["date"].startswith("Tue, 31 Mar 2026 12:00:")
    assert json.dumps(crm.headers["odata-version"]) == '"4.0"'
