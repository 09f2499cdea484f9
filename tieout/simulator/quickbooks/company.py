"""One company in QuickBooks Online: its settings, its records and its clock.

The rules live beside it: `people` and `lists` for name lists, `sales` and `payments` for
transactions. Here is what they share: ids, references, dates, open balances.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from random import Random
from threading import RLock

from tieout.simulator.clock import Now
from tieout.simulator.quickbooks import fields, refusals
from tieout.simulator.quickbooks.records import (
    KINDS,
    TXN_KINDS,
    Gone,
    Record,
    Table,
    references_in,
)
from tieout.simulator.quickbooks.refusals import Json
from tieout.simulator.quickbooks.replay import Replay
from tieout.simulator.quickbooks.values import ZERO

CURRENCY_NAMES = {
    "USD": "United States Dollar",
    "EUR": "Euro",
    "GBP": "British Pound Sterling",
    "CAD": "Canadian Dollar",
    "AUD": "Australian Dollar",
    "JPY": "Japanese Yen",
    "CHF": "Swiss Franc",
    "NOK": "Norwegian Krone",
    "SEK": "Swedish Krona",
    "DKK": "Danish Krone",
    "CNY": "Chinese Yuan",
    "INR": "Indian Rupee",
}
TAX_ID_COUNTRIES = frozenset({"IN", "CA", "GB", "AU"})
"""Where a customer has a PrimaryTaxIdentifier (R48)."""

DEFAULT_STATE_RATES = {
    "CA": Decimal("7.25"),
    "NY": Decimal("8.875"),
    "TX": Decimal("8.25"),
    "WA": Decimal("6.5"),
    "FL": Decimal(6),
    "OR": ZERO,
}
"""Percent by the state shipped to; made up, as any rate here is data."""

FIRST_DOC_NUMBER = 1001
_NAMES = ("Customer", "Vendor", "Employee")


@dataclass(kw_only=True)
class QuickBooksCompany:
    """The state of one realm. Deterministic: same seed, clock and requests, same answers."""

    realm_id: str
    now: Now
    name: str = "Sandbox Company"
    country: str = "US"
    home_currency: str = "USD"
    multicurrency: bool = False
    custom_txn_numbers: bool = False
    """On: the caller numbers documents. Off: the books do (R6)."""
    book_close_date: date | None = None
    automated_tax: bool = True
    """US only: the books compute sales tax from the ship-to state (R13)."""
    state_rates: dict[str, Decimal] = field(default_factory=lambda: dict(DEFAULT_STATE_RATES))
    home_state: str = "CA"
    """Ships from here, and to here when an invoice names no place."""
    tax_rounding: str = "by_rate"
    """by_rate: once over all lines of a rate. by_line: each line, then summed."""
    auto_apply_credit: bool = False
    auto_apply_payments: bool = False
    custom_fields: tuple[str, ...] = ("PO Number",)
    """Names of the sales forms' custom fields, DefinitionId 1 first; at most three (R7)."""
    po_field: str = "PO Number"
    """The custom field by which the truth joins invoices with the deals they came from."""
    class_tracking: bool = True
    revenue_recognition: bool = False
    """Every line needs a ServiceDate (R9)."""
    utc_offset_hours: int = -8
    """The books write instants, and default dates, in this zone."""
    stamp_millis: bool = False
    """Write instants to the millisecond; the vendor's are to the second."""
    closed_period_code: str = "6210"
    """6210 or 6200: sources disagree (R30)."""
    replay_memory: int = 10_000
    """How many request ids are remembered; 0 remembers none (R22)."""
    replay_answers: str = "replay"
    """replay, 6000 or 600: what a remembered request id is answered with (R22)."""
    cdc_truncation: str = "oldest"
    """Which 1,000 objects a full feed keeps: oldest, newest, or by_kind in the asked order."""
    access: str = "open"
    """open; lapsed: nothing can be written (6190); none: nothing can be done (120) (R30)."""
    shuffle_batches: bool = False
    """Answer a batch's items in another order."""
    seed: int = 0
    print_padding: int = 0
    """How many bytes a PDF has beside what it says."""

    prints: int = field(init=False, default=0)
    """How many PDFs were made."""
    tables: dict[str, Table] = field(init=False)
    replay: Replay = field(init=False)
    dice: Random = field(init=False)
    applied: dict[tuple[str, str], dict[str, Decimal]] = field(init=False, default_factory=dict)
    """What payments took from an invoice or a credit memo: (kind, id) to payment id to amount."""
    owed: dict[str, Decimal] = field(init=False, default_factory=dict)
    """Each customer's open balance, in the customer's currency."""
    contents: dict[str, str] = field(init=False, default_factory=dict)
    """The SHA-256 of each attached file's bytes, by the Attachable's id."""
    rates: dict[str, dict[str, Decimal]] = field(init=False, default_factory=dict)
    """Home units for one foreign, by currency and by day from which the rate holds."""
    next_ids: dict[str, int] = field(init=False, default_factory=dict)
    next_number: int = field(init=False, default=FIRST_DOC_NUMBER)
    preferences_token: int = field(init=False, default=0)
    born: datetime = field(init=False)
    preferences_updated: datetime = field(init=False)
    lock: RLock = field(init=False, default_factory=RLock, repr=False, compare=False)
    """Held by whoever writes: the server's thread, or a test that plays a person."""

    def __post_init__(self) -> None:
        if len(self.custom_fields) > 3:
            raise ValueError("sales forms have at most three custom fields")
        self.tables = {kind: Table(fields.indexed(kind)) for kind in KINDS}
        self.replay = Replay(self.replay_memory)
        self.dice = Random(self.seed)  # noqa: S311 - repeatable, not secret
        self._zone = timezone(timedelta(hours=self.utc_offset_hours))
        self._latest = datetime.min.replace(tzinfo=UTC)
        self._unseen: set[tuple[str, str]] | None = None
        self._held: frozenset[tuple[str, str]] = frozenset()
        self._currencies: dict[str, Json] = {}
        self.born = self.present()
        self.preferences_updated = self.born

    # Time

    def present(self) -> datetime:
        """Return the company's own time: in its zone, to the second, never going back."""
        found = self.now().astimezone(self._zone)
        if not self.stamp_millis:
            found = found.replace(microsecond=0)
        self._latest = max(self._latest, found)
        return self._latest

    def today(self) -> str:
        """Return the day that a transaction without TxnDate gets (R9)."""
        return self.present().date().isoformat()

    def stamp(self, instant: datetime) -> str:
        """Write an instant as the vendor does: local, with its offset."""
        at = instant.astimezone(self._zone)
        return at.isoformat(timespec="milliseconds" if self.stamp_millis else "seconds")

    # Records

    def find(self, kind: str, one: str) -> Record:
        """Return a record by its id.

        Raises:
            Refused: 610, deleted or never there.
        """
        record = self.tables[kind].rows.get(one)
        if record is None:
            deleted = one in self.tables[kind].gone
            raise refusals.not_found(refusals.DELETED if deleted else refusals.INACTIVE)
        return record

    def add(self, kind: str, body: Json, *, one: str | None = None) -> Record:
        """Put a new record in; its id is the next of its kind's family, or `one`."""
        at = self.present()
        record = Record(one or self._next_id(kind), body, at, at)
        record.ref = {"value": record.id, "name": self._name_of(kind, body)}
        self.tables[kind].add(record)
        self._owe(kind, {}, body)
        if self._unseen is not None:
            self._unseen.add((kind, record.id))
        return record

    def change(self, kind: str, record: Record, body: Json) -> None:
        """Give a record its new body, token and time."""
        before = record.body
        self.tables[kind].change(record, body, self.present())
        record.ref["name"] = self._name_of(kind, body)
        self._owe(kind, before, body)

    def delete(self, kind: str, record: Record) -> None:
        """Take a transaction out."""
        self.tables[kind].delete(record, self.present())
        self._owe(kind, record.body, {})

    def restore(self, kind: str, rows: Iterable[Record], gone: Iterable[Gone]) -> None:
        """Take the records of an earlier life back in."""
        table = self.tables[kind]
        for record in rows:
            record.ref = {"value": record.id, "name": self._name_of(kind, record.body)}
            table.add(record)
            self._owe(kind, {}, record.body)
        for one in gone:
            table.bury(one)

    def shown(self, kind: str, record: Record) -> Json:
        """Return a record as the API shows it."""
        body = {
            **record.body,
            "domain": "QBO",
            "sparse": False,
            "Id": record.id,
            "SyncToken": str(record.token),
            "MetaData": {
                "CreateTime": self.stamp(record.created),
                "LastUpdatedTime": self.stamp(record.updated),
            },
        }
        if kind == "Customer":
            owed = self.owed.get(record.id, ZERO)
            body["Balance"] = owed
            body["BalanceWithJobs"] = owed
        return body

    def shown_gone(self, one: Gone) -> Json:
        """Return what is left to say of a deleted record (R50)."""
        return {
            "domain": "QBO",
            "status": "Deleted",
            "Id": one.record.id,
            "MetaData": {"LastUpdatedTime": self.stamp(one.at)},
        }

    # References

    def refer(self, kind: str, one: str | None) -> Json | None:
        """Return the reference to an active record; None stays None.

        Raises:
            Refused: 2500, no such record; 610, inactive.
        """
        if one is None:
            return None
        record = self.tables[kind].rows.get(one)
        if record is None or (self._unseen is not None and (kind, one) in self._unseen):
            raise refusals.bad_reference(kind, one)
        if record.body.get("Active") is False and (kind, one) not in self._held:
            raise refusals.not_found()
        return record.ref

    def currency(self, code: str) -> Json:
        """Return the reference to a currency."""
        if code not in self._currencies:
            self._currencies[code] = {"value": code, "name": CURRENCY_NAMES.get(code, code)}
        return self._currencies[code]

    def knows_currency(self, code: str) -> bool:
        """Tell whether the company trades in this currency."""
        return code == self.home_currency or any(
            record.body["Code"] == code and record.body["Active"]
            for record in self.tables["CompanyCurrency"].rows.values()
        )

    def rate(self, code: str, on: str) -> Decimal:
        """Return home units for one of `code` on a day: the last rate known by then, or 1."""
        known = self.rates.get(code, {})
        days = [day for day in known if day <= on] or list(known)
        return known[max(days)] if days else Decimal(1)

    def set_rate(self, code: str, rate: Decimal, from_day: str = "1970-01-01") -> None:
        """Let a rate hold from a day on."""
        self.rates.setdefault(code, {})[from_day] = rate

    def is_us(self) -> bool:
        """Tell whether the company pays sales tax the American way."""
        return self.country == "US"

    # Rules that all transactions share

    def check_open(self, *days: str) -> None:
        """Refuse a day in the closed books (R30: 6210 or 6200).

        Raises:
            Refused: the period is closed.
        """
        if self.book_close_date is None:
            return
        closed_until = self.book_close_date.isoformat()
        if any(one <= closed_until for one in days):
            raise refusals.period_closed(self.closed_period_code)

    @contextmanager
    def blind_to_new(self) -> Iterator[None]:
        """Within a batch no item can refer to what an earlier item made."""
        self._unseen = set()
        try:
            yield
        finally:
            self._unseen = None

    @contextmanager
    def keeping_references(self, kind: str, body: Json) -> Iterator[None]:
        """While a record is edited, what it refers to already may have become inactive."""
        self._held = frozenset(
            (other, holder[name]["value"]) for holder, name, other in references_in(kind, body)
        )
        try:
            yield
        finally:
            self._held = frozenset()

    def taken_from(self, kind: str, one: str) -> Decimal:
        """Return how much payments took from an invoice or a credit memo."""
        return sum(self.applied.get((kind, one), {}).values(), ZERO)

    def touch_preferences(self) -> None:
        """Note that a setting was changed."""
        self.preferences_token += 1
        self.preferences_updated = self.present()

    def _owe(self, kind: str, before: Json, after: Json) -> None:
        for body, sign in ((before, -1), (after, 1)):
            if kind in TXN_KINDS and body:
                owed = body.get("Balance", ZERO) if kind == "Invoice" else ZERO
                owed -= body.get("RemainingCredit", ZERO) + body.get("UnappliedAmt", ZERO)
                customer = body["CustomerRef"]["value"]
                self.owed[customer] = self.owed.get(customer, ZERO) + sign * owed

    def _next_id(self, kind: str) -> str:
        family = "Txn" if kind in TXN_KINDS else "Name" if kind in _NAMES else kind
        found = self.next_ids.get(family, 1)
        self.next_ids[family] = found + 1
        return str(found)

    @staticmethod
    def _name_of(kind: str, body: Json) -> str:
        if kind in _NAMES:
            return str(body["DisplayName"])
        return str(body.get("FullyQualifiedName") or body.get("Name") or "")
