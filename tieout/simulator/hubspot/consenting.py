"""The page where a person installs the OAuth app, and its token server, on the wire."""

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from tieout.simulator import jsonwire
from tieout.simulator.hubspot.oauth import OAuthApp, OAuthRefusal, app_of
from tieout.simulator.hubspot.portal import HubSpotPortal

AUTHORISE = "/oauth/authorize"
TOKEN = "/oauth/{version}/token"  # noqa: S105 - a path
FORM = "application/x-www-form-urlencoded"
TRACE = "X-HubSpot-Correlation-Id"
_OLD = frozenset({"v1", "v3"})

Asking = Callable[[OAuthApp, dict[str, str]], dict[str, Any] | None]


def routes(portal: HubSpotPortal) -> list[BaseRoute]:
    """Return the routes, which ask for no token."""

    async def install(request: Request) -> Response:
        """Play the person who installs the app: send the browser back with a code."""
        with portal.lock:
            try:
                back = app_of(portal).authorise(dict(request.query_params))
            except OAuthRefusal as refusal:
                return _refused(portal, refusal)
        return RedirectResponse(back, status_code=302)

    return [
        Route(AUTHORISE, install),
        Route(TOKEN, _answering(portal, "token", OAuthApp.grant), methods=["POST"]),
        Route(
            f"{TOKEN}/introspect",
            _answering(portal, "introspect", OAuthApp.introspect),
            methods=["POST"],
        ),
        Route(f"{TOKEN}/revoke", _answering(portal, "revoke", OAuthApp.revoke), methods=["POST"]),
    ]


def _answering(
    portal: HubSpotPortal, name: str, ask: Asking
) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        body = await request.body()
        with portal.lock:
            portal.counts[f"POST oauth {name}"] += 1
            try:
                _demand_known(portal, request)
                told = ask(app_of(portal), dict(parse_qsl(body.decode())))
            except OAuthRefusal as refusal:
                return _refused(portal, refusal)
            headers = {TRACE: portal.new_correlation_id()}
        if told is None:
            return Response(status_code=204, headers=headers)
        return jsonwire.ExactJson(told, headers=headers)

    return answer


def _demand_known(portal: HubSpotPortal, request: Request) -> None:
    """Refuse a version that is none, a body of another form, and words in the address."""
    version = request.path_params["version"]
    if version not in portal.api_versions and version not in _OLD:
        raise OAuthRefusal("invalid_request", "NOT_FOUND", f"There is no version {version}", 404)
    said = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if said != FORM or request.query_params:
        raise OAuthRefusal("invalid_request", "BAD_REQUEST", "parameters stand in a form's body")


def _refused(portal: HubSpotPortal, refusal: OAuthRefusal) -> Response:
    trace_id = portal.new_correlation_id()
    body = {**refusal.body, "correlationId": trace_id}
    return jsonwire.ExactJson(body, refusal.http, {TRACE: trace_id})
