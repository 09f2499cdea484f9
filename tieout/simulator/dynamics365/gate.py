"""The way in: who a token is, and whether it may ask now."""

from tieout.simulator.dynamics365.batch import operations_in
from tieout.simulator.dynamics365.call import Call
from tieout.simulator.dynamics365.org import DynamicsOrg, Grant
from tieout.simulator.dynamics365.refusals import Refusal


def grant_of(org: DynamicsOrg, authorization: str, host: str) -> Grant:
    """Return what the bearer of a token may do.

    Raises:
        Refusal: 401 without a token in force, 403 if the app is no user of the organization.
    """
    scheme, _, name = authorization.partition(" ")
    grant = org.grants.get(name) if scheme.lower() == "bearer" else None
    expired = grant is not None and grant.expires_at is not None and grant.expires_at <= org.now()
    if grant is None or grant.revoked or expired:
        raise not_signed_in(org, host)
    if not grant.member:
        raise Refusal(403, "0x80072560", "The user is not a member of the organization.")
    return grant


def not_signed_in(org: DynamicsOrg, host: str) -> Refusal:
    """Return the 401 that tells where to sign in."""
    where = f"https://{host}/{org.tenant_id}/oauth2/authorize"
    challenge = f"Bearer authorization_uri={where}, resource_id=https://{host}/"
    return Refusal(
        401,
        "0x8005F101",
        "The requested resource requires authentication.",
        {"WWW-Authenticate": challenge},
    )


def take_turn(call: Call) -> dict[str, str]:
    """Count a request and what it costs; returns the headers that tell what is left.

    Raises:
        Refusal: 429, a limit of service protection was reached.
    """
    throttle = call.org.throttle
    throttle.take()
    is_batch = call.segments[0].name == "$batch"
    said = call.headers.get("content-type", "")
    throttle.spend(operations_in(said, call.body) if is_batch else 1)
    if not throttle.limits.on:
        return {}
    return {
        "x-ms-ratelimit-burst-remaining-xrm-requests": str(throttle.remaining),
        "x-ms-ratelimit-time-remaining-xrm-requests": f"{max(throttle.remaining_secs, 0):,.2f}",
    }
