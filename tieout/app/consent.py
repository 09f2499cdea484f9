"""A person's consent (OAuth): the redirect that ends it, on a local page or pasted.

A production app's redirect address must be https and no IP (R29), so it often leads nowhere: the
person then pastes the address that the browser shows.
"""

from __future__ import annotations

import hmac
import http.client
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Self
from urllib.parse import parse_qs, urlsplit

from tieout.model.contract import Authorises
from tieout.model.errors import ConfigError, Unauthorized, Unavailable

LOOPBACK = "127.0.0.1"
PATH = "/connected"
WAIT_SECS = 600  # a person looks for a password
REQUEST_SECS = 10
STRAY_REQUESTS_LIMIT = 50  # a browser asks for icons as well
ADDRESS_CHARS_LIMIT = 8192

_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Tieout</title>
<body style="font:16px/1.5 system-ui;max-width:40rem;margin:15vh auto"><h1>{title}</h1><p>{text}</p>
"""


@dataclass(frozen=True, slots=True)
class Redirect:
    """What the vendor's page sent back: the code to change into tokens, and the company's id."""

    code: str
    company_id: str


def new_state() -> str:
    """Return a text that nobody can guess: the redirect must bring it back."""
    return secrets.token_urlsafe(24)


def read_redirect(address: str, state: str) -> Redirect:
    """Return what a redirect's address says.

    Raises:
        ConfigError: it is not the redirect of this consent: its state comes with a refusal as well
            (RFC 6749, 4.1.2.1), so nothing of another's is believed.
        Unauthorized: the person refused.
    """
    query = parse_qs(urlsplit(address.strip()[:ADDRESS_CHARS_LIMIT]).query)
    said = {name: values[0] for name, values in query.items()}
    if not hmac.compare_digest(said.get("state", "").encode(), state.encode()):
        raise ConfigError(
            "This is not the address that ends this consent.",
            remedy="Run `tieout connect` again and use the page that it opens.",
        )
    if "error" in said:
        raise Unauthorized(
            "Consent was not given.",
            vendor_code=said["error"],
            vendor_words=said.get("error_description", ""),
        )
    if "code" not in said:
        raise ConfigError(
            "The address carries no code.",
            remedy="Paste the whole address that the browser shows after you agreed.",
        )
    return Redirect(said["code"], said.get("realmId", ""))


def settle(connector: Authorises, redirect: Redirect, redirect_uri: str, company_id: str) -> None:
    """Change the code into tokens and seal them, if the person chose the right company.

    Raises:
        ConfigError: consent was given for another company than the configuration names.
        Unauthorized: the code is not accepted.
    """
    if redirect.company_id and redirect.company_id != company_id:
        raise ConfigError(
            f"Consent was given for company {redirect.company_id}, "
            f"the configuration names {company_id}.",
            remedy="Choose that company on the consent page, or correct its id in tieout.yaml.",
        )
    connector.exchange(redirect.code, redirect_uri, company_id)


def agree_by_itself(connector: Authorises, company_id: str) -> bool:
    """Consent to a make-believe company on this machine; False where its page asks a person.

    Raises:
        Unavailable: it is not being served.
        ConfigError: its page sends back something else than consent to this company.
    """
    state = new_state()
    redirect_uri = f"http://{LOOPBACK}{PATH}"
    asked = urlsplit(connector.authorise_url(state, redirect_uri))
    page = http.client.HTTPConnection(asked.netloc, timeout=REQUEST_SECS)
    try:
        page.request("GET", f"{asked.path}?{asked.query}")
        address = page.getresponse().getheader("Location") or ""
    except (OSError, http.client.HTTPException) as wrong:
        raise Unavailable(
            f"Nothing answers at {asked.netloc}.",
            remedy="Run `tieout simulate` in another terminal.",
        ) from wrong
    finally:
        page.close()
    if not address.startswith(redirect_uri):
        return False
    settle(connector, read_redirect(address, state), redirect_uri, company_id)
    return True


class LocalPage:
    """A page on this machine that waits for one redirect; use it in a ``with`` block.

    Raises:
        OSError: the port is taken.
    """

    def __init__(self, port: int = 0) -> None:
        self._address = ""
        page = self

        class Answers(BaseHTTPRequestHandler):
            """Answers the browser."""

            timeout = REQUEST_SECS

            def do_GET(self) -> None:
                """Take the redirect; anything else is not found."""
                if urlsplit(self.path).path != PATH:
                    self.send_error(404)
                    return
                page._address = self.path
                body = _PAGE.format(title="Thank you", text="You can close this page.").encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_said: object) -> None:
                """Say nothing: the address carries the code."""

        self._server = HTTPServer((LOOPBACK, port), Answers)
        # by name: Intuit takes localhost for development keys, and an IP for none (R29)
        self.redirect_uri = f"http://localhost:{self._server.server_port}{PATH}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_wrong: object) -> None:
        self._server.server_close()

    def wait(self, now_secs: Callable[[], float], limit_secs: float = WAIT_SECS) -> str:
        """Return the path and query that the browser was sent to.

        Raises:
            ConfigError: nobody came.
        """
        ends = now_secs() + limit_secs
        for _ in range(STRAY_REQUESTS_LIMIT):
            self._server.timeout = max(0.0, ends - now_secs())
            self._server.handle_request()
            if self._address:
                return self._address
            if now_secs() >= ends:
                break
        raise ConfigError(
            "No consent came within the time.",
            remedy="Run `tieout connect` again, or with --paste where the browser is elsewhere.",
        )
