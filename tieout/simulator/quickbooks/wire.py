"""QuickBooks Online on the wire: one ASGI application over one or more companies.

The order in which a request is judged: connection (401), company (403), rate (429), the body's
type (415), then the books' own rules (400). Paths, queries and bodies are the vendor's
(developer.intuit.com/app/developer/qbo/docs/learn/rest-api-features); what starts with `/__` is
the simulator's own door.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from tieout.simulator import jsonwire
from tieout.simulator.clock import DateHeader
from tieout.simulator.faults import FaultMiddleware, Faults
from tieout.simulator.quickbooks import (
    attachments,
    batch,
    changes,
    deeds,
    printing,
    query,
    refusals,
    singles,
    spelling,
    truth,
    values,
    writing,
)
from tieout.simulator.quickbooks.company import QuickBooksCompany
from tieout.simulator.quickbooks.oauth import Authority, OAuthError
from tieout.simulator.quickbooks.records import KIND_OF_PATH
from tieout.simulator.quickbooks.refusals import Json, Refused
from tieout.simulator.quickbooks.spelling import Spelling
from tieout.simulator.quickbooks.throttle import Limits, Throttle

QUERY_TYPES = frozenset({"application/text", "text/plain"})
"""What a query that is sent as a body calls itself (Intuit's page on data queries)."""
TYPES = {"query": QUERY_TYPES, "upload": frozenset({"multipart/form-data"})}


def quickbooks_app(
    companies: QuickBooksCompany | Sequence[QuickBooksCompany],
    *,
    authority: Authority | None = None,
    limits: Limits | None = None,
    latency_secs: float = 0.0,
    seed: int = 0,
) -> Starlette:
    """Return the application; its `state.books` is the `Books` behind it.

    `latency_secs` is how long each API call takes, as if the vendor were far away.
    """
    listed = [companies] if isinstance(companies, QuickBooksCompany) else list(companies)
    authority = authority or Authority(now=listed[0].now)
    books = Books(listed, authority, limits or Limits(), latency_secs)
    faults = Faults(spelling.spell, listed[0].now, books.transformers(), seed=seed)
    app = Starlette(
        routes=[
            Route("/v3/company/{realm}/{rest:path}", books.api, methods=["GET", "POST"]),
            Route("/oauth2/v1/tokens/bearer", books.grant, methods=["POST"]),
            Route("/oauth2/v1/tokens/revoke", books.revoke, methods=["POST"]),
            Route("/connect/oauth2", books.authorise),
            Route("/__truth", books.truth),
            Route("/__deeds", books.deed, methods=["POST"]),
        ],
        middleware=[
            Middleware(DateHeader, now=listed[0].now),
            Middleware(FaultMiddleware, faults=faults),
        ],
    )
    app.state.books = books
    app.state.faults = faults
    return app


class Books:
    """The application's endpoints and what they share."""

    def __init__(
        self,
        companies: Sequence[QuickBooksCompany],
        authority: Authority,
        limits: Limits,
        latency_secs: float,
    ) -> None:
        self.companies = {company.realm_id: company for company in companies}
        self.authority = authority
        self.limits = limits
        self.latency_secs = latency_secs
        self.requests: Counter[str] = Counter()
        self.throttled = 0
        self._throttles = {one: Throttle(limits, authority.now) for one in self.companies}
        self._spelling = Spelling(limits.spelling)
        self._traced = 0

    # The API

    async def api(self, request: Request) -> Response:
        """Answer one call of the accounting API."""
        realm, rest = request.path_params["realm"], request.path_params["rest"]
        entity = rest.partition("/")[0].lower()
        self.requests[f"{request.method} {entity}"] += 1
        company = self.companies.get(realm)
        refusal = self._unauthorised(request.headers.get("authorization", ""), company)
        if refusal is not None or company is None:
            return self._traced_answer(refusal or spelling.forbidden(self._millis()))
        throttle = self._throttles[realm]
        wait = throttle.wait_secs(is_batch=entity == "batch")
        if wait or not throttle.at_once.enter():
            return self._throttled(wait)
        try:
            if self.latency_secs:
                await asyncio.sleep(self.latency_secs)
            body = await request.body()
            asked = dict(parse_qsl(request.scope["query_string"].decode()))
            content_type = request.headers.get("content-type", "")
            if not _is_understood(request.method, entity, content_type):
                return self._traced_answer(spelling.not_understood())
            if not throttle.meter.take(_reads(request.method, entity, body), company.present()):
                return self._throttled(0)
            with company.lock:
                return self._answer(company, request.method, rest, asked, body, content_type)
        finally:
            throttle.at_once.leave()

    def _answer(
        self,
        company: QuickBooksCompany,
        method: str,
        rest: str,
        asked: Json,
        body: bytes,
        content_type: str,
    ) -> Response:
        try:
            pdf = printing.printed(company, method, rest)
            if pdf is not None:
                return self._traced_answer((200, pdf), printing.PDF)
            content = _respond(company, method, rest, asked, body, content_type)
        except Refused as refusal:
            shown = {**refusal.body(), "time": _time(company)}
            return self._traced_answer((refusal.status, shown))
        return self._traced_answer((200, content))

    def _unauthorised(
        self, authorization: str, company: QuickBooksCompany | None
    ) -> tuple[int, Json] | None:
        realm = self.authority.realm_of(authorization)
        if realm is None:
            return spelling.unauthenticated(self._millis())
        if company is None or realm != company.realm_id:
            return spelling.forbidden(self._millis())
        return None

    def _throttled(self, wait_secs: float) -> Response:
        self.throttled += 1
        answer = self._traced_answer(self._spelling.throttled(self._millis()))
        if self.limits.retry_after:
            answer.headers["retry-after"] = str(max(1, round(wait_secs)))
        return answer

    def _traced_answer(
        self, answer: tuple[int, Json | bytes], media_type: str = "application/json"
    ) -> Response:
        status, content = answer
        self._traced += 1
        return Response(
            content if isinstance(content, bytes) else jsonwire.dumps(content),
            status,
            {"intuit_tid": f"1-{self._traced:08x}-simulated"},
            media_type,
        )

    def _millis(self) -> int:
        return int(self.authority.now().timestamp() * 1000)

    # Connecting

    async def grant(self, request: Request) -> Response:
        """Answer the token endpoint."""
        form = await _form(request)
        self.requests["POST tokens"] += 1
        try:
            found = self.authority.grant(request.headers.get("authorization", ""), form)
        except OAuthError as error:
            return jsonwire.ExactJson(error.body, error.status)
        return jsonwire.ExactJson(found)

    async def revoke(self, request: Request) -> Response:
        """End a connection."""
        given = await _form(request)
        token = given.get("token", "")
        try:
            self.authority.revoke(request.headers.get("authorization", ""), token)
        except OAuthError as error:
            return jsonwire.ExactJson(error.body, error.status)
        return Response()

    async def authorise(self, request: Request) -> Response:
        """Play the person who presses Connect: send the browser back with a code."""
        try:
            back = self.authority.authorise(request.query_params, list(self.companies))
        except OAuthError as error:
            return jsonwire.ExactJson(error.body, error.status)
        return RedirectResponse(back, status_code=302)

    # The simulator's own door

    async def truth(self, request: Request) -> Response:
        """Tell what is really there, of one company (`?realm=`) or of the first."""
        company = self._chosen(request.query_params.get("realm"))
        if company is None:
            return jsonwire.ExactJson({"error": "no such realm"}, 404)
        with company.lock:
            found = truth.truth_of(company)
        counted = {"requests": dict(self.requests), "throttled": self.throttled}
        return jsonwire.ExactJson({**found, **counted})

    async def deed(self, request: Request) -> Response:
        """Play a person's deed, or several in their order."""
        try:
            wanted = jsonwire.loads(await request.body())
            listed = wanted if isinstance(wanted, list) else [wanted]
            done = [self._play(one) for one in listed]
        except Refused as refusal:
            return jsonwire.ExactJson(refusal.body(), 400)
        except ValueError as error:
            return jsonwire.ExactJson({"error": str(error)}, 400)
        return jsonwire.ExactJson(done if isinstance(wanted, list) else done[0])

    def _play(self, wanted: Json) -> Json:
        company = self._chosen(wanted.get("realm"))
        if company is None:
            raise ValueError(f"no realm {wanted.get('realm')!r}")
        if wanted.get("deed") == "disconnect":  # not in the books: on Intuit's page of apps
            self.authority.disconnect(company.realm_id)
            return {}
        with company.lock:
            return deeds.play(company, wanted)

    def _chosen(self, realm: str | None) -> QuickBooksCompany | None:
        if realm is None:
            return next(iter(self.companies.values()))
        return self.companies.get(realm)

    def transformers(self) -> Mapping[str, Any]:
        """Return the faults that only these answers can have."""
        return spelling.transformers(self.companies)


def _is_understood(method: str, entity: str, content_type: str) -> bool:
    """Tell whether a body says what it is: JSON to write, a text to query."""
    if method == "GET":
        return True
    said = content_type.partition(";")[0].strip().lower()
    return said in TYPES.get(entity, frozenset({"application/json"}))


def _reads(method: str, entity: str, body: bytes) -> int:
    """Return how many reads a request is metered as (R28)."""
    if entity != "batch":
        return int(method == "GET" or entity == "query")
    try:
        items = values.listed(_read(body), "BatchItemRequest")
    except Refused:
        return 0
    return sum("Query" in item for item in items)


def _respond(
    company: QuickBooksCompany,
    method: str,
    rest: str,
    asked: Json,
    body: bytes,
    content_type: str,
) -> Json | bytes:
    """Return the content of a good answer.

    Raises:
        Refused: the books refuse.
    """
    if company.access != "open":
        _refuse_access(company, method, rest)
    head, _, tail = rest.partition("/")
    answer = _ANSWERS.get((method, head.lower()))
    if answer is not None:
        return _timed(company, answer(company, asked, body))
    if (method, head.lower(), tail) == ("POST", "upload", ""):
        return _timed(company, attachments.upload(company, content_type, body))
    kind = KIND_OF_PATH.get(head.lower())
    if kind is None or (method == "POST" and tail):
        raise refusals.unsupported(f"{method} {rest}")
    if method == "GET":
        return _timed(company, {kind: company.shown(kind, company.find(kind, tail))})
    return _write(company, kind, asked, body)


def _refuse_access(company: QuickBooksCompany, method: str, rest: str) -> None:
    """Refuse what a company does not allow at present (R30): all of it, or writing only.

    Raises:
        Refused: 120 the user has no access any more, 6190 the subscription has lapsed.
    """
    if company.access == "none":
        raise refusals.no_access()
    if method == "POST" and rest.lower() != "query":
        raise refusals.lapsed()


def _query(company: QuickBooksCompany, asked: Json, body: bytes) -> Json:
    text = asked.get("query") or body.decode(errors="replace")
    return {"QueryResponse": query.run(company, text.strip())}


def _batch(company: QuickBooksCompany, asked: Json, body: bytes) -> Json:
    return {"BatchItemResponse": batch.run(company, _read(body), asked.get("requestid"))}


def _cdc(company: QuickBooksCompany, asked: Json, _body: bytes) -> Json:
    fed = changes.feed(company, asked.get("entities", ""), asked.get("changedSince", ""))
    return {"CDCResponse": [{"QueryResponse": fed}]}


def _preferences(company: QuickBooksCompany, _asked: Json, _body: bytes) -> Json:
    return {"Preferences": singles.preferences(company)}


def _company_info(company: QuickBooksCompany, _asked: Json, _body: bytes) -> Json:
    return {"CompanyInfo": singles.company_info(company)}


def _exchange_rate(company: QuickBooksCompany, asked: Json, _body: bytes) -> Json:
    day = asked.get("asofdate") or company.today()
    return {
        "ExchangeRate": singles.exchange_rate(company, asked.get("sourcecurrencycode", ""), day)
    }


def _set_exchange_rate(company: QuickBooksCompany, _asked: Json, body: bytes) -> Json:
    return {"ExchangeRate": singles.set_exchange_rate(company, _read(body))}


_ANSWERS: dict[tuple[str, str], Callable[[QuickBooksCompany, Json, bytes], Json]] = {
    ("GET", "query"): _query,
    ("POST", "query"): _query,
    ("POST", "batch"): _batch,
    ("GET", "cdc"): _cdc,
    ("GET", "preferences"): _preferences,
    ("GET", "companyinfo"): _company_info,
    ("GET", "exchangerate"): _exchange_rate,
    ("POST", "exchangerate"): _set_exchange_rate,
}


def _write(company: QuickBooksCompany, kind: str, asked: Json, body: bytes) -> bytes:
    request_id = asked.get("requestid")
    known = company.replay.recall(request_id, company.replay_answers)
    if known is not None:
        return known
    given = _read(body)
    operation = asked.get("operation", "").lower()
    if operation == "update" and asked.get("include", "").lower() == "void":
        operation = "void"
    match operation:
        case "void":
            shown = writing.void(company, kind, given)
        case "delete":
            shown = writing.delete(company, kind, given)
        case "update" | "":
            if operation or given.get("Id") is not None:
                shown = writing.update(company, kind, given)
            else:
                shown = writing.create(company, kind, given)
        case _:
            raise refusals.unsupported(operation)
    answer = jsonwire.dumps(_timed(company, {kind: shown}))
    company.replay.remember(request_id, answer)
    return answer


def _read(body: bytes) -> Json:
    try:
        found = jsonwire.loads(body)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise refusals.unsupported_property("the request's body is not a JSON object")
    return found


def _timed(company: QuickBooksCompany, content: Json) -> Json:
    content["time"] = _time(company)
    return content


def _time(company: QuickBooksCompany) -> str:
    return company.now().astimezone(company.present().tzinfo).isoformat(timespec="milliseconds")


async def _form(request: Request) -> Json:
    """Read a form, or JSON, which the revocation takes as well."""
    body = await request.body()
    if "json" in request.headers.get("content-type", ""):
        try:
            return values.nested({"form": jsonwire.loads(body)}, "form")
        except (ValueError, Refused):
            return {}
    return dict(parse_qsl(body.decode()))
