"""A Dynamics 365 organization on loopback, and someone who asks it."""

import http.client
import json
import re
from datetime import UTC, datetime
from urllib.parse import quote

import pytest

from tieout.simulator.clock import SimulatedClock
from tieout.simulator.dynamics365 import DynamicsOrg, Limits, deeds, dynamics365_app
from tieout.simulator.serving import serve

API = "/api/data/v9.2"


class Caller:
    """Asks a served organization over one kept connection, and shows status, headers and JSON."""

    def __init__(self, org, served):
        self.org = org
        self.served = served
        self.base = f"{served.url}{API}"
        self.token = org.token
        self.headers = {}
        self._connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=10)

    def ask(self, method, path, body=None, **headers):
        told = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        told |= {name.replace("_", "-"): value for name, value in headers.items()}
        text = None
        if body is not None:
            text = json.dumps(body)
            told.setdefault("Content-Type", "application/json")
        return self.send(method, self._address(path), text, told)

    def send(self, method, address, text, headers):
        try:
            self._connection.request(method, address, text, headers)
            response = self._connection.getresponse()
            content = response.read()
        except (http.client.HTTPException, ConnectionError):
            self.close()
            raise
        self.headers = dict(response.getheaders())
        self.text = content.decode()
        is_json = "json" in self.headers.get("content-type", "")
        return response.status, json.loads(content) if content and is_json else None

    def get(self, path, **headers):
        return self.ask("GET", path, **headers)

    def rows(self, path, **headers):
        status, answer = self.get(path, **headers)
        assert status == 200, answer
        return answer["value"]

    def patch(self, path, body, **headers):
        return self.ask("PATCH", path, body, **headers)

    def post(self, path, body, **headers):
        return self.ask("POST", path, body, **headers)

    def create(self, entity_set, **values):
        status, answer = self.post(entity_set, values)
        assert status == 204, answer
        return re.search(r"\(([^)]+)\)$", self.headers["odata-entityid"])[1]

    def read(self, entity_set, record_id, *names):
        select = f"?$select={','.join(names)}" if names else ""
        status, record = self.get(f"{entity_set}({record_id}){select}")
        assert status == 200, record
        return record

    def refused(self, answer):
        """The status and the code of a refusal."""
        status, body = answer
        return status, body["error"]["code"]

    def batch(self, *parts, prefer=None):
        """Send a batch of (method, path, body) or of lists of them; status and each answer."""
        return self.batch_text(batch_body(parts), prefer)

    def batch_text(self, text, prefer=None):
        headers = {
            "Authorization": f"Bearer {self.token}",
            "Content-Type": 'multipart/mixed; boundary="batch_b1"',
        }
        if prefer:
            headers["Prefer"] = prefer
        status, _ = self.send("POST", f"{API}/$batch", text, headers)
        return status, batch_answers(self.text)

    def deed(self, deed, **words):
        return getattr(deeds, deed)(self.org, **words)

    def close(self):
        self._connection.close()

    def _address(self, path):
        if path.startswith(self.served.url):
            path = path.removeprefix(self.served.url)
        elif not path.startswith("/"):
            path = f"{API}/{path}"
        return quote(path, safe="/$?=&(),;:'@!%")


def batch_body(parts):
    lines = []
    for part in parts:
        lines.append("--batch_b1")
        if isinstance(part, list):
            lines += ["Content-Type: multipart/mixed; boundary=changeset_c1", ""]
            for number, inner in enumerate(part, 1):
                lines += ["--changeset_c1", *_part(*inner, content_id=number)]
            lines += ["--changeset_c1--", ""]
        else:
            lines += _part(*part)
    return "\r\n".join([*lines, "--batch_b1--", ""])


def _part(method, path, body=None, headers=None, content_id=None):
    address = path if path.startswith("$") else f"{API}/{path}"
    lines = ["Content-Type: application/http", "Content-Transfer-Encoding: binary"]
    lines += [f"Content-ID: {content_id}"] if content_id else []
    lines += ["", f"{method} {address} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    if body is not None:
        lines += ["Content-Type: application/json", "", json.dumps(body)]
    return [*lines, ""]


def batch_answers(text):
    """Each part's status and JSON, those of a change set in a list of their own."""
    boundary = re.match(r"--(\S+)", text)
    if boundary is None:
        return []
    answers = []
    for part in text.split(f"--{boundary[1]}")[1:-1]:
        inner = re.search(r"multipart/mixed; boundary=(\S+)", part)
        if inner:
            answers.append([_answer(one) for one in part.split(f"--{inner[1]}")[1:-1]])
        else:
            answers.append(_answer(part))
    return answers


def _answer(part):
    status = int(re.search(r"HTTP/1.1 (\d+)", part)[1])
    body = part[part.index("HTTP/1.1") :].partition("\r\n\r\n")[2].strip()
    return status, json.loads(body) if body.startswith("{") else body or None


@pytest.fixture
def clock():
    return SimulatedClock(datetime(2026, 3, 31, 12, tzinfo=UTC))


@pytest.fixture
def org(clock):
    return DynamicsOrg(now=clock, limits=Limits(on=False))


@pytest.fixture
def crm(org):
    served = serve(dynamics365_app(org))
    caller = Caller(org, served)
    yield caller
    caller.close()
    served.end()


@pytest.fixture
def caller_of():
    """Make callers of organizations that a test serves itself."""
    callers = []

    def make(org, served):
        callers.append(Caller(org, served))
        return callers[-1]

    yield make
    for caller in callers:
        caller.close()
