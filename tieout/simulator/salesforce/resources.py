"""What an org says of itself: versions, resources, limits, currency.

Sources: REST API Developer Guide, "Versions", "Resources by Version", "Limits"; Connect REST API
Developer Guide, "Organization".
"""

from typing import Any

from tieout.simulator.salesforce.call import Call, Reply
from tieout.simulator.salesforce.org import SalesforceOrg

_SEASONS = {2: "Winter", 0: "Spring", 1: "Summer"}
_FIRST_SPRING = 66
"""Version 66 is that of spring 2026; three follow each year."""


def versions(org: SalesforceOrg) -> list[dict[str, str]]:
    """Return the versions of the API."""
    return [
        {
            "label": _label(int(one.partition(".")[0])),
            "url": f"/services/data/v{one}",
            "version": one,
        }
        for one in org.api_versions
    ]


def index(call: Call) -> Reply:
    """List the resources of a version."""
    base = f"/services/data/v{call.version}"
    names = ("composite", "connect", "jobs", "limits", "query", "queryAll", "sobjects", "tooling")
    return Reply({name: f"{base}/{name}" for name in names})


def limits(call: Call) -> Reply:
    """Tell what is left of the day's calls."""
    org = call.org
    left = max(org.daily_limit - len(org.calls), 0)
    return Reply(
        {
            "DailyApiRequests": {"Max": org.daily_limit, "Remaining": left},
            "DailyBulkV2QueryJobs": {"Max": 10_000, "Remaining": 10_000 - len(org.jobs)},
            "DailyBulkV2QueryFileStorageMB": {"Max": 976_562, "Remaining": 976_562},
        }
    )


def organization(call: Call) -> Reply:
    """Tell which currency an org has that has only one."""
    org = call.org
    features: dict[str, Any] = {"multiCurrency": org.multi_currency}
    if not org.multi_currency:
        features["defaultCurrencyIsoCode"] = org.company_currency
    return Reply({"name": org.name, "orgId": org.org_id, "features": features})


def _label(number: int) -> str:
    years, season = divmod(number - _FIRST_SPRING, 3)
    year = 26 + years + (season == 2)
    return f"{_SEASONS[season]} '{year}"
