"""What the organization answers has the vendor's names and types.

Held against the columns that Microsoft publishes, where they are at hand.
"""

import json
from pathlib import Path

import pytest

from tieout.simulator.dynamics365 import sell
from tieout.simulator.dynamics365.schema import LOOKUPS

REFERENCE = "learn.microsoft.com/dynamics365/developer/reference/entities"
TABLES = "learn.microsoft.com/power-apps/developer/data-platform/reference/entities"
EVERY_TABLE = {"createdon", "modifiedon", "createdby", "modifiedby", "versionnumber"}
BESIDE = {
    "account": (
        f"{TABLES}/account",
        {"ownerid", "overriddencreatedon"}
        | {
            f"address1_{part}"
            for part in (
                "name",
                "line1",
                "line2",
                "line3",
                "city",
                "stateorprovince",
                "postalcode",
                "country",
            )
        },
    ),
    "annotation": (f"{TABLES}/annotation", {"ownerid"}),
    "invoice": (f"{REFERENCE}/invoice", {"customerid", "ownerid", "overriddencreatedon"}),
    "opportunity": (f"{REFERENCE}/opportunity", {"customerid", "ownerid", "overriddencreatedon"}),
}
"""Columns that the published list lacks, and the page of today that names them."""
BESIDE["contact"] = (f"{TABLES}/contact", BESIDE["account"][1])
TYPES = {
    "bigInteger": {"BigInt"},
    "boolean": {"Boolean"},
    "lookup": {"Lookup", "Customer"},
    "dateTime": {"DateTime"},
    "decimal": {"Decimal"},
    "integer": {"Integer"},
    "entityId": {"Uniqueidentifier", "Lookup"},
    "baseCurrency": {"Money"},
    "currency": {"Money"},
    "listLookup": {"Picklist", "State"},
    "listLookupCorrelated": {"Status"},
    "string": {"String", "Memo"},
}
TEXT = {"email", "firstName", "fullName", "lastName", "name", "phone", "url"}


@pytest.fixture(scope="module")
def published():
    path = Path(__file__).parents[4] / "shared" / "contracts" / "dataverse" / "columns.json"
    listed = json.loads(path.read_text("utf-8"))["tables"] if path.exists() else {}
    return {
        table: {one.get("column", name).lower(): one for name, one in columns.items()}
        for table, columns in listed.items()
    }


def test_d7_every_standard_column_is_published_with_its_type(org, published):
    wrong = []
    for name, columns in published.items():
        _, beside = BESIDE.get(name, ("", set()))
        for column in org.tables[name].columns.values():
            if column.name in beside | EVERY_TABLE:
                continue
            known = columns.get(column.name)
            kind = known and ("string" if known["type"] in TEXT else known["type"])
            if known is None or column.type not in TYPES[kind]:
                wrong.append(f"{name}.{column.name}: {column.type} is {known}")
    assert wrong == []


def test_d7_texts_have_their_published_lengths_and_twins_their_type(org, published):
    wrong = []
    for name, columns in published.items():
        for column in org.tables[name].columns.values():
            known = columns.get(column.name, {})
            if column.max_length and known.get("max", column.max_length) != column.max_length:
                wrong.append(f"{name}.{column.name}: {column.max_length} is {known['max']}")
            if bool(column.base_of) != (known.get("type") == "baseCurrency"):
                wrong.append(f"{name}.{column.name}: twin of {column.base_of!r}")
    assert wrong == []


def test_d7_lookups_lead_where_it_is_published(org, published):
    wrong = []
    for name, columns in published.items():
        for column in org.tables[name].columns.values():
            targets = {one.lower() for one in columns.get(column.name, {}).get("targets", ())}
            known = {_AS_TABLE.get(one, one) for one in targets}
            # The list is older than notes of sales records.
            later = {"opportunity", "invoice"} if name == "annotation" else set()
            ours = set(column.targets) - later
            if targets and not ours <= known:
                wrong.append(f"{name}.{column.name}: {ours} is not in {known}")
    assert wrong == []


_AS_TABLE = {
    "currency": "transactioncurrency",
    "user": "systemuser",
    "pricelist": "pricelevel",
    "unit": "uom",
}


def test_d2_every_value_has_the_json_type_of_its_column(crm, org):
    sell(org, deals=30)
    wrong = []
    for table in org.tables.values():
        for row in crm.rows(table.entity_set):
            told = set(row) - {"@odata.etag"}
            if told != {column.wire for column in table.columns.values()}:
                wrong.append(f"{table.name}: {sorted(told)}")
            wrong += [
                f"{table.name}.{column.name}: {row[column.wire]!r}"
                for column in table.columns.values()
                if not fits(column, row[column.wire])
            ]
    assert wrong == []


def fits(column, value):
    if value is None:
        return True
    if column.type in LOOKUPS | {"Uniqueidentifier", "String", "Memo", "DateTime"}:
        return isinstance(value, str)
    if column.type == "Boolean":
        return isinstance(value, bool)
    if column.type in {"Money", "Decimal"}:
        return isinstance(value, int | float)
    return isinstance(value, int)
