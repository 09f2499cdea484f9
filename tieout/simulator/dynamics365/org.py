"""A Dynamics 365 organization in memory: its tables, its money, its users and its time."""

import random
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from tieout.simulator.clock import Now
from tieout.simulator.dynamics365 import money
from tieout.simulator.dynamics365.records import Record, Shelf
from tieout.simulator.dynamics365.refusals import (
    Refusal,
    key_violated,
    no_record,
)
from tieout.simulator.dynamics365.schema import Column, Key, Table, Target
from tieout.simulator.dynamics365.tables import standard_tables
from tieout.simulator.dynamics365.throttle import Limits, Throttle

FIRST_VERSION = 1_048_576
EXPIRE_DAYS = 7
MAX_UPLOAD_CHARS = 5_242_880
"""How old a delta token may be: the default of ExpireChangeTrackingInDays."""


@dataclass(frozen=True, slots=True)
class Grant:
    """An access token: what its user may do, and until when."""

    privileges: frozenset[str] | None = None
    """Names like prvReadOpportunity; None: all."""
    expires_at: datetime | None = None
    revoked: bool = False
    member: bool = True
    """Whether the app is a user of the organization (an application user was made)."""
    secured: bool = True
    """Whether a column security profile lets it see and write secured columns."""


class DynamicsOrg:
    """An organization, its settings open to change while it is served.

    `closed_refuses` says whether a won or lost opportunity refuses to be written, which the
    vendor's pages leave in doubt; `duplicate_rules` are (table, columns) that duplicate detection
    compares; `plug_in_says` refuses writes of a table with a plug-in's words; `key_index_secs` is
    how long the index of a new alternate key is Pending, `latency_secs` how long each answer
    takes. `counts` holds the requests by operation, `batched` those in batches, `throttled` the
    429s given.
    """

    def __init__(
        self,
        org_id: str = "5b1f3c52-0e5c-4f4e-9a53-2c2f1e9a7d10",
        *,
        seed: int = 0,
        now: Now = lambda: datetime.now(UTC),
        name: str = "Nordlys",
        base_currency: str = "EUR",
        limits: Limits | None = None,
        furnish: bool = True,
    ) -> None:
        self.org_id = org_id
        self.seed = seed
        self.now = now
        self.name = name
        self.base_currency = base_currency
        self.dice = random.Random(f"dynamics365:{seed}")  # noqa: S311 - repeatable, not secret
        self.tenant_id = self.new_id()
        self.client_id = self.new_id()
        self.client_secret = f"simulated-secret-{seed}"
        self.certificates: list[str] = []
        self.user_id = self.new_id()
        self.business_unit_id = self.new_id()
        self.grants: dict[str, Grant] = {f"simulated-access-token-{seed}": Grant()}
        self.access = Grant()
        """What a token of the token endpoint is allowed."""
        self.token_secs = 3599
        self.expire_days = EXPIRE_DAYS
        self.pricing_decimals = 4
        self.closed_refuses = False
        self.max_upload_chars = MAX_UPLOAD_CHARS
        """What a file may have, as base64 (`MaxUploadFileSize`)."""
        self.key_index_secs = 0.0
        self.latency_secs = 0.0
        self.duplicate_rules: list[tuple[str, tuple[str, ...]]] = []
        self.plug_in_says: dict[str, str] = {}
        self.tables: dict[str, Table] = dict(standard_tables())
        self.shelves = {name: Shelf() for name in self.tables}
        for one, column in _FOLLOWED:
            self.shelves[one].follow(column)
        self.version = FIRST_VERSION
        self.delta_floor = 0
        """Delta tokens of an earlier version are expired, whatever their age."""
        self.counts: Counter[str] = Counter()
        self.batched: Counter[str] = Counter()
        self.throttled = 0
        self.lock = threading.RLock()
        """Held by each request and each deed, which may come from another thread."""
        self.set_limits(limits or Limits())
        for table in self.tables.values():
            table.id = self.new_id()
            for held in table.columns.values():
                held.id = self.new_id()
        if furnish:
            self._furnish()

    @property
    def token(self) -> str:
        """A token that opens everything, as long as it is neither revoked nor expired."""
        return next(iter(self.grants))

    def trust(self, certificate_pem: str) -> None:
        """Let the app sign in with the key of this certificate."""
        self.certificates.append(certificate_pem)

    def set_limits(self, limits: Limits) -> None:
        """Put other service protection limits in force, with empty windows."""
        self.limits = limits
        self.throttle = Throttle(limits, self.now)

    def new_id(self) -> str:
        """Return a fresh id, as a GUID in lower case."""
        return str(UUID(int=self.dice.getrandbits(128), version=4))

    def present(self) -> str:
        """Return the present instant to the second, as the wire writes it."""
        return self.now().strftime("%Y-%m-%dT%H:%M:%SZ")

    def next_version(self) -> int:
        """Return the next row version of the organization, which only grows."""
        self.version += 1
        return self.version

    def by_set(self, entity_set: str) -> Table | None:
        """Return the table of an entity set."""
        return next((one for one in self.tables.values() if one.entity_set == entity_set), None)

    def find(self, table: str, record_id: str) -> Record | None:
        """Return a record by its id."""
        return self.shelves[table].records.get(record_id)

    def record(self, table: str, record_id: str) -> Record:
        """Return a record by its id.

        Raises:
            Refusal: 404, it does not exist.
        """
        found = self.find(table, record_id)
        if found is None:
            raise no_record(table, record_id)
        return found

    def create(
        self,
        table: str,
        values: Mapping[str, Any],
        *,
        record_id: str = "",
        at: str = "",
        sums: bool = True,
    ) -> Record:
        """Make a record of checked values, compute what the server computes, and keep it.

        Without `sums` a line's parent does not add up yet: whoever plants many lets it do so once.

        Raises:
            Refusal: 412, an alternate key's values are held by another record.
        """
        moment = at or self.present()
        made = Record(record_id or self.new_id(), {}, moment, moment, self.next_version())
        complete = self._complete(table, made.id, dict(values))
        self._refuse_conflict(table, made.id, complete)
        made.values = complete
        self.shelves[table].keep(made)
        if sums:
            money.roll_up(self, table, made)
        return made

    def update(
        self, table: str, record: Record, changes: Mapping[str, Any], *, at: str = ""
    ) -> None:
        """Give a record other values; a value of None takes the column's value away.

        Raises:
            Refusal: 412, an alternate key's values are held by another record.
        """
        merged = {**record.values, **changes}
        complete = self._complete(table, record.id, merged)
        self._refuse_conflict(table, record.id, complete)
        former = record.values.get(money.PARENTS.get(table, ("", ""))[1])
        self.shelves[table].change(record, complete)
        self.touch(record, at)
        money.roll_up(self, table, record)
        if isinstance(former, Target) and former != record.values.get(money.PARENTS[table][1]):
            money.sum_up(self, former.table, former.id)

    def touch(self, record: Record, at: str = "") -> None:
        """Move a record's version and time of change."""
        record.version = self.next_version()
        record.modified = at or self.present()

    def delete(self, table: str, record: Record) -> None:
        """Delete a record; its lines and notes go with it, other lookups to it become empty."""
        target = Target(table, record.id)
        self.shelves[table].remove(record, self.next_version(), self.present())
        for other in self.tables.values():
            for column in other.columns.values():
                if table in column.targets:
                    self._let_go(other, column, target)
        money.roll_up(self, table, record)

    def define(self, table: str, column: Column) -> None:
        """Add a custom column."""
        column.custom = True
        column.id = column.id or self.new_id()
        column.schema_name = column.schema_name or column.name
        self.tables[table].columns[column.name] = column

    def undefine(self, table: str, name: str) -> None:
        """Remove a custom column, its values and the keys that it is part of."""
        held = self.tables[table]
        del held.columns[name]
        for key in [one for one in held.keys.values() if name in one.columns]:
            self.drop_key(table, key.name)
        for record in self.shelves[table].records.values():
            record.values.pop(name, None)

    def add_key(self, table: str, key: Key) -> None:
        """Make an alternate key; it has failed if rows have the same values."""
        key.failed = not self.shelves[table].watch(key.columns)
        key.id = key.id or self.new_id()
        self.tables[table].keys[key.name] = key

    def drop_key(self, table: str, name: str) -> None:
        """Remove an alternate key."""
        self.shelves[table].unwatch(self.tables[table].keys.pop(name).columns)

    def currency(self, code: str) -> Record:
        """Return the currency of an ISO code.

        Raises:
            KeyError: the organization does not have it.
        """
        for record in self.shelves["transactioncurrency"].records.values():
            if record.values["isocurrencycode"] == code:
                return record
        raise KeyError(code)

    def label(self, target: Target) -> str:
        """Return the name of a record that a lookup points at."""
        found = self.find(target.table, target.id)
        name = None if found is None else found.values.get(self.tables[target.table].name_column)
        return str(name or "")

    def _complete(self, table: str, record_id: str, values: dict[str, Any]) -> dict[str, Any]:
        values = {name: value for name, value in values.items() if value is not None}
        values[self.tables[table].id_column] = record_id
        values["createdby"] = values.get("createdby", Target("systemuser", self.user_id))
        values["modifiedby"] = Target("systemuser", self.user_id)
        return money.completed(self, table, record_id, values)

    def _refuse_conflict(self, table: str, record_id: str, values: Mapping[str, Any]) -> None:
        columns = self.shelves[table].conflict(record_id, values)
        if columns is None:
            return
        keys = self.tables[table].keys.values()
        name = next((one.name for one in keys if tuple(one.columns) == tuple(columns)), "")
        raise key_violated(name, ", ".join(columns))

    def _let_go(self, table: Table, column: Column, target: Target) -> None:
        shelf = self.shelves[table.name]
        for record in list(shelf.pointing(column.name, target)):
            if (table.name, column.name) in _CASCADE:
                self.delete(table.name, record)
            elif column.writable:
                left = {name: one for name, one in record.values.items() if name != column.name}
                shelf.change(record, left)
                self.touch(record)

    def _furnish(self) -> None:
        """Make what every organization has: itself, its base currency, the app's user."""
        self.create(
            "systemuser",
            {"fullname": "# Tieout", "isdisabled": False, "lastname": "Tieout"},
            record_id=self.user_id,
        )
        base = money.add_currency(self, self.base_currency, rate="1")
        self.create(
            "organization",
            {
                "name": self.name,
                "basecurrencyid": Target("transactioncurrency", base.id),
                "pricingdecimalprecision": self.pricing_decimals,
                "currencydecimalprecision": 2,
                "expirechangetrackingindays": self.expire_days,
                "localeid": 1033,
            },
            record_id=self.org_id,
        )
        publisher = self.create(
            "publisher",
            {
                "uniquename": "DefaultPublisher",
                "friendlyname": "Default Publisher",
                "customizationprefix": "new",
                "customizationoptionvalueprefix": 10000,
            },
        )
        self.create(
            "solution",
            {
                "uniquename": "Default",
                "friendlyname": "Default Solution",
                "version": "1.0",
                "ismanaged": False,
                "publisherid": Target("publisher", publisher.id),
            },
        )


_FOLLOWED = (
    ("opportunityproduct", "opportunityid"),
    ("invoicedetail", "invoiceid"),
    ("annotation", "objectid"),
    ("opportunity", "customerid"),
    ("opportunity", "parentaccountid"),
    ("opportunity", "parentcontactid"),
    ("contact", "parentcustomerid"),
)
"""Lookups that are indexed: what sums, deletes and merges go along."""
_CASCADE = frozenset(
    {
        ("opportunityproduct", "opportunityid"),
        ("invoicedetail", "invoiceid"),
        ("annotation", "objectid"),
    }
)
"""Lookups whose record goes with what it points at."""


def refuse_plug_in(org: DynamicsOrg, table: str, *, bypassed: bool = False) -> None:
    """Refuse a write as a plug-in of the organization does (IsvAborted), unless it is bypassed.

    Raises:
        Refusal: 400, with the plug-in's words.
    """
    words = org.plug_in_says.get(table)
    if words is not None and not bypassed:
        raise Refusal(400, "0x80040265", words)
