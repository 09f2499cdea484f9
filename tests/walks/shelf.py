"""A small system behind the contract: records on a shelf, and what becomes of each call is said
beforehand. It is as honest as a connector must be, and it watches what it is asked to do.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from tieout.model.canonical import canonical
from tieout.model.capability import Capabilities, KindCapability
from tieout.model.change import Create, Update, Verb
from tieout.model.contract import Outcome, Parcel, ParcelItem, Receipt, Request
from tieout.model.errors import (
    Duplicate,
    InvalidField,
    OutcomeUnknown,
    RateLimited,
    StaleVersion,
    TieoutError,
    Unauthorized,
    Unavailable,
)
from tieout.model.lookup import MARKER, Absent, Ambiguous, Answer, Found, Lookup, NotKnown
from tieout.model.record import Fetched, Gone, Record, Unreadable
from tieout.model.ref import Ref, Version, request_id

BATCH = 3
LATE_SECS = 100  # how long after a call without an answer it may still be done
QUIET_SECS = 150


class Killed(BaseException):
    """The end of a process, as it is felt inside."""


class Fate(StrEnum):
    """What becomes of one call."""

    DONE = "done"
    ANSWER_LOST = "answer lost"  # it is done
    CALL_LOST = "call lost"  # it is not, and nobody knows
    LATE = "late"  # no answer; it is done a while later
    DIES_BEFORE = "dies before"
    DIES_AFTER = "dies after"
    THROTTLED = "throttled"
    DOWN = "down"
    REVOKED = "revoked"


class ItemFate(StrEnum):
    """What becomes of one change in a call that is answered."""

    DONE = "done"
    REFUSED = "refused"
    DUPLICATE = "duplicate"
    STALE = "stale"
    BUSY = "busy"  # not done, and may be asked again
    LEFT_OUT = "left out"  # done, and not in the answer
    FORGOTTEN = "forgotten"  # not done, and not in the answer


REFUSALS: dict[str, Callable[[], TieoutError]] = {
    Fate.THROTTLED: lambda: RateLimited(after_secs=5),
    Fate.DOWN: Unavailable,
    Fate.REVOKED: Unauthorized,
    ItemFate.REFUSED: lambda: InvalidField(vendor_code="2500"),
    ItemFate.DUPLICATE: lambda: Duplicate(vendor_code="6240", vendor_words="taken"),
    ItemFate.STALE: StaleVersion,
    ItemFate.BUSY: Unavailable,
}


@dataclass
class Shelf:
    """One company of a system that remembers request ids, or does not."""

    company: str
    clock: Callable[[], datetime]
    allows: Callable[[str, str, object], bool]  # key, kind, values: whether somebody approved it
    remembers: bool = True
    fates: list[Fate] = field(default_factory=list)  # of the calls to come; then all is done
    item_fates: list[ItemFate] = field(default_factory=list)
    look_fails: list[bool] = field(default_factory=list)
    records: dict[str, Record] = field(default_factory=dict)
    doubtful: set[str] = field(default_factory=set)  # asked without an answer, not looked for since
    wrongs: list[str] = field(default_factory=list)  # what no engine may ever do
    calls: int = 0
    looks: int = 0
    _late: list[tuple[datetime, Parcel, list[dict[str, object]]]] = field(default_factory=list)
    _answers: dict[tuple[str, str], Outcome] = field(default_factory=dict)

    @property
    def capabilities(self) -> Capabilities:
        kind = KindCapability(
            verbs=frozenset({Verb.CREATE, Verb.UPDATE}),
            marker=MARKER,
            found_by=frozenset({MARKER}),
            batch=BATCH,
        )
        kinds = dict.fromkeys(("invoice", "customer", "deal"), kind)
        return Capabilities("shelf", "Shelf", kinds, rates={"in_flight": 1})

    # -- writing --------------------------------------------------------------------------------

    def prepare(self, requests: Sequence[Request]) -> Sequence[Parcel]:
        starts = range(0, len(requests), BATCH)
        return [self._parcel(requests[start : start + BATCH]) for start in starts]

    def _parcel(self, requests: Sequence[Request]) -> Parcel:
        items, body = [], []
        for n, request in enumerate(requests, 1):
            change = request.change
            ref = None if isinstance(change, Create) else change.ref
            items.append(ParcelItem(str(n), request.key, change.kind, change.verb, ref))
            body.append({"item": str(n), "key": request.key, "values": change.values})
        text = canonical(body).encode()
        asked = [[request.key, request.asking] for request in requests]
        name = request_id(self.company, asked, text.decode())
        return Parcel(self.company, name, "POST batch", text, tuple(items))

    def apply(self, parcel: Parcel) -> Sequence[Outcome]:
        self.settle_late()
        self.calls += 1
        fate = self.fates.pop(0) if self.fates else Fate.DONE
        body = json.loads(parcel.body)
        for asked in body:
            self._watch(asked, parcel)
        if fate is Fate.DIES_BEFORE:
            raise Killed
        if fate in REFUSALS:
            return [
                Outcome(item.key, item.item_id, error=REFUSALS[fate]()) for item in parcel.items
            ]
        self.doubtful |= {item.key for item in parcel.items}
        if fate is Fate.LATE:
            self._late.append((self.clock() + timedelta(seconds=LATE_SECS), parcel, body))
        if fate in (Fate.LATE, Fate.CALL_LOST):
            return _unanswered(parcel)
        outcomes = self._carry_out(parcel, body)
        if fate is Fate.DIES_AFTER:
            raise Killed
        if fate is Fate.ANSWER_LOST:
            return _unanswered(parcel)
        self.doubtful -= {outcome.key for outcome in outcomes}
        return outcomes

    def _watch(self, asked: dict[str, object], parcel: Parcel) -> None:
        key = str(asked["key"])
        kind = next(item.kind for item in parcel.items if item.key == key)
        if key in self.doubtful:
            self.wrongs.append(f"{key} is sent again, and nobody looked")
        if not self.allows(key, kind, asked["values"]):
            self.wrongs.append(f"{key} is sent as {asked['values']}, which nobody approved")

    def _carry_out(self, parcel: Parcel, body: list[dict[str, object]]) -> list[Outcome]:
        """Do what is asked, but for what is remembered to be done or refused: that is answered."""
        answered = []
        for item, asked in zip(parcel.items, body, strict=True):
            known = self._answers.get((parcel.request_id, item.key)) if self.remembers else None
            fate = self.item_fates.pop(0) if self.item_fates else ItemFate.DONE
            if fate is not ItemFate.FORGOTTEN or known is not None:
                outcome = known or self._outcome(item, asked["values"], fate)
                if fate is not ItemFate.BUSY:
                    self._answers[parcel.request_id, item.key] = outcome
                if fate is not ItemFate.LEFT_OUT:
                    answered.append(outcome)
        return answered

    def _outcome(self, item: ParcelItem, values: object, fate: ItemFate) -> Outcome:
        if fate in REFUSALS:
            return Outcome(item.key, item.item_id, error=REFUSALS[fate]())
        record = self._write(item, values)
        return Outcome(item.key, item.item_id, Receipt(record.ref, record.version, record))

    def _write(self, item: ParcelItem, values: object) -> Record:
        assert isinstance(values, dict)
        if item.ref is not None:
            held = self.records[item.ref.id]
            fields = {**held.fields, **values}
            record = Record(
                item.ref, Version(f"{held.version}'"), fields, created_at=held.created_at
            )
        else:
            ref = Ref(self.company, item.kind, str(len(self.records) + 1))
            record = Record(
                ref, Version("0"), {**values, MARKER: item.key}, created_at=self.clock()
            )
        self.records[record.ref.id] = record
        return record

    def settle_late(self) -> None:
        """Do what was to be done late and is due."""
        due = [late for late in self._late if late[0] <= self.clock()]
        self._late = [late for late in self._late if late[0] > self.clock()]
        for _, parcel, body in due:
            self._carry_out(parcel, body)

    # -- reading --------------------------------------------------------------------------------

    def find(self, kind: str, wanted: Sequence[Lookup]) -> Sequence[Answer]:
        return [self._found(kind, lookup.value) for lookup in wanted]

    def _found(self, kind: str, key: str) -> Answer:
        if not self._looked(key):
            return NotKnown(Unavailable())
        found = [one for one in self.of(kind) if one.fields.get(MARKER) == key]
        if len(found) > 1:
            return Ambiguous(tuple(one.ref for one in found))
        return Found(found[0].ref, record=found[0]) if found else Absent(self.clock())

    def fetch(self, refs: Sequence[Ref]) -> Iterator[Fetched]:
        for ref in refs:
            if not self._looked(ref.id):
                yield Unreadable(ref, Unavailable())
            else:
                yield self.records.get(ref.id) or Gone(ref, "it is not on the shelf")

    def _looked(self, name: str) -> bool:
        """Answer one look, or fail it; after an answer nothing is in doubt."""
        self.settle_late()
        self.looks += 1
        if self.look_fails and self.look_fails.pop(0):
            return False
        self.doubtful -= {key for key in self.doubtful if name in (key, self.record_of(key))}
        return True

    def record_of(self, key: str) -> str:
        """The record that a key's updates concern; the walk says so."""
        return ""

    def of(self, kind: str) -> list[Record]:
        return [record for record in self.records.values() if record.ref.kind == kind]

    def close(self) -> None:
        """Nothing is held."""


def _unanswered(parcel: Parcel) -> list[Outcome]:
    return [Outcome(item.key, item.item_id, error=OutcomeUnknown()) for item in parcel.items]


def update_of(ref: Ref, values: dict[str, str]) -> Update:
    """What the CRM is told of a record."""
    return Update(ref, Version(""), values)
