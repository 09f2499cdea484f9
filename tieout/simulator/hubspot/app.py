"""The portal on the wire: routes, the way in, and the doors that no vendor has.

Dated paths (`/crm/objects/2026-03/...`) and their v3 and v4 forms lead to the same answers.
`/__truth`, `/__deeds`, `/__portal` and `/__faults` are ours, and ask for no token.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

import tieout.simulator.hubspot.quoting  # noqa: F401 - its deeds are played by their names
from tieout.simulator import jsonwire
from tieout.simulator.clock import DateHeader
from tieout.simulator.faults import FaultMiddleware
from tieout.simulator.hubspot import (
    access,
    bodies,
    catalog,
    consenting,
    files,
    objects,
    own_objects,
    relations,
)
from tieout.simulator.hubspot.call import Call, Reply
from tieout.simulator.hubspot.deeds import play
from tieout.simulator.hubspot.errors import Refusal, bad_request, not_found
from tieout.simulator.hubspot.portal import HubSpotPortal
from tieout.simulator.hubspot.search import Searcher
from tieout.simulator.hubspot.spoiling import faults_of
from tieout.simulator.hubspot.truth import truth

Answering = Callable[[Call], Reply]
Endpoint = Callable[[Request], Awaitable[Response]]

OLD_VERSIONS = frozenset({"v3", "v4"})


@dataclass(frozen=True, slots=True)
class Door:
    """One operation: its method, the paths' end, what answers it, and the scope it needs."""

    method: str
    path: str
    answer: Answering
    scope: str = ""
    """A scope's name, or `read`, `write` or `schema` for that of the path's kind; `schemas` and
    `files` are any of several."""
    searches: bool = False
    body: bodies.Form | None = None
    """What a body must look like; None has none."""


_OBJECTS = (
    Door("POST", "/{kind}/search", objects.search, "read", searches=True, body=bodies.SEARCH),
    Door("POST", "/{kind}/batch/read", objects.read_batch, "read", body=bodies.READ),
    Door("POST", "/{kind}/batch/update", objects.update_batch, "write", body=bodies.UPDATE_BATCH),
    Door("POST", "/{kind}/batch/create", objects.create_batch, "write", body=bodies.CREATE_BATCH),
    Door("POST", "/{kind}/batch/upsert", objects.upsert_batch, "write", body=bodies.UPDATE_BATCH),
    Door(
        "POST", "/{kind}/batch/archive", objects.archive_batch, "write", body=bodies.ARCHIVE_BATCH
    ),
    Door("POST", "/{kind}/merge", objects.merge, "write", body=bodies.MERGE),
    Door("GET", "/{kind}/{id}/associations/{to}", relations.read_of_one, "read"),
    Door(
        "PUT",
        "/{kind}/{id}/associations/default/{to}/{target}",
        relations.create_default,
        "write",
    ),
    Door("GET", "/{kind}/{id}", objects.read_one, "read"),
    Door("PATCH", "/{kind}/{id}", objects.update_one, "write", body=bodies.UPDATE),
    Door("DELETE", "/{kind}/{id}", objects.archive_one, "write"),
    Door("GET", "/{kind}", objects.read_list, "read"),
    Door("POST", "/{kind}", objects.create_one, "write", body=bodies.CREATE),
)
_ASSOCIATIONS = (
    Door(
        "POST",
        "/{kind}/{to}/batch/read",
        relations.read_batch,
        "read",
        body=bodies.READ_ASSOCIATIONS,
    ),
    Door("POST", "/{kind}/{to}/batch/create", relations.create_batch, "write", body=bodies.LINK),
    Door(
        "POST",
        "/{kind}/{to}/batch/associate/default",
        relations.create_defaults,
        "write",
        body=bodies.LINK_DEFAULT,
    ),
    Door(
        "POST", "/{kind}/{to}/batch/archive", relations.archive_batch, "write", body=bodies.UNLINK
    ),
    Door("GET", "/{kind}/{to}/labels", relations.labels, "read"),
    Door("POST", "/{kind}/{to}/labels", relations.create_label, "schema", body=bodies.LABEL),
)
_PROPERTIES = (
    Door("GET", "/{kind}/groups", catalog.groups, "read"),
    Door("POST", "/{kind}/groups", catalog.create_group, "schema", body=bodies.GROUP),
    Door(
        "POST", "/{kind}/batch/create", catalog.create_properties, "schema", body=bodies.PROPERTIES
    ),
    Door("GET", "/{kind}/{name}", catalog.one_property, "read"),
    Door(
        "PATCH",
        "/{kind}/{name}",
        catalog.change_property,
        "schema",
        body=bodies.PROPERTY_CHANGED,
    ),
    Door("GET", "/{kind}", catalog.properties, "read"),
    Door("POST", "/{kind}", catalog.create_property, "schema", body=bodies.PROPERTY),
)
_OWNERS = (
    Door("GET", "/{id}", catalog.one_owner, "crm.objects.owners.read"),
    Door("GET", "", catalog.owners, "crm.objects.owners.read"),
)
_SCHEMAS = (
    Door("GET", "/{kind}", own_objects.one_schema, "schemas"),
    Door("GET", "", own_objects.schemas, "schemas"),
    Door("POST", "", own_objects.create_schema, "crm.schemas.custom.write", body=bodies.OWN_OBJECT),
)
_PIPELINES = (Door("GET", "/{kind}", catalog.pipelines, "read"),)
_FILES = (
    Door("GET", "/{id}/signed-url", files.signed_url, "files"),
    Door("GET", "/{id}", files.read_file, "files"),
    Door("POST", "", files.upload, "file_writes"),
)
_ACCOUNT = (Door("GET", "/details", catalog.account),)


def hubspot_app(portal: HubSpotPortal) -> Starlette:
    """Return the portal as an application; its faults are at `app.state.faults`.

    Also the page where a person installs its OAuth app, and the token server.
    """
    searcher = Searcher(portal)
    faults = faults_of(portal, searcher)
    bases = (
        ("/crm/objects/{version}", _OBJECTS),
        ("/crm/associations/{version}", _ASSOCIATIONS),
        ("/crm/properties/{version}", _PROPERTIES),
        ("/crm/owners/{version}", _OWNERS),
        ("/crm/pipelines/{version}", _PIPELINES),
        ("/crm-object-schemas/{version}/schemas", _SCHEMAS),
        ("/account-info/{version}", _ACCOUNT),
        ("/files/{version}/files", _FILES),
        ("/crm/{version}/objects", _OBJECTS),
        ("/crm/{version}/associations", _ASSOCIATIONS),
        ("/crm/{version}/properties", _PROPERTIES),
        ("/crm/{version}/owners", _OWNERS),
        ("/crm/{version}/pipelines", _PIPELINES),
    )
    routes: list[BaseRoute] = [
        Route(f"{base}{door.path}", _endpoint(portal, searcher, door), methods=[door.method])
        for base, doors in bases
        for door in doors
    ]
    app = Starlette(
        routes=[*routes, *consenting.routes(portal), *_own_routes(portal)],
        middleware=[
            Middleware(DateHeader, now=portal.now),
            Middleware(FaultMiddleware, faults=faults),
        ],
        exception_handlers={404: _no_route(portal), 405: _no_route(portal)},
    )
    app.state.faults = faults
    return app


def _no_route(portal: HubSpotPortal) -> Callable[[Request, Exception], Response]:
    def answer(_: Request, __: Exception) -> Response:
        return jsonwire.ExactJson(not_found().body(portal.new_correlation_id()), 404)

    return answer


def _endpoint(portal: HubSpotPortal, searcher: Searcher, door: Door) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        body = await request.body()
        with portal.lock:
            return _answered(portal, searcher, door, request, body)

    return endpoint


def _answered(
    portal: HubSpotPortal, searcher: Searcher, door: Door, request: Request, body: bytes
) -> Response:
    correlation_id = portal.new_correlation_id()
    headers = {"X-HubSpot-Correlation-Id": correlation_id}
    words: Mapping[str, str] = request.path_params
    portal.counts[f"{door.method} {_label(door, words)}"] += 1
    try:
        if words["version"] not in portal.api_versions and words["version"] not in OLD_VERSIONS:
            raise not_found(f"There is no version {words['version']} of this API")
        token = access.authenticate(portal, request.headers.get("authorization", ""))
        access.take_turn(portal, token, searches=door.searches)
        if not door.searches and portal.limits.on:
            headers |= access.rate_headers(portal, token)
        base = str(request.base_url).rstrip("/")
        call = Call(portal, searcher, words, request.query_params, _json(request, body), base)
        if door.scope:
            access.demand_scope(portal, token, *_scopes(call, door.scope))
        if door.body is not None:
            bodies.check(door.body, call.body)
        reply = door.answer(call)
    except Refusal as refusal:
        if refusal.status == 429:
            portal.throttled += 1
        reply = Reply(refusal.body(correlation_id), refusal.status)
    if reply.content is None:
        return Response(status_code=reply.status, headers=headers)
    return jsonwire.ExactJson(
        reply.content, reply.status, headers, media_type="application/json;charset=utf-8"
    )


def _label(door: Door, words: Mapping[str, str]) -> str:
    """Name the operation for the counters: its kinds, not its ids."""
    path = door.path
    for word in ("kind", "to"):
        path = path.replace(f"{{{word}}}", words.get(word, ""))
    group = "" if "{kind}" in door.path else door.answer.__name__
    return f"{group}{path}".strip("/")


_ANY_OF: Mapping[str, tuple[str, ...]] = {
    "schemas": ("crm.schemas.custom.read", "crm.objects.custom.read"),
    "files": ("files", "files.read", "files.ui_hidden.read"),
    "file_writes": ("files",),
}


def _scopes(call: Call, scope: str) -> tuple[str, ...]:
    """Return the scopes of which one is enough."""
    if "." in scope:
        return (scope,)
    if scope in _ANY_OF:
        return _ANY_OF[scope]
    kind = call.kind()
    if scope == "schema":
        return (f"crm.schemas.{kind.scope}.write",)
    return (access.object_scope(kind, writes=scope == "write"),)


def _json(request: Request, body: bytes) -> Any:
    if not body:
        return None
    said = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if said == "multipart/form-data":
        return files.form_of(request.headers["content-type"], body)
    if said != "application/json":
        raise Refusal(415, "UNSUPPORTED_MEDIA_TYPE", f"{said or 'no content type'} is not taken")
    try:
        return jsonwire.loads(body)
    except ValueError as error:
        raise bad_request(f"Invalid input JSON: {error}") from error


def _own_routes(portal: HubSpotPortal) -> list[BaseRoute]:
    async def tell_truth(request: Request) -> Response:
        with portal.lock:
            detail = request.query_params.get("detail") != "0"
            return jsonwire.ExactJson(truth(portal, detail=detail))

    async def do_deeds(request: Request) -> Response:
        told = jsonwire.loads(await request.body())
        try:
            done = [play(portal, one) for one in (told if isinstance(told, list) else [told])]
        except (KeyError, TypeError, ValueError, Refusal) as error:
            return jsonwire.ExactJson({"error": f"{type(error).__name__}: {error}"}, 400)
        return jsonwire.ExactJson({"done": done})

    async def set_portal(request: Request) -> Response:
        told = jsonwire.loads(await request.body())
        with portal.lock:
            for name in ("index_lag_secs", "association_page"):
                if name in told:
                    setattr(portal, name, float(told[name]) if "secs" in name else told[name])
            if "limits" in told:
                portal.set_limits(replace(portal.limits, **told["limits"]))
        return jsonwire.ExactJson({"index_lag_secs": str(portal.index_lag_secs)})

    async def give_file(request: Request) -> Response:
        with portal.lock:
            return files.give(portal, request)

    return [
        Route(files.SIGNED, give_file),
        Route("/__truth", tell_truth),
        Route("/__deeds", do_deeds, methods=["POST"]),
        Route("/__portal", set_portal, methods=["POST"]),
    ]
