"""What is really in the org: the judge's view, which no vendor's API gives."""

from decimal import Decimal
from typing import Any

from tieout.simulator.salesforce.org import SalesforceOrg
from tieout.simulator.salesforce.tables import Values


def truth(org: SalesforceOrg, *, detail: bool = True) -> dict[str, Any]:
    """Return every opportunity as it is now, deleted ones too, and what was asked so far.

    Amounts are texts, exact. `net` is the sum of the lines' total prices, or the amount if there
    are no lines. `detail` adds lines, payments and the values of custom fields.
    """
    return {
        "org": {
            "id": org.org_id,
            "name": org.name,
            "time_zone": org.time_zone,
            "currency": org.company_currency,
        },
        "at": org.present(),
        "deals": [
            _deal(org, one, detail=detail) for one in org.tables["Opportunity"].records.values()
        ],
        "merged": {
            one["Id"]: one["MasterRecordId"]
            for kind in ("Account", "Contact")
            for one in org.tables[kind].records.values()
            if one.get("MasterRecordId")
        },
        "requests": dict(org.counts),
        "throttled": org.throttled,
    }


def net_of(org: SalesforceOrg, deal: Values) -> Decimal:
    """Return what an opportunity is worth, net of tax."""
    lines = _lines(org, deal)
    if not lines:
        return Decimal(deal.get("Amount") or 0)
    return sum((one["TotalPrice"] for one in lines), Decimal(0))


def _deal(org: SalesforceOrg, deal: Values, *, detail: bool) -> dict[str, Any]:
    account = org.find("Account", deal["AccountId"]) if deal.get("AccountId") else None
    currency = deal.get("CurrencyIsoCode") if org.multi_currency else org.company_currency
    told: dict[str, Any] = {
        "id": deal["Id"],
        "name": deal["Name"],
        "po_number": deal.get("PO_Number__c"),
        "is_won": deal["IsWon"],
        "currency": currency,
        "amount": _text(deal.get("Amount")),
        "net": f"{net_of(org, deal):f}",
        "close_date": deal["CloseDate"],
        "stage": deal["StageName"],
        "company": None if account is None else account["Id"],
        "company_name": None if account is None else account["Name"],
        "archived": deal["IsDeleted"],
        "merged_ids": [],
        "modified": deal["SystemModstamp"],
    }
    if detail:
        own = (name for name, one in org.kinds["Opportunity"].fields.items() if one.custom)
        told["custom"] = {
            name: _text(deal[name]) for name in sorted(own) if deal.get(name) is not None
        }
        told["lines"] = [_shown(one) for one in _lines(org, deal)]
        told["payments"] = [_shown(one) for one in _payments(org, deal)]
    return told


def _lines(org: SalesforceOrg, deal: Values) -> list[Values]:
    found = org.tables["OpportunityLineItem"].having("OpportunityId", [deal["Id"]])
    alive = [one for one in found if not one["IsDeleted"]]
    return sorted(alive, key=lambda one: (one.get("SortOrder") or 0, one["Id"]))


def _payments(org: SalesforceOrg, deal: Values) -> list[Values]:
    if "Payment__c" not in org.tables:
        return []
    found = org.tables["Payment__c"].having("Opportunity__c", [deal["Id"]])
    return [one for one in found if not one["IsDeleted"]]


def _shown(record: Values) -> dict[str, Any]:
    return {name: _text(value) for name, value in record.items()}


def _text(value: Any) -> Any:
    return f"{value:f}" if isinstance(value, Decimal) else value
