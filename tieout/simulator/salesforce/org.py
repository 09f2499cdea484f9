"""A Salesforce org in memory: its kinds, records, people, permissions, sessions and time."""

import random
import threading
from collections import Counter, OrderedDict, deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from tieout.simulator.clock import Now
from tieout.simulator.salesforce.admin import (
    ADMIN,
    INTEGRATION,
    CheckRule,
    Client,
    DuplicateRule,
    Session,
)
from tieout.simulator.salesforce.fields import instant_text
from tieout.simulator.salesforce.ids import id_of, long_id
from tieout.simulator.salesforce.kinds import SYSTEM_FIELDS, Kind
from tieout.simulator.salesforce.standard import STAGES, standard_kinds
from tieout.simulator.salesforce.tables import Table, Values

CURRENCIES = ("EUR", "USD", "GBP", "NOK", "JPY", "KWD")
DIGITS = {"JPY": 0, "KWD": 3}
"""Digits after the point, where a currency has not two."""
RATES = {"EUR": "1", "USD": "1.09", "GBP": "0.86", "NOK": "11.6", "JPY": "162", "KWD": "0.335"}
BIN_DAYS = 15
"""How long a deleted record stays in the recycle bin (R37)."""


class SalesforceOrg:
    """An org, its settings open to change while it is served.

    `multi_currency` adds CurrencyIsoCode and the kinds of rates; `price_digits` are the digits of
    a price; `page_rows` the most rows of a page, of which `short_pages` hold up to a tenth fewer;
    `daily_limit` the calls of 24 hours; `session_secs` how long a token lasts; `counts` the
    requests by operation, `throttled` those refused for the quota.
    """

    def __init__(
        self,
        org_id: str = "00D5g000004TieO",
        *,
        seed: int = 0,
        now: Now = lambda: datetime.now(UTC),
        name: str = "Nordlys",
        time_zone: str = "Europe/Oslo",
        company_currency: str = "EUR",
        multi_currency: bool = True,
        price_digits: int = 5,
        sandbox: bool = False,
        api_versions: Sequence[str] = ("64.0", "65.0", "66.0", "67.0"),
        daily_limit: int = 100_000,
        page_rows: int = 2000,
        session_secs: int = 7200,
    ) -> None:
        self.org_id = _checked(org_id)
        self.seed = seed
        self.now = now
        self.name = name
        self.time_zone = time_zone
        self.company_currency = company_currency
        self.multi_currency = multi_currency
        self.price_digits = price_digits
        self.sandbox = sandbox
        self.api_versions = tuple(api_versions)
        self.daily_limit = daily_limit
        self.page_rows = page_rows
        self.short_pages = 0.25
        self.session_secs = session_secs
        self.lock = threading.RLock()
        self.dice = random.Random(f"org:{seed}")  # noqa: S311 - repeatable, not secret
        self.kinds: dict[str, Kind] = standard_kinds(
            currencies=CURRENCIES if multi_currency else (), price_digits=price_digits
        )
        self.tables = {name: Table(one) for name, one in self.kinds.items()}
        self.lower = {name.lower(): name for name in self.kinds}
        self.custom_kinds = 0
        self.field_ids: dict[tuple[str, str], str] = {}
        self.hidden: set[tuple[str, str]] = set()
        """(kind, field) of standard fields that the integration user may not see."""
        self.hidden_kinds: set[str] = set()
        self.read_only_kinds: set[str] = set()
        """Kinds of whose records the integration user may see or write none."""
        self.customizers: set[str] = set()
        """Users who may customize the application."""
        self.checks: list[CheckRule] = []
        self.duplicates: list[DuplicateRule] = []
        self.row_locks: dict[str, datetime] = {}
        """Records that another transaction holds, and until when."""
        self.approvals: set[str] = set()
        """Records that an approval has locked."""
        self.clients: dict[str, Client] = {}
        self.sessions: dict[str, Session] = {}
        self.issued = 0
        self.cursors: OrderedDict[str, Any] = OrderedDict()
        self.jobs: dict[str, Any] = {}
        self.calls: deque[datetime] = deque()
        self.counts: Counter[str] = Counter()
        self.throttled = 0
        self.bin: dict[str, tuple[str, datetime]] = {}
        self.blobs: dict[str, bytes] = {}
        self._undo: list[tuple[str, str, Values | None]] | None = None
        self._sight: dict[tuple[str, str], tuple[frozenset[str], frozenset[str]]] = {}
        self._found()

    # -- time and names ----------------------------------------------------------------------

    def present(self) -> str:
        """Return the present instant as the wire has it, in whole seconds."""
        return instant_text(self.now())

    def kind(self, name: str) -> Kind | None:
        """Return a kind by its name, in whatever case."""
        known = self.lower.get(name.lower())
        return None if known is None else self.kinds[known]

    def kind_of_id(self, record_id: str) -> Kind | None:
        """Return the kind whose ids begin as this one does."""
        return next((one for one in self.kinds.values() if record_id.startswith(one.prefix)), None)

    def define(self, kind: Kind) -> None:
        """Add a kind of the administrator's."""
        self.kinds[kind.name] = kind
        self.tables[kind.name] = Table(kind)
        self.lower[kind.name.lower()] = kind.name
        self.forget_sight()

    def digits(self, currency: str | None) -> int:
        """Return the digits after the point of a currency, at most what the org's fields hold."""
        return DIGITS.get(currency or self.company_currency, 2)

    # -- records -------------------------------------------------------------------------------

    def find(self, kind: str, record_id: str, *, deleted: bool = False) -> Values | None:
        """Return a record by its id, in 15 or 18 characters; None if it is not there."""
        full = long_id(record_id)
        found = self.tables[kind].records.get(full) if full else None
        if found is None or (found.get("IsDeleted") and not deleted):
            return None
        return found

    def put(self, kind: str, values: Values) -> Values:
        """Store a record as it is; rolled back with the transaction."""
        former = self.tables[kind].keep(values)
        if self._undo is not None:
            self._undo.append((kind, values["Id"], former))
        if kind in _GRANTS:
            self.forget_sight()
        return values

    def plant(self, kind: str, values: Values, at: str | None = None) -> str:
        """Store a new record unchecked, with its audit fields; returns its id."""
        at = at or self.present()
        record_id = values.get("Id") or self.tables[kind].take_id()
        user = self.admin_id
        audit = {
            "Id": record_id,
            "IsDeleted": False,
            "CreatedDate": at,
            "CreatedById": user,
            "LastModifiedDate": at,
            "LastModifiedById": user,
            "SystemModstamp": at,
        }
        defaults = {
            one.name: one.default
            for one in self.kinds[kind].fields.values()
            if one.default is not None
        }
        self.put(kind, {**defaults, **audit, **values, "Id": record_id})
        return str(record_id)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Undo every write of the block if it raises."""
        outer, self._undo = self._undo, []
        try:
            yield
        except Exception:
            for kind, record_id, former in reversed(self._undo):
                if former is None:
                    self.tables[kind].drop(record_id)
                else:
                    self.tables[kind].keep(former)
            self._undo = outer
            self.forget_sight()
            raise
        done, self._undo = self._undo, outer
        if outer is not None:
            outer.extend(done)

    def purge(self) -> None:
        """Empty the recycle bin of what has been in it for 15 days (R37)."""
        oldest = self.now() - timedelta(days=BIN_DAYS)
        while self.bin:
            record_id, (kind, at) = next(iter(self.bin.items()))
            if at > oldest:
                break
            del self.bin[record_id]
            held = self.tables[kind].records.get(record_id)
            if held is not None and held["IsDeleted"]:
                self.tables[kind].drop(record_id)

    # -- people ----------------------------------------------------------------------------------

    def user(self, username: str) -> Values | None:
        """Return a user by the name that it logs in with."""
        folded = username.casefold()
        return next(
            (
                one
                for one in self.tables["User"].records.values()
                if one["Username"].casefold() == folded
            ),
            None,
        )

    def open_session(self, username: str = INTEGRATION) -> str:
        """Return a new access token of a user."""
        user = self.user(username)
        if user is None:
            raise KeyError(username)
        self.issued += 1
        dice = random.Random(f"token:{self.seed}:{self.issued}")  # noqa: S311 - repeatable
        tail = dice.getrandbits(128)
        token = f"{self.org_id[:15]}!AQ{tail:032x}"
        self.sessions[token] = Session(
            user["Id"], self.now() + timedelta(seconds=self.session_secs)
        )
        return token

    def sight(self, user_id: str, kind: Kind) -> tuple[frozenset[str], frozenset[str]]:
        """Return which fields of a kind a user may see, and which of them also edit."""
        known = self._sight.get((user_id, kind.name))
        if known is None:
            known = self._sight[user_id, kind.name] = self._looked(user_id, kind)
        return known

    def forget_sight(self) -> None:
        """Work out anew what each user may see."""
        self._sight.clear()

    def may(self, user_id: str, kind: Kind, *, write: bool = False) -> bool:
        """Tell whether a user may see, or write, the records of a kind at all."""
        if user_id == self.admin_id:
            return True
        if kind.name in self.hidden_kinds:
            return False
        return not write or kind.name not in self.read_only_kinds

    def permission_sets(self, user_id: str) -> set[str]:
        """Return the ids of a user's permission sets, its profile's own among them."""
        user = self.tables["User"].records[user_id]
        held = {
            one["PermissionSetId"]
            for one in self.tables["PermissionSetAssignment"].alive()
            if one["AssigneeId"] == user_id
        }
        owned = {
            one["Id"]
            for one in self.tables["PermissionSet"].alive()
            if one.get("ProfileId") == user["ProfileId"]
        }
        return held | owned

    def _looked(self, user_id: str, kind: Kind) -> tuple[frozenset[str], frozenset[str]]:
        if user_id == self.admin_id:
            everything = frozenset(kind.fields)
            return everything, everything
        sets = self.permission_sets(user_id)
        rows = [
            one
            for one in self.tables["FieldPermissions"].alive()
            if one["SobjectType"] == kind.name and one["ParentId"] in sets
        ]
        read, edit = set(), set()
        for name, one in kind.fields.items():
            if not one.custom or not one.nillable:
                if (kind.name, name) not in self.hidden or name in SYSTEM_FIELDS:
                    read.add(name)
                    edit.add(name)
                continue
            granted = [row for row in rows if row["Field"] == f"{kind.name}.{name}"]
            if any(row["PermissionsRead"] or row["PermissionsEdit"] for row in granted):
                read.add(name)
            if any(row["PermissionsEdit"] for row in granted):
                edit.add(name)
        return frozenset(read), frozenset(edit)

    # -- the beginning -----------------------------------------------------------------------

    def _found(self) -> None:
        """Make what every org has: itself, profiles, two users, stages, currencies, an app."""
        self.admin_id = id_of("005", 1)
        admins = self.plant("Profile", {"Name": "System Administrator"})
        robots = self.plant("Profile", {"Name": "Minimum Access - API Only Integrations"})
        self.sellers_profile = self.plant("Profile", {"Name": "Standard User"})
        for place, profile in enumerate((admins, robots, self.sellers_profile)):
            self.plant(
                "PermissionSet",
                {
                    "Name": f"X00ex{place:012d}",
                    "Label": f"X00ex{place:012d}",
                    "IsOwnedByProfile": True,
                    "ProfileId": profile,
                },
            )
        self.hire("Ada", "Admin", ADMIN, admins)
        self.integration_id = self.hire("Tieout", "Integration", INTEGRATION, robots)
        self.customizers = {self.admin_id, self.integration_id}
        self.plant(
            "Organization",
            {
                "Id": self.org_id,
                "Name": self.name,
                "OrganizationType": "Enterprise Edition",
                "InstanceName": "EUR21",
                "IsSandbox": self.sandbox,
                "TimeZoneSidKey": self.time_zone,
                "DefaultLocaleSidKey": "en_GB",
                "LanguageLocaleKey": "en_US",
                "FiscalYearStartMonth": 1,
            },
        )
        for place, (stage, closed, won, likely) in enumerate(STAGES):
            self.plant(
                "OpportunityStage",
                {
                    "MasterLabel": stage,
                    "ApiName": stage,
                    "IsClosed": closed,
                    "IsWon": won,
                    "SortOrder": place + 1,
                    "DefaultProbability": Decimal(likely),
                    "ForecastCategoryName": _forecast(closed=closed, won=won),
                },
            )
        self.standard_book = self.plant(
            "Pricebook2", {"Name": "Standard Price Book", "IsActive": True, "IsStandard": True}
        )
        if self.multi_currency:
            for code in CURRENCIES:
                self.plant(
                    "CurrencyType",
                    {
                        "IsoCode": code,
                        "ConversionRate": Decimal(RATES[code]),
                        "DecimalPlaces": DIGITS.get(code, 2),
                        "IsCorporate": code == self.company_currency,
                    },
                )
        self.clients["simulated-consumer-key"] = Client(
            "simulated-consumer-key", "simulated-consumer-secret"
        )

    def hire(self, first: str, last: str, username: str, profile: str) -> str:
        """Make a user; returns the id."""
        values: Values = {
            "Username": username,
            "FirstName": first,
            "LastName": last,
            "Name": f"{first} {last}",
            "Email": username,
            "ProfileId": profile,
            "UserType": "Standard",
            "TimeZoneSidKey": self.time_zone,
            "LocaleSidKey": "en_GB",
            "LanguageLocaleKey": "en_US",
        }
        if self.multi_currency:
            values["CurrencyIsoCode"] = self.company_currency
        made = self.plant("User", values)
        self.tables["User"].records[made].pop("IsDeleted")
        return made


_GRANTS = frozenset({"FieldPermissions", "PermissionSet", "PermissionSetAssignment"})


def _forecast(*, closed: bool, won: bool) -> str:
    return "Closed" if won else "Omitted" if closed else "Pipeline"


def _checked(org_id: str) -> str:
    full = long_id(org_id)
    if full is None or not full.startswith("00D"):
        raise ValueError(f"{org_id} is no id of an org")
    return full
