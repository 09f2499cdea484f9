"""An organization in a file, so that a demo can be continued where it ended."""

import os
from collections.abc import Mapping
from dataclasses import asdict, fields
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from tieout.simulator import jsonwire
from tieout.simulator.clock import Now
from tieout.simulator.dynamics365.org import DynamicsOrg, Grant
from tieout.simulator.dynamics365.records import Gone, Record, Shelf
from tieout.simulator.dynamics365.schema import LOOKUPS, Column, Key, Table, Target
from tieout.simulator.dynamics365.throttle import Limits

FORMAT = 1
_SETTINGS = (
    "tenant_id",
    "client_id",
    "client_secret",
    "certificates",
    "user_id",
    "business_unit_id",
    "token_secs",
    "expire_days",
    "pricing_decimals",
    "closed_refuses",
    "key_index_secs",
    "plug_in_says",
    "version",
    "delta_floor",
)


def save(org: DynamicsOrg, path: Path) -> None:
    """Write the whole organization; the file is replaced at once, never half written."""
    with org.lock:
        text = jsonwire.dumps(_told(org))
    partial = path.with_suffix(".partial")
    partial.write_bytes(text)
    os.replace(partial, path)  # noqa: PTH105 - says by its name that it is atomic


def load(path: Path, now: Now) -> DynamicsOrg:
    """Read an organization that `save` wrote, on another clock.

    Raises:
        ValueError: the file is no organization of this format.
        OSError: the file cannot be read.
    """
    told = jsonwire.loads(path.read_bytes())
    if not isinstance(told, dict) or told.get("format") != FORMAT:
        raise ValueError(f"{path} is no organization of format {FORMAT}")
    org = DynamicsOrg(
        **told["made"],
        now=now,
        limits=Limits(**{name: _plain(one) for name, one in told["limits"].items()}),
        furnish=False,
    )
    for name in _SETTINGS:
        setattr(org, name, _plain(told["settings"][name]))
    org.duplicate_rules = [(table, tuple(columns)) for table, columns in told["rules"]]
    org.access = _grant(told["access"])
    org.grants = {name: _grant(one) for name, one in told["grants"].items()}
    org.tables = {name: _table(one) for name, one in told["tables"].items()}
    for name, shelf in told["shelves"].items():
        _fill(org, name, shelf)
    # Ids that were given must not be given again, whatever the seed.
    org.dice.seed(f"{org.seed}:{org.version}")
    return org


def _told(org: DynamicsOrg) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "made": {
            "org_id": org.org_id,
            "seed": org.seed,
            "name": org.name,
            "base_currency": org.base_currency,
        },
        "limits": {name: _decimal(one) for name, one in asdict(org.limits).items()},
        "settings": {name: _decimal(getattr(org, name)) for name in _SETTINGS},
        "rules": org.duplicate_rules,
        "access": _grant_told(org.access),
        "grants": {name: _grant_told(one) for name, one in org.grants.items()},
        "tables": {name: _table_told(one) for name, one in org.tables.items()},
        "shelves": {
            name: {
                "records": [_row(org, name, one) for one in shelf.records.values()],
                "gone": [[one.id, one.version, one.at] for one in shelf.gone],
            }
            for name, shelf in org.shelves.items()
        },
    }


def _row(org: DynamicsOrg, table: str, record: Record) -> list[Any]:
    known = org.tables[table].columns
    values = {name: value for name, value in record.values.items() if name in known}
    return [record.id, values, record.created, record.modified, record.version]


def _fill(org: DynamicsOrg, name: str, told: Mapping[str, Any]) -> None:
    shelf = org.shelves.setdefault(name, Shelf())
    columns = org.tables[name].columns
    for record_id, values, created, modified, version in told["records"]:
        kept = {one: _value(columns[one], value) for one, value in values.items()}
        shelf.keep(Record(record_id, kept, created, modified, version))
    shelf.gone = [Gone(*one) for one in told["gone"]]
    for key in org.tables[name].keys.values():
        shelf.watch(key.columns)


def _value(column: Column, value: Any) -> Any:
    if column.type in LOOKUPS:
        return Target(*value)
    return Decimal(value) if column.type in {"Money", "Decimal"} else value


def _table_told(table: Table) -> dict[str, Any]:
    told = {one.name: getattr(table, one.name) for one in fields(table)}
    columns = []
    for column in table.columns.values():
        one = asdict(column)
        one["options"] = list(column.options.items())
        one["unpublished"] = sorted(column.unpublished)
        columns.append(one)
    keys = [asdict(key) for key in table.keys.values()]
    return {**told, "columns": columns, "keys": keys}


def _table(told: Mapping[str, Any]) -> Table:
    columns = {}
    for one in told["columns"]:
        options = dict(tuple(pair) for pair in one["options"])
        unpublished = set(one["unpublished"])
        columns[one["name"]] = Column(**{**one, "options": options, "unpublished": unpublished})
    keys = {one["name"]: Key(**{**one, "columns": tuple(one["columns"])}) for one in told["keys"]}
    collections = {name: (pair[0], pair[1]) for name, pair in told["collections"].items()}
    return Table(**{**told, "columns": columns, "keys": keys, "collections": collections})


def _grant_told(grant: Grant) -> dict[str, Any]:
    return {
        "privileges": None if grant.privileges is None else sorted(grant.privileges),
        "expires_at": grant.expires_at and grant.expires_at.isoformat(),
        "revoked": grant.revoked,
        "member": grant.member,
        "secured": grant.secured,
    }


def _grant(told: Mapping[str, Any]) -> Grant:
    held, ends = told["privileges"], told["expires_at"]
    return Grant(
        None if held is None else frozenset(held),
        None if ends is None else datetime.fromisoformat(ends),
        told["revoked"],
        told["member"],
        told["secured"],
    )


def _decimal(value: Any) -> Any:
    """Write a float by its shortest text: the exact writer takes none."""
    return Decimal(str(value)) if isinstance(value, float) else value


def _plain(value: Any) -> Any:
    return float(value) if isinstance(value, Decimal) else value
