"""A HubSpot portal in memory: its records, its rules, its tokens and its time."""

import random
import threading
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from tieout.simulator.clock import Now
from tieout.simulator.hubspot import pricing
from tieout.simulator.hubspot.drawer import Files
from tieout.simulator.hubspot.errors import (
    Invalid,
    Refusal,
    bad_request,
    not_found,
    not_valid,
)
from tieout.simulator.hubspot.index import SearchIndex
from tieout.simulator.hubspot.keys import Limits, Token
from tieout.simulator.hubspot.kinds import KINDS
from tieout.simulator.hubspot.links import Links, Pair
from tieout.simulator.hubspot.pipelines import RENEWALS, SALES, Pipeline
from tieout.simulator.hubspot.records import Record, Shelf
from tieout.simulator.hubspot.schema import Kind, Property, instant_text, stored
from tieout.simulator.limits import RollingWindow

FIRST_ID = 9_000_000_001
IDS_PER_KIND = 1_000_000_000
RESTORABLE_DAYS = 90
"""How long an archived record can be read and brought back (R41)."""
ENFORCES_REQUIRED = "2026-09"
"""The first version of the API that demands required properties on every write (R41)."""


class HubSpotPortal:
    """A portal, its settings open to change while it is served.

    `index_lag_secs` is the longest time until search sees a change; `association_page` how many
    associations one row holds; `required` the properties, by kind, that version 2026-09 of the
    API demands on every write; `own_objects` the schemas of its own (custom) objects by full name;
    `app` its OAuth app (see `tieout.simulator.hubspot.oauth.app_of`);
    `counts` the requests by operation, `throttled` the 429s given.
    """

    def __init__(
        self,
        portal_id: int = 146_000_123,
        name: str = "Nordlys",
        time_zone: str = "Europe/Oslo",
        company_currency: str = "EUR",
        seed: int = 0,
        now: Now = lambda: datetime.now(UTC),
        *,
        token: str = "simulated-service-key",  # noqa: S107 - opens a make-believe portal only
        index_lag_secs: float = 0.05,
        association_page: int = 500,
        api_versions: Sequence[str] = ("2025-09", "2026-03", "2026-09"),
        limits: Limits | None = None,
    ) -> None:
        self.portal_id = portal_id
        self.name = name
        self.time_zone = time_zone
        self.company_currency = company_currency
        self.seed = seed
        self.now = now
        self.index_lag_secs = index_lag_secs
        self.association_page = association_page
        self.api_versions = tuple(api_versions)
        self.required: dict[str, set[str]] = {}
        self.tokens = {token: Token()}
        self.limits = limits or Limits()
        self.pipelines: list[Pipeline] = [SALES, RENEWALS]
        self.tax_rates: dict[str, pricing.TaxRate] = {}
        self.owners: list[dict[str, Any]] = []
        self.kinds: dict[str, Kind] = {}
        self.own_objects: dict[str, Any] = {}
        self.app: Any = None
        self.properties: dict[str, dict[str, Property]] = {}
        self.groups: dict[str, dict[str, str]] = {}
        self.links = Links()
        self.shelves: dict[str, Shelf] = {}
        self.files = Files()
        self.indexes: dict[str, SearchIndex] = {}
        self.counts: Counter[str] = Counter()
        self.throttled = 0
        self.lock = threading.RLock()
        """Held by each request and each deed, which may come from another thread."""
        self.dice = random.Random(seed)  # noqa: S311 - repeatable, not secret
        for kind in KINDS.values():
            self.admit(kind)
        self.set_limits(self.limits)

    def admit(self, kind: Kind) -> Kind:
        """Let the portal keep records of a kind."""
        shelf = Shelf(FIRST_ID + len(self.kinds) * IDS_PER_KIND)
        self.kinds[kind.name] = kind
        self.properties[kind.name] = dict(kind.properties)
        self.groups[kind.name] = {"information": "Information"}
        self.shelves[kind.name] = shelf
        self.indexes[kind.name] = SearchIndex()
        for prop in kind.properties.values():
            if prop.unique and not prop.read_only:
                shelf.make_unique(prop.name)
        return kind

    def kind_of(self, word: str) -> Kind | None:
        """Find a kind by its plural, its singular or its type id (`0-3`), as paths may name it."""
        found = self.kinds.get(word)
        if found is not None:
            return found
        return next(
            (one for one in self.kinds.values() if word in (one.singular, one.type_id)), None
        )

    @property
    def token(self) -> str:
        """A token that opens everything, as long as it is neither revoked nor expired."""
        return next(iter(self.tokens))

    def set_limits(self, limits: Limits) -> None:
        """Put other rate limits in force, with empty windows."""
        self.limits = limits
        self.bursts: dict[str, RollingWindow] = {}
        self.search_window = RollingWindow(limits.search, 1, self.now, time_scale=limits.time_scale)
        self.asked_on: dict[int, int] = {}

    def present(self) -> int:
        """Return the present instant in epoch milliseconds."""
        elapsed = self.now() - datetime(1970, 1, 1, tzinfo=UTC)
        return (elapsed.days * 86_400 + elapsed.seconds) * 1000 + elapsed.microseconds // 1000

    def new_correlation_id(self) -> str:
        """Return an id for one request, as a UUID."""
        return str(UUID(int=self.dice.getrandbits(128), version=4))

    def hire(self, owner_id: str, email: str, **names: str) -> None:
        """Let a person own records; `names` are `firstName` and `lastName`."""
        at = instant_text(self.present())
        told = {"id": owner_id, "type": "PERSON", "email": email, **names}
        self.owners.append({**told, "createdAt": at, "updatedAt": at, "archived": False})

    def define(self, kind: str, prop: Property) -> Property:
        """Make a custom property; a unique one is watched from now on."""
        self.properties[kind][prop.name] = prop
        if prop.unique:
            self.shelves[kind].make_unique(prop.name)
        return prop

    def find(self, kind: str, record_id: str | int, *, archived: bool = False) -> Record | None:
        """Find a record by its id, or by an id that was merged into it (R41)."""
        if isinstance(record_id, str) and not record_id.isdecimal():
            return None
        record = self.shelves[kind].find(int(record_id))
        if record is None or (record.archived is not None) != archived:
            return None
        return None if self.is_purged(record) else record

    def is_purged(self, record: Record) -> bool:
        """Tell whether a record was archived so long ago that it is gone for good (R41)."""
        longest = RESTORABLE_DAYS * 86_400_000
        return record.archived is not None and self.present() - record.archived > longest

    def find_by(self, kind: str, name: str, value: str) -> Record | None:
        """Find a record by a unique property's value.

        Raises:
            Refusal: 400, the property is not unique.
        """
        if name == "hs_object_id":
            return self.find(kind, value)
        if name not in self.shelves[kind].unique:
            type_id = self.kinds[kind].type_id
            raise bad_request(
                f"Unable to perform update/upsert by non-unique {type_id} property {name} "
                f"in portal ID {self.portal_id}"
            )
        return self.shelves[kind].holder(name, value)

    def create(self, kind: str, properties: Mapping[str, Any]) -> Record:
        """Make a record.

        Raises:
            Refusal: 400 for a value that HubSpot does not take, 409 for a known contact.
        """
        shelf = self.shelves[kind]
        record_id = shelf.next_id
        changes = self.checked(kind, properties, record_id)
        values = {name: value for name, value in changes.items() if value != ""}
        if kind == "deals":
            values.setdefault("pipeline", self.pipelines[0].id)
            values.setdefault("dealstage", self.pipelines[0].stages[0].id)
        at = self.present()
        return self._keep(kind, Record(shelf.take_id(), self._derived(kind, values), at, at))

    def update(self, kind: str, record: Record, properties: Mapping[str, Any]) -> Record:
        """Change a record; only its own time of change moves, never its parent's (R41).

        Raises:
            Refusal: 400 for a value that HubSpot does not take.
        """
        changes = self.checked(kind, properties, record.id, record)
        values = {**record.values, **changes}
        at = max(self.present(), record.modified)
        changed = Record(
            record.id,
            self._derived(kind, {name: value for name, value in values.items() if value != ""}),
            record.created,
            at,
            record.archived,
            record.merged,
            _history(record, changes, at),
        )
        return self._keep(kind, changed)

    def note_activity(self, kind: str, record: Record) -> Record:
        """Let a record's last activity be now, as a note on it does."""
        at = max(self.present(), record.modified)
        values = {**record.values, "notes_last_updated": instant_text(at)}
        return self._keep(kind, replace(record, values=values, modified=at))

    def compute(self, kind: str, record: Record, values: Mapping[str, str]) -> Record:
        """Let HubSpot itself set values of a record, which nobody else may."""
        at = max(self.present(), record.modified)
        return self._keep(kind, replace(record, values={**record.values, **values}, modified=at))

    def archive(self, kind: str, record: Record) -> Record:
        """Archive a record: search and reads no longer show it, a list of archived ones does."""
        at = self.present()
        return self._keep(kind, replace(record, archived=at, modified=max(at, record.modified)))

    def restore(self, kind: str, record: Record) -> Record:
        """Bring an archived record back."""
        at = max(self.present(), record.modified)
        return self._keep(kind, replace(record, archived=None, modified=at))

    def merge(self, kind: str, primary: Record, other: Record) -> Record:
        """Make one new record of two, with a new id to which both old ones lead (R41).

        The primary's values win; the other's fill what it lacks, unique values never.
        """
        shelf = self.shelves[kind]
        unique = shelf.unique.keys()
        lent = {name: value for name, value in other.values.items() if name not in unique}
        at = max(self.present(), primary.modified, other.modified)
        swallowed = (primary.id, *primary.merged, other.id, *other.merged)
        for old in (primary.id, other.id):
            shelf.drop(old)
            self.indexes[kind].forget(old)
        new_id = shelf.take_id()
        merged = Record(
            new_id,
            self._derived(kind, {**lent, **primary.values}),
            min(primary.created, other.created),
            at,
            merged=swallowed,
            history=primary.history,
        )
        for old in (primary.id, other.id):
            self.links.move(kind, old, new_id)
        shelf.redirect((primary.id, other.id), new_id)
        return self._keep(kind, merged)

    def link(
        self,
        pair: Pair,
        source: int,
        target: int,
        *,
        primary: bool = False,
        types: Iterable[int] = (),
    ) -> None:
        """Link two records; `types` may hold labels of the portal's own.

        Raises:
            Refusal: 400, the two kinds cannot be linked or a line item has another parent;
                404, one of the records is not there.
        """
        if pair not in self.links.labels:
            raise bad_request(f"{pair[0]} cannot be associated with {pair[1]}")
        for kind, record_id in zip(pair, (source, target), strict=True):
            if self.find(kind, record_id) is None:
                raise not_found(f"No {self.kinds[kind].singular} with ID {record_id} exists")
        child = self.links.taken(pair, source, target)
        if child is not None:
            raise bad_request(f"Line item {child} already belongs to another record")
        self.links.link(pair, source, target, primary=primary, types=types)

    def plant(self, kind: str, records: Sequence[tuple[dict[str, str], int, int]]) -> list[int]:
        """Store many records at once, unchecked: (values, created, modified). Returns their ids.

        For populations: values must be right, and search sees them at once.
        """
        shelf = self.shelves[kind]
        made = [
            Record(shelf.take_id(), self._derived(kind, values), created, modified)
            for values, created, modified in records
        ]
        for record in made:
            shelf.keep(record)
        self.indexes[kind].load(made)
        return [record.id for record in made]

    def checked(
        self,
        kind: str,
        properties: Mapping[str, Any],
        record_id: int,
        former: Record | None = None,
    ) -> dict[str, str]:
        """Return the texts to store for values that were sent.

        Raises:
            Refusal: 400 naming every value that is not taken, 409 for a known contact.
        """
        known = self.properties[kind]
        changes: dict[str, str] = {}
        invalid: list[Invalid] = []
        for name, value in properties.items():
            prop = known.get(name)
            if prop is None:
                told = f'Property "{name}" does not exist'
                invalid.append(Invalid(name, "PROPERTY_DOESNT_EXIST", told))
            elif prop.read_only:
                told = f'"{name}" is a read only property; its value cannot be set.'
                invalid.append(Invalid(name, "READ_ONLY_VALUE", told))
            elif isinstance(text := stored(prop, value), Invalid):
                invalid.append(text)
            else:
                changes[name] = text
        invalid.extend(self._taken(kind, changes, record_id))
        if kind == "deals":
            invalid.extend(self._wrong_stage(changes, former))
        if kind == "line_items":
            invalid.extend(pricing.refused(changes))
        if invalid:
            raise not_valid(self.portal_id, invalid)
        return changes

    def demand_required(self, kind: str, version: str, values: Mapping[str, Any]) -> None:
        """Refuse a write that leaves a required property empty, from 2026-09 on (R41).

        Raises:
            Refusal: 400.
        """
        if version < ENFORCES_REQUIRED or version.startswith("v"):
            return
        missing = sorted(name for name in self.required.get(kind, ()) if not values.get(name))
        if missing:
            raise not_valid(
                self.portal_id,
                [Invalid(name, "REQUIRED_FIELD", f"{name} is required") for name in missing],
            )

    def _taken(self, kind: str, changes: Mapping[str, str], record_id: int) -> Iterable[Invalid]:
        for name in self.shelves[kind].unique.keys() & changes.keys():
            holder = self.shelves[kind].holder(name, changes[name])
            if holder is None or holder.id == record_id:
                continue
            if name == "email":
                raise Refusal(409, "CONFLICT", f"Contact already exists. Existing ID: {holder.id}")
            coordinates = (
                f"PropertyValueCoordinates{{portalId={self.portal_id}, "
                f"objectTypeId={self.kinds[kind].type_id}, propertyName={name}, "
                f"value={changes[name]}}}"
            )
            yield Invalid(
                name,
                "CONFLICTING_UNIQUE_VALUE",
                f"Cannot set {coordinates} on {record_id}. {holder.id} already has that value.",
            )

    def _wrong_stage(self, changes: Mapping[str, str], former: Record | None) -> Iterable[Invalid]:
        held = former.values if former else {}
        chosen = changes.get("pipeline") or held.get("pipeline", self.pipelines[0].id)
        pipeline = next((one for one in self.pipelines if one.id == chosen), None)
        if pipeline is None:
            yield Invalid("pipeline", "INVALID_OPTION", f"{chosen} is no pipeline.")
        elif changes.get("dealstage") and pipeline.stage(changes["dealstage"]) is None:
            told = f"{changes['dealstage']} is no stage of pipeline {chosen}."
            yield Invalid("dealstage", "INVALID_OPTION", told)

    def _derived(self, kind: str, values: dict[str, str]) -> dict[str, str]:
        if kind == "deals":
            return self._closed(values)
        return pricing.priced(values, self.tax_rates) if kind == "line_items" else values

    def _closed(self, values: dict[str, str]) -> dict[str, str]:
        """Tell by the stage whether the deal is closed and won (R41)."""
        stages = (one.stage(values.get("dealstage", "")) for one in self.pipelines)
        stage = next((found for found in stages if found is not None), None)
        values["hs_is_closed"] = "true" if stage is not None and stage.closed else "false"
        values["hs_is_closed_won"] = "true" if stage is not None and stage.won else "false"
        return values

    def _keep(self, kind: str, record: Record) -> Record:
        self.shelves[kind].keep(record)
        lag = int(self.index_lag_secs * 1000 * self.dice.random())
        self.indexes[kind].note(record, record.modified + lag)
        self.indexes[kind].settle(self.present())
        return record


def _history(
    record: Record, changes: Mapping[str, str], at: int
) -> tuple[tuple[int, str, str], ...]:
    told = {name for _, name, _ in record.history}
    first = [
        (record.created, name, record.values[name])
        for name in changes
        if name not in told and name in record.values
    ]
    return (*record.history, *first, *((at, name, value) for name, value in changes.items()))
