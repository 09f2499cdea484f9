"""What is really in the portal: the judge's view, which no vendor's API gives."""

from decimal import Decimal
from typing import Any

from tieout.simulator.hubspot.portal import HubSpotPortal
from tieout.simulator.hubspot.records import Record
from tieout.simulator.hubspot.schema import instant_text

_TO_LINES = ("deals", "line_items")
_TO_COMPANIES = ("deals", "companies")
_TO_PAYMENTS = ("deals", "commerce_payments")


def truth(portal: HubSpotPortal, *, detail: bool = True) -> dict[str, Any]:
    """Return every deal as it is now, archived and merged ones too, and what was asked so far.

    Amounts are texts, exact. `net` is the sum of the lines' net prices, or the deal's amount if
    it has no lines. `detail` adds lines, payments and all property values.
    """
    shelf = portal.shelves["deals"]
    return {
        "portal": {
            "id": portal.portal_id,
            "name": portal.name,
            "time_zone": portal.time_zone,
            "currency": portal.company_currency,
        },
        "at": instant_text(portal.present()),
        "deals": [_deal(portal, record, detail=detail) for record in shelf.records.values()],
        "quotes": [_shown(record) for record in portal.shelves["quotes"].live()],
        "invoices": [_shown(record) for record in portal.shelves["invoices"].live()],
        "own_objects": {
            name: [_shown(record) for record in portal.shelves[name].live()]
            for name in portal.own_objects
        },
        "merged": {str(old): str(new) for old, new in shelf.redirects.items()},
        "requests": dict(portal.counts),
        "throttled": portal.throttled,
    }


def net_of(portal: HubSpotPortal, deal: Record) -> Decimal:
    """Return what a deal is worth, net of tax: its lines' sum, or its amount without lines.

    A recurring line is worth its whole term, where that has an end (H17).
    """
    lines = _linked(portal, _TO_LINES, deal)
    if not lines:
        return Decimal(deal.values.get("amount") or 0)
    worths = (line.values.get("hs_tcv", line.values["amount"]) for line in lines)
    return sum(map(Decimal, worths), Decimal(0))


def _deal(portal: HubSpotPortal, deal: Record, *, detail: bool) -> dict[str, Any]:
    values = deal.values
    company = _company(portal, deal)
    told: dict[str, Any] = {
        "id": str(deal.id),
        "name": values.get("dealname"),
        "po_number": values.get("po_number"),
        "is_won": values.get("hs_is_closed_won") == "true",
        "currency": values.get("deal_currency_code"),
        "amount": values.get("amount"),
        "net": f"{net_of(portal, deal):f}",
        "close_date": values.get("closedate"),
        "pipeline": values.get("pipeline"),
        "stage": values.get("dealstage"),
        "company": None if company is None else str(company.id),
        "company_name": None if company is None else company.values.get("name"),
        "archived": deal.archived is not None,
        "merged_ids": [str(one) for one in deal.merged],
        "modified": instant_text(deal.modified),
    }
    if detail:
        own = {
            name
            for name, prop in portal.properties["deals"].items()
            if not prop.built_in and name != "po_number"
        }
        told["custom"] = {name: values[name] for name in sorted(own) if name in values}
        told["lines"] = [_shown(line) for line in _linked(portal, _TO_LINES, deal)]
        told["payments"] = [_shown(paid) for paid in _linked(portal, _TO_PAYMENTS, deal)]
    return told


def _company(portal: HubSpotPortal, deal: Record) -> Record | None:
    """Return the primary company, or the only one."""
    linked = portal.links.of(_TO_COMPANIES, deal.id)
    label = portal.links.primary_type(_TO_COMPANIES)
    primary = [target for target, types in linked.items() if label in types]
    chosen = primary or list(linked)
    return portal.find("companies", chosen[0]) if len(chosen) == 1 else None


def _linked(portal: HubSpotPortal, pair: tuple[str, str], deal: Record) -> list[Record]:
    found = (portal.find(pair[1], target) for target in portal.links.of(pair, deal.id))
    return [record for record in found if record is not None]


def _shown(record: Record) -> dict[str, str]:
    return {"id": str(record.id), **record.values}
