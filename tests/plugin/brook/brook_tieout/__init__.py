"""The Brook CRM behind Tieout's contract."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from typing import Any

from ruamel.yaml import YAML

from brook_tieout import forms
from tieout.model import errors
from tieout.model.capability import Capabilities, KindCapability
from tieout.model.change import Verb
from tieout.model.contract import Identity, Opening, Outcome, Parcel, ParcelItem, Receipt, Request
from tieout.model.errors import TieoutError
from tieout.model.lookup import MARKER, Absent, Ambiguous, Answer, Found, Lookup, NotKnown
from tieout.model.record import Event, Fetched, Gone, Page, Record, Related, Seen, Unreadable
from tieout.model.ref import Cursor, Ref, Version, request_id
from tieout.transport import Answer as HttpAnswer
from tieout.transport import Door, Limit, Route, dump_json, retry_call
from tieout.transport.door import refuse_plain_http

FACTS = YAML(typ="safe", pure=True).load(
    files("brook_tieout").joinpath("brook.yaml").read_text(encoding="utf-8")
)
KINDS = FACTS["kinds"]
ERRORS = {
    known.code: known
    for known in vars(errors).values()
    if isinstance(known, type) and issubclass(known, TieoutError)
}
API = "https://api.brook.example"
ZONE = "UTC"  # of the days, where the configuration names no time zone
PAGE_ROWS = 50
PAGES_LIMIT = 100_000
TURNS_LIMIT = 100  # how often one page is asked for again because records moved


class Brook:
    """An open session with one company's account in Brook."""

    @classmethod
    def open(
        cls,
        opening: Opening,
        *,
        urls: Mapping[str, str],
        credentials: Any,
        now: Callable[[], datetime],
        sleep: Callable[[float], None],
    ) -> "Brook":
        """Open a session; nothing is asked yet. It has no options."""
        if opening.options:
            raise errors.ConfigError(f"Brook has no option {', '.join(sorted(opening.options))}.")
        url = urls.get("api") or API
        refuse_plain_http(url)
        limits = {"second": Limit(FACTS["rates"]["per_second"], 1)}
        door = Door("brook", now=now, sleep=sleep, limits=limits, route=_route, judge=_judge)
        return cls(opening, url, credentials, door)

    def __init__(self, opening: Opening, url: str, credentials: Any, door: Door) -> None:
        self.company = f"brook:{opening.company_id}"
        self.capabilities = _capabilities()
        self._zone = opening.time_zone or ZONE
        self._url = url.rstrip("/")
        self._credentials = credentials
        self._door = door
        self._session = door.session()

    def check(self) -> Identity:
        """Ask who we are there."""
        answer = self._read("/me")
        if self.company != f"brook:{answer.json['account']}":
            raise errors.ConfigError("The token is another account's.")
        return Identity(answer.json["account"], answer.json["title"], clock=_clock(answer))

    def changes(self, kinds: Sequence[str], since: Cursor | None) -> Iterator[Page]:
        """Tell what moved of one kind, the oldest first."""
        if list(kinds) not in FACTS["feeds"]:
            raise errors.Unsupported(f"Brook has no feed of {', '.join(kinds)}.")
        (kind,) = kinds
        place = Place.of(since)
        for _ in range(PAGES_LIMIT):
            rows, last, answer = self._moved(kind, place)
            events = tuple(self._event(kind, row) for row in rows)
            place = place.after(rows, last=last)
            yield Page(events, place.text(), _clock(answer), last=last)
            if last:
                return
        raise errors.Unavailable("The feed did not end.")

    def rewound(
        self,
        kinds: Sequence[str],
        since: Cursor,
        to: datetime,
    ) -> Cursor:
        """Return the cursor that reads again from an instant, if that is earlier."""
        earlier = max(0, forms.millis(to))
        return Place(earlier).text() if earlier < Place.of(since).millis else since

    def fetch(self, refs: Sequence[Ref]) -> Iterator[Fetched]:
        """Read records by address, one call each: Brook has no batch."""
        for ref in refs:
            try:
                if ref.kind not in KINDS:
                    raise errors.Unsupported(f"Brook has no {ref.kind}.")
                answer = self._read(f"/{KINDS[ref.kind]['path']}/{ref.id}")
                yield self._record(ref.kind, answer.json)
            except errors.NotFound as gone:
                yield Gone(ref, f"{gone.vendor_code}: {gone.vendor_words}")
            except TieoutError as error:
                yield Unreadable(ref, error)

    def find(self, kind: str, wanted: Sequence[Lookup]) -> Sequence[Answer]:
        """Answer each question in its order."""
        return [self._find(kind, lookup) for lookup in wanted]

    def related(self, refs: Sequence[Ref], role: str) -> Iterator[Related]:
        """Read the whole set in a role for each."""
        for ref in refs:
            try:
                yield self._set(ref, role)
            except TieoutError as error:
                yield Related(ref, role, error=error)

    def prepare(self, requests: Sequence[Request]) -> Sequence[Parcel]:
        """Pack each change into a call of its own. Pure."""
        return [self._parcel(request) for request in requests]

    def apply(self, parcel: Parcel) -> Sequence[Outcome]:
        """Send exactly these bytes, once."""
        (item,) = parcel.items
        method, _, path = parcel.call.partition(" ")
        try:
            record = self._record(item.kind, self._send(method, path, parcel.body).json)
        except errors.ValueRefused:  # an answer of another form says nothing
            return [Outcome(item.key, item.item_id, error=errors.OutcomeUnknown())]
        except TieoutError as error:
            return [Outcome(item.key, item.item_id, error=error)]
        return [Outcome(item.key, item.item_id, Receipt(record.ref, record.version, record))]

    def close(self) -> None:
        """Give back connections."""
        self._door.close()

    # -- reading ----------------------------------------------------------------------------------

    def _moved(
        self, kind: str, place: "Place"
    ) -> tuple[Sequence[Mapping[str, Any]], bool, HttpAnswer]:
        """Return the rows after a place, and whether they are the last.

        What changes while we read leaves its row and goes to the end, so that all behind it step
        one forward. Each page therefore begins with the row that the page before ended with; where
        another stands there, it is begun again at the place's own millisecond.
        """
        for _ in range(TURNS_LIMIT):
            back = 1 if place.offset else 0
            rows, total, answer = self._page(
                KINDS[kind]["path"], place.offset - back, changed_from=str(place.millis)
            )
            if not back or (rows and _stamp(rows[0]) == place.stamp):
                return rows[back:], place.offset - back + len(rows) == total, answer
            place = Place(place.millis)
        raise errors.Unavailable("Brook's records move faster than they can be read.")

    def _page(
        self, path: str, offset: int, **query: str
    ) -> tuple[Sequence[Mapping[str, Any]], int, HttpAnswer]:
        """Return one page of a list and how many rows it has in all; raises if it is not whole."""
        answer = self._read(f"/{path}", offset=str(offset), limit=str(PAGE_ROWS), **query)
        told = answer.json
        try:
            rows, total = told["rows"], int(told["total"])
            whole = len(rows) == max(0, min(PAGE_ROWS, total - offset)) and told["offset"] == offset
        except (KeyError, TypeError, ValueError):
            whole = False
        if not whole:
            raise answer.unclear("A page is not the one that was asked for.")
        return rows, total, answer

    def _all(self, path: str, **query: str) -> tuple[Sequence[Mapping[str, Any]], HttpAnswer]:
        """Return a whole list; raises if it moved while it was read."""
        rows, total, answer = self._page(path, 0, **query)
        found = list(rows)
        for _ in range(PAGES_LIMIT):
            if len(found) >= total:
                break
            rows, now_total, answer = self._page(path, len(found), **query)
            if now_total != total:
                raise answer.unclear("The list changed while it was read.")
            found.extend(rows)
        if len({row["id"] for row in found}) != total:
            raise answer.unclear("The list changed while it was read.")
        return found, answer

    def _event(self, kind: str, row: Mapping[str, Any]) -> Event:
        if row.get("deleted"):
            return Event(Ref(self.company, kind, str(row["id"])), Seen.GONE)
        record = self._record(kind, row)
        return Event(record.ref, record=record, at=record.updated_at)

    def _record(self, kind: str, row: Mapping[str, Any]) -> Record:
        try:
            fields = {
                name: forms.read(said["is"][1], row[said["is"][0]], self._zone)
                for name, said in KINDS[kind]["fields"].items()
            }
            ref = Ref(self.company, kind, str(row["id"]))
            version, changed = Version(str(row["rev"])), forms.instant(row["changed"])
        except (KeyError, TypeError) as wrong:
            raise errors.ValueRefused(f"A {kind} lacks {wrong}.") from wrong
        return Record(ref, version, fields, updated_at=changed)

    def _find(self, kind: str, lookup: Lookup) -> Answer:
        try:
            if kind not in KINDS or lookup.by not in KINDS[kind]["found_by"]:
                raise errors.Unsupported(f"Brook cannot be asked for a {kind} by {lookup.by}.")
            name = "mark" if lookup.by == MARKER else "id"
            rows, answer = self._all(KINDS[kind]["path"], **{name: lookup.value})
            records = [self._record(kind, row) for row in rows]
        except TieoutError as error:
            return NotKnown(error)
        if not records:
            return Absent(_clock(answer))
        if len(records) > 1:
            return Ambiguous(tuple(one.ref for one in records), lookup.by, lookup.line)
        return Found(records[0].ref, lookup.by, lookup.line, records[0])

    def _set(self, ref: Ref, role: str) -> Related:
        known = KINDS.get(ref.kind, {}).get("roles", {}).get(role)
        if known is None:
            raise errors.Unsupported(f"Brook knows no {role} of a {ref.kind}.")
        if "asked_by" in known:
            rows, _ = self._all(KINDS[known["kind"]]["path"], **{known["asked_by"]: ref.id})
            records = [self._record(known["kind"], row) for row in rows]
            return Related(
                ref,
                role,
                refs=tuple(one.ref for one in records),
                records={one.ref: one for one in records},
            )
        answer = self._read(f"/{KINDS[ref.kind]['path']}/{ref.id}")
        held = self._record(ref.kind, answer.json).fields[known["held_in"]]
        if held is None:
            return Related(ref, role)
        other = Ref(self.company, known["kind"], held)
        return Related(ref, role, refs=(other,), primary=other)

    # -- writing ----------------------------------------------------------------------------------

    def _parcel(self, request: Request) -> Parcel:
        change = request.change
        if not self.capabilities.can(change.kind, change.verb):
            raise errors.Unsupported(f"Brook's connector does not {change.verb} a {change.kind}.")
        known = KINDS[change.kind]
        body = {}
        for name, value in change.values.items():
            if name not in known["fields"]:
                raise errors.InvalidField(f"A {change.kind} has no {name}.", record=request.about)
            limit = self.capabilities.limit(change.kind, name)
            if limit is not None and len(str(value or "")) > limit:
                raise errors.InvalidField(f"{name} is too long.", record=request.about)
            vendors, form = known["fields"][name]["is"]
            body[vendors] = forms.written(form, value)
        packed = dump_json(body)
        call = f"PATCH /{known['path']}/{change.ref.id}"
        asked = (request.key, request.asking, str(change.version))
        name = request_id(self.company, call, *asked, packed.decode())
        item = ParcelItem("1", request.key, change.kind, change.verb.value, change.ref)
        return Parcel(self.company, name, call, packed, (item,))

    # -- the wire ---------------------------------------------------------------------------------

    def _read(self, path: str, **query: str) -> HttpAnswer:
        """Ask, and ask again when nothing usable came: a read changes nothing."""

        def asked() -> HttpAnswer:
            answer = self._send("GET", path, query=query)
            if not isinstance(answer.json, dict):
                raise answer.unclear("The answer is not an object.")
            return answer

        return retry_call(asked, sleep=self._door.sleep)

    def _send(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        query: Mapping[str, str] | None = None,
    ) -> HttpAnswer:
        signed = {"X-Brook-Key": self._credentials.access_token()}
        response: Any = self._session.request(
            method, self._url + path, data=body, headers=signed, params=query
        )
        answer: HttpAnswer = response.answer  # as the door has judged it
        return answer


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a feed: what changed from a millisecond on, less the rows that were shown.

    ``stamp`` names the last of those, so that it is seen whether it still stands there.
    """

    millis: int = 0
    offset: int = 0
    stamp: str = ""

    @classmethod
    def of(cls, cursor: Cursor | None) -> "Place":
        """Return the place that a cursor holds; raises ValueRefused where it is not ours."""
        if cursor is None:
            return cls()
        try:
            told = json.loads(cursor)
            return cls(int(told["from"]), int(told["offset"]), str(told["stamp"]))
        except (ValueError, KeyError, TypeError) as wrong:
            raise errors.ValueRefused("The cursor is not of this feed.") from wrong

    def text(self) -> Cursor:
        """Return it as a cursor."""
        told = {"from": self.millis, "offset": self.offset, "stamp": self.stamp}
        return Cursor(json.dumps(told))

    def after(self, rows: Sequence[Mapping[str, Any]], *, last: bool) -> "Place":
        """Return the place after some rows.

        The last millisecond is read again, because more may still happen in it.
        """
        if not rows:
            return self
        ends_at = int(rows[-1]["changed"])
        if last or ends_at > self.millis:
            return Place(ends_at)
        return Place(ends_at, self.offset + len(rows), _stamp(rows[-1]))


def _stamp(row: Mapping[str, Any]) -> str:
    return f"{row['id']}:{row['rev']}"


def _capabilities() -> Capabilities:
    kinds = {
        name: KindCapability(
            verbs=frozenset(map(Verb, said.get("verbs", ()))),
            marker=said.get("marker", ""),
            found_by=frozenset(said["found_by"]),
            limits=said.get("limits", {}),
            fields={one: forms.TYPES[told["is"][1]] for one, told in said["fields"].items()},
        )
        for name, said in KINDS.items()
    }
    return Capabilities(
        FACTS["system"],
        FACTS["title"],
        kinds,
        feeds=tuple(map(tuple, FACTS["feeds"])),
        quiet_secs=FACTS["quiet_secs"],
        rates=FACTS["rates"],
    )


def _route(method: str, path: str) -> Route:
    return Route(f"{method} {path.split('/')[1]}", write=method != "GET", limits=("second",))


def _judge(answer: HttpAnswer) -> TieoutError | None:
    """Say what an answer means: None where its body is the answer."""
    if 200 <= answer.status < 300:
        return None
    if answer.status == 429:
        return errors.RateLimited(after_secs=answer.retry_after_secs)
    if answer.status == 401:
        return errors.Unauthorized()
    if not 400 <= answer.status < 500:
        return answer.unclear(f"{answer.route.name} was answered with {answer.status}.")
    said = answer.json if isinstance(answer.json, dict) else {}
    code = str(said.get("error", answer.status))
    kind = ERRORS[FACTS["errors"].get(code, "rejected")]
    return kind(vendor_code=code, vendor_words=str(said.get("why", "")))


def _clock(answer: HttpAnswer) -> datetime:
    """Return the server's clock when it answered."""
    return answer.served_at or answer.received_at
