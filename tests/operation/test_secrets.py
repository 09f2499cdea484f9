"""A canary in every secret: it sings in nothing that Tieout writes, whatever a vendor echoes."""

import base64
import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from installation import end, until
from simulated_world import buy

KEY = "pat-eu1-canary00-key0-0000-0000-000000000001"
CLIENT_ID = "ABcanaryClientId0000000000000000000000002"
CLIENT_SECRET = "canaryClientSecret00000000000000000003"
SEALING_KEY = base64.urlsafe_b64encode(b"canary of the sealing key".ljust(32)).decode()
CUSTOMER = {"email": "canary.person@customer.example", "phone": "+49 30 5550005"}
STREET = "Canary Street 6"
NAME = "Canarius Nomen GmbH"
ECHOES = (("json", 400), ("json", 401), ("html", 403))


class Echo(BaseHTTPRequestHandler):
    """A vendor that says back what it was sent, headers and all, as an error."""

    status = 400
    form = "json"

    def _answer(self) -> None:
        sent = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode(
            errors="replace"
        )
        lines = [f"{name}: {value}" for name, value in self.headers.items()]
        bare = (self.headers.get("Authorization") or "none").split()[-1]
        lines.append(f"your key {bare} is too old")
        said = "\n".join([f"{self.command} {self.path}", *lines, "", sent])
        if self.form == "html":
            body, form = f"<html><pre>{said}</pre></html>", "text/html"
        else:
            fault = {"Error": [{"Message": said, "Detail": said, "code": "6000"}], "type": "x"}
            hubspot = {"status": "error", "message": said, "category": "VALIDATION_ERROR"}
            oauth = {"error": "invalid_grant", "error_description": said}
            body, form = json.dumps({**hubspot, "Fault": fault, **oauth}), "application/json"
        self.send_response(type(self).status)
        self.send_header("Content-Type", form)
        self.send_header("Content-Length", str(len(body.encode())))
        self.send_header("intuit_tid", said.replace("\n", " ")[:600])
        self.send_header("x-hubspot-correlation-id", said.replace("\n", " ")[:600])
        self.end_headers()
        self.wfile.write(body.encode())

    do_GET = do_POST = do_PATCH = do_PUT = _answer  # noqa: N815 - the library's names

    def log_message(self, *_args: object) -> None:
        """Say nothing."""


@contextmanager
def echoing() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Echo) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


@pytest.mark.slow
def test_no_secret_is_written_anywhere_and_no_customer_into_the_log(installed, sell, monkeypatch):
    monkeypatch.setenv("TIEOUT_KEY", SEALING_KEY)
    place = installed(consented=True, approve="by_hand")
    [world] = place.worlds
    world.portal.tokens = {KEY: world.portal.tokens[world.portal.token]}
    (world.path / "crm-token").write_text(KEY)
    world.authority.client_id, world.authority.client_secret = CLIENT_ID, CLIENT_SECRET
    _rewrite(place)
    buyer = buy(world, NAME, address=STREET, phone=CUSTOMER["phone"])
    person = world.portal.create("contacts", CUSTOMER)
    printed: list[str] = []

    def live(*verbs: tuple[str, ...]) -> None:
        for verb in verbs:
            for shown in ((), ("--json",)):
                printed.append(place.say(*verb, *shown)[1])

    [deal] = sell(world, company=buyer)
    world.portal.link(("deals", "contacts"), int(deal), person.id)
    life = (("check", "--online"), ("plan",), ("status",), ("tasks",), ("audit", "verify"))
    live(*life)
    [waiting] = [one for one in place.told("plan")[1]["plans"] if one["kind"] == "invoice"]
    live(("approve", waiting["hash"]), ("apply",), *life)
    assert len(world.invoices()) == 1
    live(("ledger", "backup", str(place.here / "backup.db")))
    there = world.crm_url, world.books_url
    with echoing() as url:
        for Echo.form, Echo.status in ECHOES:
            for world.crm_url, world.books_url in ((there[0], url), (url, there[1])):
                _rewrite(place)
                sell(world, company=buyer)
                printed.append(place.say("run", "--once")[1])
                printed.append(place.say("status", "--json")[1])
                place.say("resume", "pair1", "--reason", "mended")
        live(("check", "--online"), ("tasks",), ("connect", "books1"))
        for rounds, form in enumerate(("text", "json")):
            _rewrite(place, form)
            place.say("resume", "pair1", "--reason", "mended")
            with place.daemon() as daemon:
                until(lambda n=rounds: place.log().count("round ended") > n, "a round")
                end(daemon)
    world.crm_url, world.books_url = there
    _rewrite(place)
    live(*life)
    explained = place.say("explain", f"deal:{deal}")[1]

    secrets = [KEY, CLIENT_ID, CLIENT_SECRET, SEALING_KEY]
    secrets += [base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()]
    secrets += [*world.authority.access, *world.authority.refresh, *world.authority.codes]
    written = {"printed": "\n".join(printed), "explained": explained, "log": place.log()}
    written |= {path.name: text for path, text in _ledgers(place.here)}
    found = [
        (where, secret) for where, text in written.items() for secret in secrets if secret in text
    ]
    assert found == []
    assert "your key [hidden] is too old" in written["printed"] + written["ledger.db"]
    personal = [*CUSTOMER.values(), STREET, NAME]
    assert [one for one in personal if one in place.log()] == []


def _rewrite(place, form: str = "text") -> None:
    place.write()
    place.file.write_text(place.file.read_text() + f"log: {{format: {form}}}\n")


def _ledgers(here: Path) -> Iterator[tuple[Path, str]]:
    """Yield every ledger and backup with all that its tables hold, as text."""
    for path in [*here.glob("state/*.db"), *here.glob("*.db")]:
        with closing(sqlite3.connect(path)) as opened:
            yield path, "\n".join(opened.iterdump())
