"""The organization on the wire: sign-in, the Web API, and the doors that no vendor has.

`/__truth`, `/__deeds`, `/__org` and `/__faults` are ours, and ask for no token.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from tieout.simulator import jsonwire
from tieout.simulator.clock import DateHeader
from tieout.simulator.dynamics365 import batch, signin
from tieout.simulator.dynamics365.call import Call, Reply, read_query, split_path
from tieout.simulator.dynamics365.deeds import play
from tieout.simulator.dynamics365.gate import grant_of, take_turn
from tieout.simulator.dynamics365.org import DynamicsOrg
from tieout.simulator.dynamics365.refusals import Refusal, bad_query, no_resource
from tieout.simulator.dynamics365.routes import MAX_BATCH_URL_CHARS, MAX_URL_CHARS, answer
from tieout.simulator.dynamics365.spoiling import faults_of
from tieout.simulator.dynamics365.throttle import too_many_at_once
from tieout.simulator.dynamics365.truth import truth
from tieout.simulator.faults import FaultMiddleware

API = "/api/data/"
VERSIONS = frozenset({"v9.0", "v9.1", "v9.2"})
_JSON = "application/json; odata.metadata=minimal"

Endpoint = Callable[[Request], Awaitable[Response]]


def dynamics365_app(org: DynamicsOrg) -> Starlette:
    """Return the organization as an application; its faults are at `app.state.faults`."""
    faults = faults_of(org)
    app = Starlette(
        routes=[
            Route(
                f"{API}{{rest:path}}",
                _web_api(org),
                methods=["GET", "POST", "PATCH", "PUT", "DELETE"],
            ),
            *_sign_in_routes(org),
            *_own_routes(org),
        ],
        middleware=[
            Middleware(DateHeader, now=org.now),
            Middleware(FaultMiddleware, faults=faults),
        ],
    )
    app.state.faults = faults
    return app


def _web_api(org: DynamicsOrg) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        body = await request.body()
        running = org.throttle.running
        if org.limits.on and not running.enter():
            org.throttled += 1
            refusal = too_many_at_once(running.limit)
            return _response(Reply(refusal.body(), 429, dict(refusal.headers)), {})
        try:
            if org.latency_secs:
                await asyncio.sleep(org.latency_secs)
            with org.lock:
                return _answered(org, request, body)
        finally:
            if org.limits.on:
                running.leave()

    return endpoint


def _answered(org: DynamicsOrg, request: Request, body: bytes) -> Response:
    headers = {"OData-Version": "4.0", "REQ_ID": org.new_id()}
    host = request.headers.get("host", "")
    raw = request.scope["raw_path"].decode("latin-1").removeprefix(API)
    version, _, path = raw.partition("/")
    try:
        grant = grant_of(org, request.headers.get("authorization", ""), host)
        query = request.scope["query_string"].decode("latin-1")
        _check_address(version, len(raw) + len(query))
        call = Call(
            org,
            request.method,
            split_path(path),
            read_query(query),
            dict(request.headers),
            body,
            f"http://{host}{API}{version}",
            grant,
        )
        headers |= take_turn(call)
        reply = _dispatched(call)
    except Refusal as refusal:
        if refusal.status == 429:
            org.throttled += 1
        reply = Reply(refusal.body(), refusal.status, dict(refusal.headers))
    return _response(reply, headers)


def _check_address(version: str, length_chars: int) -> None:
    if version not in VERSIONS:
        raise no_resource(version)
    if length_chars > MAX_URL_CHARS:
        raise Refusal(414, "0x80060888", "The request URI is too long.")


def _dispatched(call: Call) -> Reply:
    name = call.segments[0].name
    call.org.counts[f"{call.method} {'/'.join(one.name for one in call.segments)}"] += 1
    if name != "$batch":
        return answer(call)
    if call.method != "POST":
        raise Refusal(405, "0x80060888", "A batch is sent by POST.")
    return batch.answer_batch(call, _part)


def _part(outer: Call, asked: batch.Asked, references: Mapping[str, str]) -> Reply:
    """Answer one request of a batch, as if it had come alone."""
    if len(asked.address) > MAX_BATCH_URL_CHARS:
        raise Refusal(414, "0x80060888", "The request URI is too long.")
    address = asked.address
    if address.startswith("$"):
        name, slash, rest = address[1:].partition("/")
        if name not in references:
            said = f"Content-ID Reference: '${name}' does not exist in the batch context."
            raise bad_query(said)
        address = f"{references[name]}{slash}{rest}"
    root = outer.base.partition(API)[0]
    path = address.removeprefix(root)
    if path.startswith(API):
        path = path.removeprefix(API).partition("/")[2]
    path, _, query = path.partition("?")
    segments = split_path(path)
    if segments[0].name == "$batch":
        raise bad_query("A batch cannot hold another batch.")
    call = Call(
        outer.org,
        asked.method,
        segments,
        read_query(query),
        asked.headers,
        asked.body,
        outer.base,
        outer.grant,
        references,
    )
    outer.org.batched[f"{asked.method} {'/'.join(one.name for one in segments)}"] += 1
    return answer(call)


def _response(reply: Reply, headers: Mapping[str, str]) -> Response:
    told = {**headers, **reply.headers}
    if reply.content is None:
        status = 204 if reply.status == 200 else reply.status
        return Response(status_code=status, headers=told)
    if isinstance(reply.content, bytes | str):
        return Response(reply.content, reply.status, told)
    return jsonwire.ExactJson(reply.content, reply.status, told, media_type=_JSON)


def _sign_in_routes(org: DynamicsOrg) -> list[BaseRoute]:
    def told(ask: Callable[[Request, bytes], Any]) -> Endpoint:
        async def endpoint(request: Request) -> Response:
            body = await request.body()
            with org.lock:
                try:
                    return jsonwire.ExactJson(ask(request, body))
                except signin.SignInRefusal as refusal:
                    return jsonwire.ExactJson(refusal.body(org), refusal.status)

        return endpoint

    def issue(request: Request, body: bytes) -> Any:
        org.counts["POST token"] += 1
        return signin.issue(org, request.path_params["tenant"], request.headers["host"], body)

    def configuration(request: Request, _: bytes) -> Any:
        tenant = request.path_params["tenant"]
        return signin.configuration(org, tenant, request.headers["host"])

    return [
        Route(
            "/common/discovery/instance",
            told(lambda request, _: signin.discovery(org, request.headers["host"])),
        ),
        Route("/{tenant}/v2.0/.well-known/openid-configuration", told(configuration)),
        Route("/{tenant}/oauth2/v2.0/token", told(issue), methods=["POST"]),
    ]


def _own_routes(org: DynamicsOrg) -> list[BaseRoute]:
    async def tell_truth(request: Request) -> Response:
        with org.lock:
            detail = request.query_params.get("detail") != "0"
            return jsonwire.ExactJson(truth(org, detail=detail))

    async def do_deeds(request: Request) -> Response:
        told = jsonwire.loads(await request.body())
        try:
            done = [play(org, one) for one in (told if isinstance(told, list) else [told])]
        except (KeyError, TypeError, ValueError, Refusal) as error:
            return jsonwire.ExactJson({"error": f"{type(error).__name__}: {error}"}, 400)
        return jsonwire.ExactJson({"done": done})

    async def set_org(request: Request) -> Response:
        told = jsonwire.loads(await request.body())
        with org.lock:
            for name in ("closed_refuses", "expire_days", "token_secs"):
                if name in told:
                    setattr(org, name, told[name])
            for name in ("key_index_secs", "latency_secs"):
                if name in told:
                    setattr(org, name, float(told[name]))
            if "limits" in told:
                org.set_limits(replace(org.limits, **told["limits"]))
        return jsonwire.ExactJson({"closed_refuses": org.closed_refuses})

    return [
        Route("/__truth", tell_truth),
        Route("/__deeds", do_deeds, methods=["POST"]),
        Route("/__org", set_org, methods=["POST"]),
    ]
