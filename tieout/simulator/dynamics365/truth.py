"""What is really in the organization: the judge's view, which no vendor's API gives."""

from decimal import Decimal
from typing import Any

from tieout.simulator.dynamics365.org import DynamicsOrg
from tieout.simulator.dynamics365.records import Record
from tieout.simulator.dynamics365.schema import Target
from tieout.simulator.dynamics365.tables import OPEN, WON


def truth(org: DynamicsOrg, *, detail: bool = True) -> dict[str, Any]:
    """Return every opportunity as it is now, and what was asked so far.

    Amounts are texts, exact. `net` is what its lines come to before tax, less the discounts of the
    opportunity, or what a person entered where it has no lines. `detail` adds lines and the
    values of custom columns.
    """
    shelf = org.shelves["opportunity"]
    return {
        "org": {"id": org.org_id, "name": org.name, "currency": org.base_currency},
        "at": org.present(),
        "deals": [_deal(org, one, detail=detail) for one in shelf.records.values()],
        "deleted": [one.id for one in shelf.gone],
        "merged": {
            record.id: record.values["masterid"].id
            for table in ("account", "contact")
            for record in org.shelves[table].records.values()
            if record.values.get("merged")
        },
        "requests": dict(org.counts),
        "batched": dict(org.batched),
        "throttled": org.throttled,
    }


def net_of(org: DynamicsOrg, deal: Record) -> Decimal:
    """Return what an opportunity is worth, net of tax."""
    if not lines_of(org, deal):
        entered = deal.values.get("actualvalue", deal.values.get("estimatedvalue"))
        return Decimal(entered or 0)
    return Decimal(deal.values["totalamount"] - deal.values["totaltax"])


def lines_of(org: DynamicsOrg, deal: Record) -> list[Record]:
    """Return an opportunity's lines: by sequence, then by number, then as they came."""
    found = org.shelves["opportunityproduct"].pointing(
        "opportunityid", Target("opportunity", deal.id)
    )
    return sorted(
        found,
        key=lambda one: (one.values.get("sequencenumber", 0), one.values.get("lineitemnumber", 0)),
    )


def _deal(org: DynamicsOrg, deal: Record, *, detail: bool) -> dict[str, Any]:
    values = deal.values
    customer = values.get("customerid") or values.get("parentaccountid")
    currency = values.get("transactioncurrencyid")
    held = None if currency is None else org.find(currency.table, currency.id)
    told: dict[str, Any] = {
        "id": deal.id,
        "name": values.get("name"),
        "is_won": values.get("statecode") == WON,
        "is_open": values.get("statecode", OPEN) == OPEN,
        "status": org.tables["opportunity"]
        .columns["statuscode"]
        .options.get(values.get("statuscode", 0)),
        "currency": None if held is None else held.values["isocurrencycode"],
        "estimated": _told(values.get("estimatedvalue")),
        "total": _told(values.get("totalamount")),
        "net": _told(net_of(org, deal)),
        "close_date": values.get("actualclosedate") or values.get("estimatedclosedate"),
        "customer": None if customer is None else customer.id,
        "customer_table": None if customer is None else customer.table,
        "customer_name": None if customer is None else org.label(customer),
        "modified": deal.modified,
        "version": deal.version,
    }
    if detail:
        columns = org.tables["opportunity"].columns.values()
        own = [one.name for one in columns if one.custom]
        told["custom"] = {name: _told(values[name]) for name in own if name in values}
        told["lines"] = [_line(one) for one in lines_of(org, deal)]
    return told


def _line(line: Record) -> dict[str, Any]:
    return {"id": line.id} | {
        name: value.id if isinstance(value, Target) else _told(value)
        for name, value in line.values.items()
    }


def _told(value: Any) -> Any:
    if isinstance(value, Target):
        return value.id
    return f"{value:f}" if isinstance(value, Decimal) else value
