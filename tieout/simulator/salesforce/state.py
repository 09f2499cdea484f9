"""An org in a file, so that a demo can be continued where it ended."""

import base64
import os
from dataclasses import asdict
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from tieout.simulator import jsonwire
from tieout.simulator.clock import Now
from tieout.simulator.salesforce.admin import CheckRule, Client, DuplicateRule, Session
from tieout.simulator.salesforce.fields import NUMBERS, Field
from tieout.simulator.salesforce.kinds import Kind
from tieout.simulator.salesforce.org import SalesforceOrg
from tieout.simulator.salesforce.tables import Table, Values

FORMAT = 1
_SETTINGS = (
    "org_id",
    "seed",
    "name",
    "time_zone",
    "company_currency",
    "multi_currency",
    "price_digits",
    "sandbox",
    "api_versions",
    "daily_limit",
    "page_rows",
    "session_secs",
)
_SETS = ("customizers", "approvals", "hidden_kinds", "read_only_kinds")
_IDS = ("admin_id", "integration_id", "sellers_profile", "standard_book", "custom_kinds", "issued")


def save(org: SalesforceOrg, path: Path) -> None:
    """Write the whole org; the file is replaced at once, never half written."""
    with org.lock:
        text = jsonwire.dumps(_told(org))
    partial = path.with_suffix(".partial")
    partial.write_bytes(text)
    os.replace(partial, path)  # noqa: PTH105 - says by its name that it is atomic


def load(path: Path, now: Now = lambda: datetime.now(UTC)) -> SalesforceOrg:
    """Read an org that `save` wrote; cursors and bulk jobs are not kept.

    Raises:
        ValueError: the file is no org of this format.
        OSError: the file cannot be read.
    """
    told = jsonwire.loads(path.read_bytes())
    if told.get("format") != FORMAT:
        raise ValueError(f"{path} is no org of format {FORMAT}")
    org = SalesforceOrg(**told["settings"], now=now)
    org.kinds = {one["name"]: _kind(one) for one in told["kinds"]}
    org.tables = {name: Table(kind) for name, kind in org.kinds.items()}
    org.lower = {name.lower(): name for name in org.kinds}
    for name, held in told["tables"].items():
        table = org.tables[name]
        table.next_number = held["next"]
        for values in held["records"]:
            table.keep(_typed(table.kind, values))
    for name, value in told["ids"].items():
        setattr(org, name, value)
    org.short_pages = float(told["short_pages"])
    org.clients = {
        one["key"]: Client(**{**one, "approved": set(one["approved"])}) for one in told["clients"]
    }
    org.sessions = {
        token: Session(user, datetime.fromisoformat(until))
        for token, (user, until) in told["sessions"].items()
    }
    org.checks = [CheckRule(**one) for one in told["checks"]]
    org.duplicates = [DuplicateRule(**one) for one in told["duplicates"]]
    org.hidden = {(kind, field) for kind, field in told["hidden"]}
    for name in _SETS:
        setattr(org, name, set(told[name]))
    org.field_ids = {(kind, field): one for kind, field, one in told["field_ids"]}
    org.bin = {
        record_id: (kind, datetime.fromisoformat(at))
        for record_id, (kind, at) in told["bin"].items()
    }
    org.blobs = {name: base64.b64decode(content) for name, content in told["blobs"].items()}
    org.calls.extend(datetime.fromisoformat(at) for at in told["calls"])
    org.forget_sight()
    return org


def _told(org: SalesforceOrg) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "settings": {name: getattr(org, name) for name in _SETTINGS},
        "ids": {name: getattr(org, name) for name in _IDS},
        "short_pages": str(org.short_pages),
        "kinds": [_kind_told(one) for one in org.kinds.values() if not one.tooling],
        "tables": {
            name: {"next": table.next_number, "records": list(table.records.values())}
            for name, table in org.tables.items()
            if not table.kind.tooling
        },
        "clients": [
            {**asdict(one), "approved": sorted(one.approved)} for one in org.clients.values()
        ],
        "sessions": {
            token: (session.user, session.until.isoformat())
            for token, session in org.sessions.items()
        },
        "checks": [asdict(one) for one in org.checks],
        "duplicates": [asdict(one) for one in org.duplicates],
        "hidden": sorted(org.hidden),
        **{name: sorted(getattr(org, name)) for name in _SETS},
        "field_ids": [(*key, one) for key, one in org.field_ids.items()],
        "bin": {name: (kind, at.isoformat()) for name, (kind, at) in org.bin.items()},
        "blobs": {name: base64.b64encode(content).decode() for name, content in org.blobs.items()},
        "calls": [at.isoformat() for at in org.calls],
    }


def _kind_told(kind: Kind) -> dict[str, Any]:
    plain = {
        name: getattr(kind, name)
        for name in ("name", "prefix", "label", "plural", "deletable", "mergeable", "setup")
    }
    fields = [asdict(one) for one in kind.fields.values()]
    return {**plain, "record_types": kind.record_types, "fields": fields}


def _kind(told: dict[str, Any]) -> Kind:
    fields = {}
    for one in told["fields"]:
        options = tuple((value, label) for value, label in one["options"])
        refers_to = tuple(one["refers_to"])
        fields[one["name"]] = Field(**{**one, "options": options, "refers_to": refers_to})
    return Kind(**{**told, "fields": fields})


def _typed(kind: Kind, values: Values) -> Values:
    """Return values as they were before JSON, which knows a whole number from no other."""
    numbers = {name for name, one in kind.fields.items() if one.type in NUMBERS}
    return {
        name: Decimal(value) if name in numbers and value is not None else value
        for name, value in values.items()
    }
