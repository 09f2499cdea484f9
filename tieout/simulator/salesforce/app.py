"""The org on the wire: the way in, the REST resources, and the doors that no vendor has.

`/__truth`, `/__deeds`, `/__org` and `/__faults` are ours, and ask for no token.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from tieout.simulator import jsonwire
from tieout.simulator.clock import DateHeader
from tieout.simulator.faults import FaultMiddleware
from tieout.simulator.salesforce import (
    bulk,
    files,
    many,
    oauth,
    queries,
    resources,
    sobjects,
    tooling,
)
from tieout.simulator.salesforce.call import Call, Reply
from tieout.simulator.salesforce.composite import composite
from tieout.simulator.salesforce.deeds import play
from tieout.simulator.salesforce.errors import Refusal, RowError, not_found
from tieout.simulator.salesforce.org import SalesforceOrg
from tieout.simulator.salesforce.routing import Door, door_for
from tieout.simulator.salesforce.spoiling import faults_of
from tieout.simulator.salesforce.truth import truth

MAX_URI_BYTES = 16_384
MAX_HEADER_BYTES = 32_768
"""Of all headers and the address together."""
DAY = timedelta(hours=24)
_OPEN = frozenset({"PATCH", "POST", "PUT"})

DOORS: Sequence[Door] = (
    Door("GET", "/", resources.index),
    Door("GET", "/limits", resources.limits),
    Door("GET", "/connect/organization", resources.organization),
    Door("GET", "/query", queries.query),
    Door("GET", "/queryAll", queries.query_all),
    Door("GET", "/query/{locator}", queries.more),
    Door("GET", "/queryAll/{locator}", queries.more),
    Door("GET", "/sobjects", sobjects.list_kinds),
    Door("GET", "/sobjects/{kind}", sobjects.basic),
    Door("POST", "/sobjects/{kind}", sobjects.create),
    Door("GET", "/sobjects/{kind}/describe", sobjects.describe),
    Door("GET", "/sobjects/{kind}/{id}", sobjects.read),
    Door("PATCH", "/sobjects/{kind}/{id}", sobjects.change),
    Door("DELETE", "/sobjects/{kind}/{id}", sobjects.remove),
    Door("GET", "/sobjects/{kind}/{by}/{value}", sobjects.read_within),
    Door("PATCH", "/sobjects/{kind}/{by}/{value}", sobjects.upsert),
    Door("POST", "/composite/sobjects", many.create),
    Door("PATCH", "/composite/sobjects", many.update),
    Door("DELETE", "/composite/sobjects", many.delete),
    Door("GET", "/composite/sobjects/{kind}", many.read),
    Door("POST", "/composite/sobjects/{kind}", many.read),
    Door("PATCH", "/composite/sobjects/{kind}/{field}", many.upsert),
    Door("POST", "/composite", lambda call: composite(call, answer_call)),
    Door("GET", "/tooling/query", tooling.query),
    Door("POST", "/tooling/sobjects/CustomField", tooling.create_field),
    Door("DELETE", "/tooling/sobjects/CustomField/{id}", tooling.delete_field),
    Door("GET", "/jobs/query", bulk.look_at_all),
    Door("POST", "/jobs/query", bulk.create),
    Door("GET", "/jobs/query/{job}", bulk.look),
    Door("PATCH", "/jobs/query/{job}", bulk.abort),
    Door("DELETE", "/jobs/query/{job}", bulk.remove),
    Door("GET", "/jobs/query/{job}/results", bulk.results),
)
"""The resources below /services/data/vXX.X."""


def salesforce_app(org: SalesforceOrg) -> Starlette:
    """Return the org as an application; its faults are at `app.state.faults`."""
    faults = faults_of(org)

    async def answer(request: Request) -> Response:
        body = await request.body()
        with org.lock:
            return _answered(org, request, body)

    methods = ["GET", "POST", "PATCH", "PUT", "DELETE", "HEAD"]
    app = Starlette(
        routes=[*_own_routes(org), Route("/{rest:path}", answer, methods=methods)],
        middleware=[
            Middleware(DateHeader, now=org.now),
            Middleware(FaultMiddleware, faults=faults),
        ],
    )
    app.state.faults = faults
    return app


def answer_call(call: Call, method: str, parts: Sequence[str]) -> Reply:
    """Answer an operation below a version's root; also a composite's parts come here.

    Raises:
        Refusal: it is refused.
    """
    door, words, others = door_for(DOORS, method, parts)
    if door is None:
        if others:
            raise Refusal(
                405,
                "METHOD_NOT_ALLOWED",
                f"HTTP Method '{method}' not allowed. Allowed are {','.join(others)}",
            )
        raise not_found()
    call.org.counts[f"{method} {_label(door, words)}"] += 1
    return door.answer(replace(call, words=words))


def _answered(org: SalesforceOrg, request: Request, body: bytes) -> Response:
    raw: bytes = request.scope.get("raw_path") or request.url.path.encode()
    path = raw.partition(b"?")[0].decode("latin-1")
    if len(path) + len(request.scope["query_string"]) > MAX_URI_BYTES:
        return HTMLResponse("<h1>URI Too Long</h1>", 414)
    if sum(len(k) + len(v) for k, v in request.scope["headers"]) > MAX_HEADER_BYTES:
        return HTMLResponse("<h1>Request Header Fields Too Large</h1>", 431)
    parts = [part for part in path.split("/") if part]
    address = f"{request.url.scheme}://{request.headers.get('host', 'localhost')}"
    org.purge()
    if parts[:2] == ["services", "oauth2"] or parts[:1] == ["id"]:
        return _oauth(org, request, parts, body, address)
    if parts == ["services", "data"]:
        return jsonwire.ExactJson(resources.versions(org))
    if parts[:2] != ["services", "data"]:
        return HTMLResponse("<h1>URL No Longer Exists</h1>", 404)
    return _rest(org, request, parts[2:], body)


def _rest(org: SalesforceOrg, request: Request, parts: Sequence[str], body: bytes) -> Response:
    headers = dict(request.headers)
    told: dict[str, str] = {}
    try:
        user = oauth.authenticate(org, headers.get("authorization", ""))
        told = _count(org)
        version = parts[0].removeprefix("v")
        if version not in org.api_versions or not parts[0].startswith("v"):
            raise not_found()
        query = dict(request.query_params)
        call = Call(org, user["Id"], version, {}, query, headers, _json(request, body))
        reply = answer_call(call, request.method, parts[1:] or [""])
    except Refusal as refusal:
        reply = Reply(refusal.body(), refusal.status)
    except RowError as error:
        told_row = error.refusal()
        reply = Reply(told_row.body(), told_row.status)
    return _response(reply, {**told, **reply.headers})


def _response(reply: Reply, headers: Mapping[str, str]) -> Response:
    if reply.raw is not None:
        return Response(reply.raw, reply.status, dict(headers), media_type=reply.media_type)
    if reply.status == 204:
        return Response(status_code=204, headers=dict(headers))
    return jsonwire.ExactJson(
        reply.content, reply.status, dict(headers), media_type=reply.media_type
    )


def _count(org: SalesforceOrg) -> dict[str, str]:
    """Count a call against the 24 hours; tell how many they were.

    Raises:
        Refusal: 403, the day's calls are used up.
    """
    present = org.now()
    while org.calls and org.calls[0] <= present - DAY:
        org.calls.popleft()
    if len(org.calls) >= org.daily_limit:
        org.throttled += 1
        raise Refusal(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
    org.calls.append(present)
    return usage_header(org)


def usage_header(org: SalesforceOrg) -> dict[str, str]:
    """Return the header that tells how many of the day's calls are used."""
    return {"Sforce-Limit-Info": f"api-usage={len(org.calls)}/{org.daily_limit}"}


def _oauth(
    org: SalesforceOrg, request: Request, parts: Sequence[str], body: bytes, address: str
) -> Response:
    org.counts[f"{request.method} {'/'.join(parts[1:3]) if parts[0] != 'id' else 'id'}"] += 1
    try:
        if parts[-1] == "token" and request.method == "POST":
            authorization = request.headers.get("authorization", "")
            form = dict(parse_qsl(body.decode("utf-8", "replace")))
            return jsonwire.ExactJson(oauth.token_answer(org, form, authorization, address))
        if parts[-1] == "userinfo" or parts[0] == "id":
            user = oauth.authenticate(org, request.headers.get("authorization", ""))
            return jsonwire.ExactJson(oauth.user_info(org, user, address))
    except oauth.OAuthError as error:
        return jsonwire.ExactJson(error.body, error.status)
    except Refusal:
        return Response("Bad_OAuth_Token", 403)
    return HTMLResponse("<h1>URL No Longer Exists</h1>", 404)


def _json(request: Request, body: bytes) -> Any:
    if not body or request.method not in _OPEN:
        return None
    said = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if said == "multipart/form-data" and request.method == "POST":
        return files.sent_in_parts(request.headers["content-type"], body)
    if said != "application/json":
        raise Refusal(
            415,
            "UNSUPPORTED_MEDIA_TYPE",
            f"Content-Type not supported: {said}",
        )
    try:
        return jsonwire.loads(body)
    except ValueError as error:
        raise Refusal(400, "JSON_PARSER_ERROR", f"Unexpected character: {error}") from error


def _label(door: Door, words: Mapping[str, str]) -> str:
    """Name the operation for the counters: its kind, not its ids."""
    return door.path.strip("/").replace("{kind}", words.get("kind", ""))


def _own_routes(org: SalesforceOrg) -> list[Route]:
    async def tell_truth(request: Request) -> Response:
        with org.lock:
            detail = request.query_params.get("detail") != "0"
            return jsonwire.ExactJson(truth(org, detail=detail))

    async def do_deeds(request: Request) -> Response:
        told = jsonwire.loads(await request.body())
        try:
            done = [play(org, one) for one in (told if isinstance(told, list) else [told])]
        except (KeyError, TypeError, ValueError, RowError, Refusal) as error:
            return jsonwire.ExactJson({"error": f"{type(error).__name__}: {error}"}, 400)
        return jsonwire.ExactJson({"done": done})

    async def set_org(request: Request) -> Response:
        told = jsonwire.loads(await request.body())
        with org.lock:
            for name in ("daily_limit", "page_rows", "session_secs", "short_pages"):
                if name in told:
                    value = told[name]
                    setattr(org, name, float(value) if name == "short_pages" else value)
        return jsonwire.ExactJson({"daily_limit": org.daily_limit, "page_rows": org.page_rows})

    return [
        Route("/__truth", tell_truth),
        Route("/__deeds", do_deeds, methods=["POST"]),
        Route("/__org", set_org, methods=["POST"]),
    ]
