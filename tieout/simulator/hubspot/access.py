"""Who may ask, and how often: bearer tokens, scopes, rate limits and their headers.

Sources: developers.hubspot.com, pages "Error handling" and "API usage guidelines". The headers
of the rate come with every answer but a search's; a refusal names its policy.
"""

from collections.abc import Mapping

from tieout.simulator.hubspot.errors import Refusal
from tieout.simulator.hubspot.portal import HubSpotPortal
from tieout.simulator.hubspot.schema import Kind, instant_text, milliseconds
from tieout.simulator.limits import RollingWindow

DAY_MS = 86_400_000


class RateRefusal(Refusal):
    """HubSpot's 429, in one of its wordings."""

    def __init__(self, policy: str, *, by_category: bool) -> None:
        super().__init__(429, "RATE_LIMITS", f"You have reached your {policy.lower()} limit.")
        self.policy = policy
        self._by_category = by_category

    def body(self, correlation_id: str) -> dict[str, object]:
        """Return the wording with a category, or the older one with an errorType."""
        told: dict[str, object] = {
            "status": "error",
            "message": self.message,
            "correlationId": correlation_id,
            "policyName": self.policy,
        }
        if self._by_category:
            return {**told, "category": self.category}
        return {**told, "errorType": "RATE_LIMIT", "requestId": correlation_id}


def authenticate(portal: HubSpotPortal, authorization: str) -> str:
    """Return the token that asks.

    Raises:
        Refusal: 401, there is no token, or it is unknown, revoked or expired.
    """
    scheme, _, name = authorization.partition(" ")
    token = portal.tokens.get(name) if scheme.lower() == "bearer" else None
    if token is None or token.revoked:
        raise not_authenticated()
    if token.expires_at is not None and token.expires_at <= portal.now():
        expired = milliseconds(token.expires_at.isoformat())
        raise expired_token(expired or 0, portal.present())
    return name


def not_authenticated() -> Refusal:
    """Return the 401 of a missing, unknown or revoked token."""
    return Refusal(
        401,
        "INVALID_AUTHENTICATION",
        "Authentication credentials not found. This API supports OAuth 2.0 authentication and you "
        "can find more details at https://developers.hubspot.com/docs/methods/auth/oauth-overview",
    )


def expired_token(expired: int, present: int) -> Refusal:
    """Return the 401 of a token that has expired; both instants in epoch milliseconds."""
    seconds = (present - expired) // 1000
    return Refusal(
        401,
        "EXPIRED_AUTHENTICATION",
        f"The OAuth token used to make this call expired {seconds} second(s) ago.",
        context={"expire time": [instant_text(expired)]},
    )


def demand_scope(portal: HubSpotPortal, token: str, *scopes: str) -> None:
    """Refuse a token that has none of the scopes.

    Raises:
        Refusal: 403, naming them.
    """
    held = portal.tokens[token].scopes
    if held is not None and held.isdisjoint(scopes):
        raise Refusal(
            403,
            "MISSING_SCOPES",
            "This app hasn't been granted all required scopes to make this call. "
            "Read more about required scopes here: https://developers.hubspot.com/scopes.",
            errors=[
                {
                    "message": "One or more of the following scopes are required.",
                    "context": {"requiredGranularScopes": list(scopes)},
                }
            ],
        )


def object_scope(kind: Kind, *, writes: bool) -> str:
    """Return the scope that reading or writing a kind of record needs."""
    return f"crm.objects.{kind.scope}.{'write' if writes else 'read'}"


def take_turn(portal: HubSpotPortal, token: str, *, searches: bool) -> None:
    """Count a request against the day, the token's ten seconds and, for a search, its second.

    Raises:
        RateRefusal: 429, naming the policy that was reached.
    """
    limits = portal.limits
    if not limits.on:
        return
    day = portal.present() // DAY_MS
    portal.asked_on = {day: portal.asked_on.get(day, 0) + 1}
    if portal.asked_on[day] > limits.daily:
        raise RateRefusal("DAILY", by_category=False)
    if searches and portal.search_window.take():
        raise RateRefusal("SECONDLY", by_category=False)
    if _burst(portal, token).take():
        raise RateRefusal("TEN_SECONDLY_ROLLING", by_category=True)


def rate_headers(portal: HubSpotPortal, token: str) -> Mapping[str, str]:
    """Return what the answer tells of the rate."""
    limits = portal.limits
    used = sum(portal.asked_on.values())
    return {
        "X-HubSpot-RateLimit-Daily": str(limits.daily),
        "X-HubSpot-RateLimit-Daily-Remaining": str(max(limits.daily - used, 0)),
        "X-HubSpot-RateLimit-Interval-Milliseconds": str(limits.burst_secs * 1000),
        "X-HubSpot-RateLimit-Max": str(_most(portal, token)),
        "X-HubSpot-RateLimit-Remaining": str(_burst(portal, token).remaining),
    }


def _burst(portal: HubSpotPortal, token: str) -> RollingWindow:
    limits = portal.limits
    return portal.bursts.setdefault(
        token,
        RollingWindow(
            _most(portal, token), limits.burst_secs, portal.now, time_scale=limits.time_scale
        ),
    )


def _most(portal: HubSpotPortal, token: str) -> int:
    """Return how much a token may ask within the window."""
    limits = portal.limits
    return min(limits.burst, limits.app_burst) if portal.tokens[token].app else limits.burst
