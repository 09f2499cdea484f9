"""What every population needs: currencies, price lists, products, the administrator's columns."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tieout.simulator.dynamics365 import money
from tieout.simulator.dynamics365.org import DynamicsOrg
from tieout.simulator.dynamics365.schema import Column, Target, choice
from tieout.simulator.hubspot.trade import COUNTRIES, PRODUCTS


@dataclass(frozen=True, slots=True)
class Shop:
    """What every sale refers to."""

    currencies: dict[str, Target]
    price_lists: dict[str, Target]
    products: dict[str, Target]
    unit: Target


def furnish(org: DynamicsOrg) -> Shop:
    """Make what every population needs: columns, currencies, price lists, products; once."""
    if "nly_ponumber" not in org.tables["opportunity"].columns:
        for table, column in _custom():
            org.define(table, column)
    currencies: dict[str, Target] = {}
    price_lists: dict[str, Target] = {}
    rates = {one.currency: one.per_euro for one in COUNTRIES} | {"EUR": Decimal(1)}
    held = {
        one.values["isocurrencycode"]: one.id
        for one in org.shelves["transactioncurrency"].records.values()
    }
    own = rates.get(org.base_currency, Decimal(1))
    for code, rate in rates.items():
        if code not in held:
            held[code] = money.add_currency(org, code, f"{rate / own:.10f}").id
        currencies[code] = Target("transactioncurrency", held[code])
        prices = {"name": f"Prices in {code}", "transactioncurrencyid": currencies[code]}
        price_lists[code] = Target("pricelevel", _once(org, "pricelevel", prices))
    unit = Target("uom", _once(org, "uom", {"name": "Primary Unit"}))
    products = {}
    for sku, name, euro in PRODUCTS:
        product = {
            "name": name,
            "productnumber": sku,
            "price": euro,
            "defaultuomid": unit,
            "productstructure": 1,
            "transactioncurrencyid": currencies["EUR"],
            "statecode": 0,
            "statuscode": 1,
        }
        products[sku] = Target("product", _once(org, "product", product))
    return Shop(currencies, price_lists, products, unit)


def _custom() -> list[tuple[str, Column]]:
    """Return the columns that this company's administrator has added."""
    return [
        ("opportunity", Column("nly_ponumber", "String", "Purchase order", max_length=100)),
        ("account", Column("nly_vatnumber", "String", "VAT number", max_length=40)),
        ("account", Column("nly_countrycode", "String", "Country code", max_length=2)),
        (
            "opportunityproduct",
            choice("nly_taxcategory", "Tax category", (1, "Standard"), (2, "Reduced"), (3, "None")),
        ),
    ]


def _once(org: DynamicsOrg, table: str, values: dict[str, Any]) -> str:
    name = org.tables[table].name_column
    for record in org.shelves[table].records.values():
        if record.values.get(name) == values[name]:
            return record.id
    return org.create(table, values).id
