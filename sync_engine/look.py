"""look: what became of an asking that got no answer, before anything is asked again.

After ``quiet_secs`` the other system can no longer be busy with it. Creates are looked for by our
marker or by the record's unique name, other changes by reading the record and comparing the fields
we set. Only a finished search that found nothing is an absence. If none of a parcel's changes
happened, its exact bytes go again under the same request id; if some did, the others are asked
anew.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sync_engine.ledger.spelling import change_of, fields_of
from sync_engine.ledger.sqlite import Ledger
from sync_engine.ledger.store import Row, Writes
from sync_engine.mirror import DOCUMENTS, REFERENCE_WINDOW_SECS, stop_pair
from sync_engine.pair import Clock, Pair
from sync_engine.receipts import refuse, take_receipt
from sync_engine.saying import UNSHOWN, says
from sync_engine.twins import unmarked
from tieout.model.change import Create, Update, Void
from tieout.model.contract import Connector, Receipt
from tieout.model.dates import instant_text, parse_instant
from tieout.model.errors import AskedBefore, Duplicate, MarkGone, NotFound, TieoutError
from tieout.model.lookup import MARKER, Absent, Ambiguous, Answer, Found, Lookup, NotKnown
from tieout.model.record import Fetched, Gone, MergedInto, Record, Unreadable
from tieout.model.ref import Ref, Version

FOUND, ABSENT, UNSURE, REFUSED, GONE = "found", "absent", "unsure", "refused", "gone"
DELETED = "deleted"  # it was made, and the feed showed it, before a person deleted it


def recover(ledger: Ledger, pair: Pair, now: datetime) -> int:
    """Make what a process left in flight unknown, as of now; return how many parcels."""
    with ledger.transaction() as tx:
        left = tx.run("parcels_left_behind", pair=pair.name, at=instant_text(now))
        tx.run("outbox_left_behind", pair=pair.name)
        tx.run("document_left_behind", pair=pair.name)
    return left


def look(ledger: Ledger, pair: Pair, *, clock: Clock) -> int:
    """Settle the unknowns that are quiet long enough; return how many parcels remain unknown."""
    now = clock()
    with ledger.transaction() as tx:
        tx.run("parcels_ahead", pair=pair.name, at=instant_text(now))
    parcels = ledger.all("parcels_unknown", pair=pair.name)
    due = [row for row in parcels if _quiet_until(row, pair) <= now]
    rows = [
        row
        for parcel in due
        for row in ledger.all("outbox_unknown_of", request_id=parcel["request_id"])
    ]
    answers = _ask(pair, rows)
    for parcel in due:
        with ledger.transaction() as tx:
            _settle(
                tx,
                pair,
                parcel,
                [row for row in rows if row["request_id"] == parcel["request_id"]],
                answers,
            )
    return len(ledger.all("parcels_unknown", pair=pair.name))


def next_look_secs(ledger: Ledger, pair: Pair, now: datetime) -> float | None:
    """Return how long until the next unknown may be looked for, None when there is none."""
    waits = [
        min((_quiet_until(row, pair) - now).total_seconds(), pair.quiet_secs)
        for row in ledger.all("parcels_unknown", pair=pair.name)
    ]
    return max(0.0, min(waits)) if waits else None


def _quiet_until(parcel: Row, pair: Pair) -> datetime:
    """Return when the other system can no longer be busy."""
    return parse_instant(parcel["ended_at"]) + timedelta(seconds=pair.quiet_secs)


def _ask(pair: Pair, rows: Sequence[Row]) -> dict[str, tuple[str, Receipt | None]]:
    """Ask for all unknown changes at once, kind by kind; answer by key."""
    creates: dict[tuple[str, str], list[Row]] = defaultdict(list)
    others: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if isinstance(change_of(row["change"]), Create):
            creates[row["company"], row["kind"]].append(row)
        else:
            others[row["company"]].append(row)
    answers: dict[str, tuple[str, Receipt | None]] = {}
    for (company, kind), asked in creates.items():
        answers.update(_ask_creates(pair.connector(company), kind, asked))
    for company, asked in others.items():
        answers.update(_ask_others(pair.connector(company), asked))
    return answers


def _ask_creates(
    connector: Connector, kind: str, rows: Sequence[Row]
) -> dict[str, tuple[str, Receipt | None]]:
    by_marker = MARKER in connector.capabilities.kinds[kind].found_by
    wanted = [_lookup(row, kind, by_marker=by_marker) for row in rows]
    found = [_left(connector, answer) for answer in connector.find(kind, wanted)]
    return {row["key"]: _judge_create(answer, row) for row, answer in zip(rows, found, strict=True)}


def _left(connector: Connector, answer: Answer) -> Answer:
    """Return what a person left of several records with one marker.

    A voided document is no twin, and no list record that was made inactive.
    """
    if not isinstance(answer, Ambiguous):
        return answer
    records: list[Record] = []
    for read in connector.fetch(answer.refs):
        if isinstance(read, Unreadable):
            return NotKnown(read.error)
        if isinstance(read, Record):
            records.append(read)
    alive = [
        record
        for record in records
        if not record.fields.get("voided") and record.fields.get("active") is not False
    ]
    if len(alive) > 1 or not records:
        return answer
    (record,) = alive or records[:1]
    return Found(record.ref, answer.by, answer.line, record)


def _lookup(row: Row, kind: str, *, by_marker: bool) -> Lookup:
    if by_marker:
        return Lookup(kind, MARKER, row["key"], since=parse_instant(row["first_at"]))
    return Lookup(kind, "name", str(change_of(row["change"]).values["name"]))


def _judge_create(answer: Answer, row: Row) -> tuple[str, Receipt | None]:
    """Return whether our create happened; a record of that name which is not ours is no proof."""
    match answer:
        case Found(ref=ref, record=record) if record is not None:
            ours = record.fields.get(MARKER) in (None, row["key"])
            begun = parse_instant(row["first_at"]) - timedelta(seconds=REFERENCE_WINDOW_SECS)
            born_since = record.created_at is None or record.created_at >= begun
            if ours and born_since:
                return FOUND, Receipt(ref, record.version, record)
            return ABSENT, None
        case Absent():
            return ABSENT, None
        case Ambiguous():
            return "twin", None
    return UNSURE, None


def _ask_others(connector: Connector, rows: Sequence[Row]) -> dict[str, tuple[str, Receipt | None]]:
    """Read the records that updates and voids concern and compare the fields we set."""
    changes = {row["key"]: change_of(row["change"]) for row in rows}
    refs = {key: change.ref for key, change in changes.items() if not isinstance(change, Create)}
    read: dict[object, Fetched] = {
        answer.ref: answer for answer in connector.fetch(list(dict.fromkeys(refs.values())))
    }
    answers: dict[str, tuple[str, Receipt | None]] = {}
    for key, ref in refs.items():
        record, change = read.get(ref), changes[key]
        if isinstance(record, Gone | MergedInto):
            answers[key] = GONE, None
        elif not isinstance(record, Record):
            answers[key] = UNSURE, None
        elif _says(record, change):
            answers[key] = FOUND, Receipt(ref, record.version, record)
        else:
            answers[key] = ABSENT, None
    return answers


def _says(record: Record, change: Create | Update | Void) -> bool:
    """Whether a record shows what the change would have made of it."""
    if isinstance(change, Void):
        return bool(record.fields.get("voided"))
    return all(
        name in record.fields and says(record.fields[name], value)
        for name, value in change.values.items()
        if name not in UNSHOWN
    )


def _settle(
    tx: Writes,
    pair: Pair,
    parcel: Row,
    rows: Sequence[Row],
    answers: Mapping[str, tuple[str, Receipt | None]],
) -> None:
    states = {row["key"]: answers.get(row["key"], (UNSURE, None)) for row in rows}
    for row in rows:
        state, receipt = states[row["key"]]
        if state == FOUND and receipt is not None:
            take_receipt(tx, pair, row, receipt, how="found")
        elif state == ABSENT and (made := _made_and_deleted(tx, row)) is not None:
            take_receipt(tx, pair, row, made, how="found")
            states[row["key"]] = DELETED, made
        elif state == ABSENT and (why := _never_to_come(tx, pair, parcel, row)) is not None:
            refuse(tx, pair, row, why)
            states[row["key"]] = REFUSED, None
        elif state == GONE:
            refuse(tx, pair, row, NotFound(record=row["about"]))
        elif state == "twin":
            message = f"Several records carry the marker of {row['about']} ({row['key']})."
            ways = "Void all but one" if row["kind"] in DOCUMENTS else "Make all but one inactive"
            stop_pair(tx, pair.name, "twin", message, f"{ways} in the books, then resume.")
    found = {state for state, _ in states.values()}
    if found & {UNSURE, "twin"}:
        return
    absent = [row for row in rows if states[row["key"]][0] == ABSENT]
    alone = len(absent) == len(json.loads(parcel["items"]))
    if not absent:
        tx.run("parcel_state", request_id=parcel["request_id"], state="settled")
    elif alone:
        tx.run("parcel_state", request_id=parcel["request_id"], state="again")
    else:
        tx.run("parcel_state", request_id=parcel["request_id"], state="settled")
        tx.many(
            "outbox_anew", [{"key": row["key"], "plan_hash": row["plan_hash"]} for row in absent]
        )
    tx.journal(
        "tieout", "looked", parcel["request_id"], {key: state for key, (state, _) in states.items()}
    )


def _made_and_deleted(tx: Writes, row: Row) -> Receipt | None:
    """Return the record that the books' feed showed with our mark and then showed as deleted."""
    made = tx.one("mirror_of_marker", company=row["company"], kind=row["kind"], marker=row["key"])
    if made is None or not made["gone"]:
        return None
    ref, version = Ref(made["company"], made["kind"], made["id"]), Version(made["version"])
    return Receipt(ref, version, Record(ref, version, fields_of(made["fields"])))


def _never_to_come(tx: Writes, pair: Pair, parcel: Row, row: Row) -> TieoutError | None:
    """Return why what looking does not find must not simply be asked again, None if it may be.

    Its name or number is another's; or the other system knows the asking, and what it made of it
    was deleted; or a person took our mark away before we looked.
    """
    said = json.loads(row["error"] or "{}")
    words = {name: said.get(name) or "" for name in ("vendor_code", "vendor_words")}
    if said.get("code") == Duplicate.code:
        return Duplicate(**words)
    if said.get("code") == AskedBefore.code and parcel["attempts"] > 1:
        return AskedBefore(record=row["about"], **words)
    alike = _without_mark(tx, pair, row)
    if alike:
        kind = f"{row['kind']} {', '.join(alike)}"
        return MarkGone(
            f"No answer came, and the books have {kind}, made since, alike and without our mark.",
            record=row["about"],
        )
    return None


def _without_mark(tx: Writes, pair: Pair, row: Row) -> list[str]:
    """Return the books' records that may be what was asked for, with our mark taken away."""
    plan = tx.one("plan_get", hash=row["plan_hash"])
    change = change_of(row["change"])
    if plan is None or row["kind"] not in DOCUMENTS or not isinstance(change, Create):
        return []
    if plan["net"] is None:  # a credit's application has no amount of its own to be known by
        return []
    begun = parse_instant(row["first_at"]) - timedelta(seconds=REFERENCE_WINDOW_SECS)
    return unmarked(tx, pair, plan, str(change.values.get("customer")), begun)
