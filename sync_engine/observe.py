"""observe: what moved on both sides, written down page by page, each with its cursor in one commit.

A polled page, a hint and a command are the same sign. The CRM's records become snapshots, the
books' records the mirror; a source that moved is *touched*, and the later stages look only at what
is touched. A record that could not be read stays as it was and keeps its source touched (pain 13).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from functools import cache
from typing import Any

from mapping.rules import Mapping, Role
from sync_engine.addresses import address_of
from sync_engine.feeds import (
    FETCHED_AT_ONCE,
    Observed,
    compare_clocks,
    cursor_of,
    keep_cursor,
    read_bare,
    runs,
)
from sync_engine.gather import excluded_by_source
from sync_engine.ledger.journal import restored_from
from sync_engine.ledger.spelling import fields_of, fields_text
from sync_engine.ledger.sqlite import Ledger
from sync_engine.ledger.store import Reads, Row, Writes
from sync_engine.marks import own_mark
from sync_engine.pair import Clock, Pair
from sync_engine.tasks import FEED, REFUSED, Wanted, keep, untold
from tieout.model.canonical import canonical
from tieout.model.errors import NotFound, Rejected, TieoutError, Unauthorized, Unavailable
from tieout.model.record import (
    Event,
    Fetched,
    Gone,
    MergedInto,
    Record,
    Related,
    Seen,
    Unreadable,
)
from tieout.model.ref import Ref

RELATED_AT_ONCE = 1_000  # associations are asked in pages of this size, one commit each
TOUCHED_AT_ONCE = 1_000  # sources whose records are in memory together


def observe_crm(
    ledger: Ledger,
    pair: Pair,
    observed: Observed,
    clock: Clock,
    *,
    stopping: Callable[[], bool] = lambda: False,
) -> None:
    """Read the CRM's feeds into snapshots and touch the sources that moved.

    When it is stopping it ends between two pages; the next round goes on from there.

    A kind that nothing else is made of (payments, where deals are invoiced) may be refused, for
    want of a scope or of the product, or not be served: that is one task, and the rest goes on.
    """
    watched = watched_kinds(pair)
    for kinds in pair.crm.capabilities.feeds:
        asked = [kind for kind in kinds if kind in watched]
        if not asked:
            continue
        refused: TieoutError | None = None
        try:
            _observe_feed(ledger, pair, asked, observed, clock, stopping)
        except (Unauthorized, Rejected, Unavailable) as error:
            if not _stands_alone(pair, asked):
                raise
            refused = error
        _judge_feed(ledger, pair, "+".join(asked), refused)
    _touch_owners_of_strangers(ledger, pair, observed)


def _observe_feed(
    ledger: Ledger,
    pair: Pair,
    kinds: Sequence[str],
    observed: Observed,
    clock: Clock,
    stopping: Callable[[], bool],
) -> None:
    feed = "+".join(kinds)
    asked_at = clock()
    for page in pair.crm.changes(kinds, cursor_of(ledger, pair, pair.crm.company, feed)):
        compare_clocks(observed, pair.crm.company, page, asked_at, clock())
        answers = read_bare(pair.crm, page)
        with ledger.transaction() as tx:
            for event in page.events:
                _take(tx, pair, event)
            for answer in answers:
                _take_fetched(tx, pair, answer, observed)
            keep_cursor(tx, pair, pair.crm.company, feed, page)
        observed.events += len(page.events)
        if stopping():
            return


def _stands_alone(pair: Pair, kinds: Sequence[str]) -> bool:
    """Whether no mapping but their own needs these kinds, and there is another kind of source."""
    needed = {role.kind for mapping in pair.mappings for role in mapping.roles}
    return needed.isdisjoint(kinds) and not source_kinds(pair).issubset(kinds)


def _judge_feed(ledger: Ledger, pair: Pair, feed: str, refused: TieoutError | None) -> None:
    """Keep the task that says what the CRM does not show; it closes when it is shown again."""
    subject = f"{pair.name}:{feed}"
    mappings = ", ".join(held.identity for held in pair.mappings if held.kind in feed.split("+"))
    wanted = [
        Wanted(
            "feed-refused",
            f"The CRM shows no {feed} records",
            f"Nothing is made by {mappings}; everything else goes on. {error}",
            f"{error.next} Or take {mappings} out of the pair's mappings.",
        )
        for error in [refused]
        if error is not None
    ]
    if wanted or ledger.all("task_open_of", family=FEED, subject=subject):
        with ledger.transaction() as tx:
            keep(
                tx,
                pair=pair.name,
                family=FEED,
                subject=subject,
                source=None,
                wanted=wanted,
            )


def read_sources(ledger: Ledger, pair: Pair, refs: Sequence[Ref], observed: Observed) -> None:
    """Read sources again by address, as a hint or a command asks; touch them all."""
    read_records(ledger, pair, refs, observed)
    with ledger.transaction() as tx:
        for ref in refs:
            touch(tx, pair, ref, reread=True)


def read_hinted(ledger: Ledger, pair: Pair, refs: Sequence[Ref], observed: Observed) -> None:
    """Read the sources that hints name, as a feed may show them only later.

    They are touched as by a feed: where nothing moved, as after our own write-back, nothing is.
    """
    kinds = source_kinds(pair)
    named = [ref for ref in refs if ref.company == pair.crm.company and ref.kind in kinds]
    read_records(ledger, pair, named, observed)


def read_related(ledger: Ledger, pair: Pair, observed: Observed) -> None:
    """Read the related records of touched sources that may be posted.

    A source that could not be read itself is asked for again first.
    A deal that its mapping's ``when`` already excludes by its own fields costs no call.
    """
    for kind in sorted(drafted_kinds(pair)):
        of_kind = {"pair": pair.name, "company": pair.crm.company, "kind": kind}
        unread = [row for row in _to_read(ledger, pair, kind) if row["state"] == "unreadable"]
        again = [Ref(pair.crm.company, kind, row["id"]) for row in unread]
        read_records(ledger, pair, again, observed)
        while waiting := _to_read(ledger, pair, kind):
            for mapping in (held for held in pair.mappings if held.kind == kind):
                _read_roles(ledger, pair, mapping, waiting, observed)
            with ledger.transaction() as tx:
                tx.many("touched_read", [{**of_kind, "id": row["id"]} for row in waiting])
            observed.sources.update(Ref(pair.crm.company, kind, row["id"]) for row in waiting)


def _read_roles(
    ledger: Ledger, pair: Pair, mapping: Mapping, waiting: Sequence[Row], observed: Observed
) -> None:
    """Read what one mapping needs beside its sources."""
    refs = [
        Ref(pair.crm.company, mapping.kind, row["id"])
        for row in waiting
        if row["state"] == "live" and _may_apply(mapping, row, pair.cutover_date)
    ]
    parents = {mapping.source: refs}
    for role in mapping.roles:
        parents[role.name] = _read_role(ledger, pair, role, parents[role.of], observed)


def watched_kinds(pair: Pair) -> frozenset[str]:
    """Return the CRM kinds that the mappings use."""
    return frozenset(
        kind
        for mapping in pair.mappings
        for kind in (mapping.kind, *(role.kind for role in mapping.roles))
    )


def source_kinds(pair: Pair) -> frozenset[str]:
    """Return the CRM kinds that documents are born from."""
    return frozenset(mapping.kind for mapping in pair.mappings)


def drafted_kinds(pair: Pair) -> frozenset[str]:
    """Return the CRM kinds that documents are drafted of: sources, and what they go together by."""
    by = (mapping.collects for mapping in pair.mappings)
    return source_kinds(pair) | frozenset(kind for kind in by if kind is not None)


@cache
def told_fields(mappings: tuple[Mapping, ...]) -> dict[str, frozenset[str]]:
    """Return for each CRM kind the fields that write-back tells."""
    told: dict[str, set[str]] = {}
    for mapping in mappings:
        for write in mapping.write_back:
            told.setdefault(kinds_of(mapping)[write.role], set()).add(write.field)
    return {kind: frozenset(names) for kind, names in told.items()}


def kinds_of(mapping: Mapping) -> dict[str, str]:
    """Return the kind of each record that a mapping names."""
    return {mapping.source: mapping.kind, **{role.name: role.kind for role in mapping.roles}}


def touch(tx: Writes, pair: Pair, ref: Ref, *, reread: bool) -> None:
    """Note that a source is to be drafted again; ``reread`` if its related records may differ."""
    tx.run("touch", pair=pair.name, **address_of(ref), reread=int(reread))


def read_records(ledger: Ledger, pair: Pair, refs: Sequence[Ref], observed: Observed) -> None:
    """Read CRM records by address into snapshots; what cannot be read keeps what was known."""
    for some in runs(list(dict.fromkeys(refs)), FETCHED_AT_ONCE):
        answers = list(pair.crm.fetch(some))
        with ledger.transaction() as tx:
            for answer in answers:
                _take_fetched(tx, pair, answer, observed)


def _read_role(
    ledger: Ledger, pair: Pair, role: Role, parents: Sequence[Ref], observed: Observed
) -> list[Ref]:
    """Read one role of all parents, and the members that no snapshot holds; return the members."""
    members: dict[Ref, None] = {}
    for some in runs(parents, RELATED_AT_ONCE):
        answers = list(pair.crm.related(some, role.role))
        with ledger.transaction() as tx:
            for answer in answers:
                _take_related(tx, pair, role, answer, observed)
                members.update(dict.fromkeys(answer.refs))
                for record in answer.records.values():
                    _keep_snapshot(tx, pair, record)
    unknown = [ref for ref in members if not _known(ledger, pair, ref)]
    read_records(ledger, pair, unknown, observed)
    return list(members)


def _take(tx: Writes, pair: Pair, event: Event) -> None:
    if event.seen is Seen.MERGED and event.merged_into is not None:
        _follow_merge(tx, pair, event.ref, event.merged_into)
        _touch_for(tx, pair, event.ref)
        _touch_for(tx, pair, event.merged_into)
    elif event.seen is Seen.GONE:
        _mark(tx, pair, event.ref, "gone")
        _touch_for(tx, pair, event.ref)
    elif event.record is not None and _keep_snapshot(tx, pair, event.record):
        _touch_for(tx, pair, event.ref)


def _take_fetched(tx: Writes, pair: Pair, answer: Fetched, observed: Observed) -> None:
    match answer:
        case Record():
            if _keep_snapshot(tx, pair, answer):
                _touch_for(tx, pair, answer.ref)
        case Gone(ref):
            _mark(tx, pair, ref, "gone")
            _touch_for(tx, pair, ref)
        case MergedInto(ref, into):
            _keep_snapshot(tx, pair, into)
            _follow_merge(tx, pair, ref, into.ref)
            _touch_for(tx, pair, ref)
            _touch_for(tx, pair, into.ref)
        case Unreadable(ref, error):
            observed.unreadable.append(answer)
            _mark(tx, pair, ref, "unreadable", reason=str(error))
            _touch_for(tx, pair, ref)


def _take_related(tx: Writes, pair: Pair, role: Role, answer: Related, observed: Observed) -> None:
    """Replace the known set; a set that could not be read is kept as not known, never as empty."""
    if answer.error is not None:
        observed.unreadable.append(Unreadable(answer.ref, answer.error))
    owner = {"pair": pair.name, **address_of(answer.ref)}
    tx.run(
        "related_set",
        **owner,
        role=answer.role,
        to_kind=role.kind,
        to_ids=canonical([ref.id for ref in answer.refs]),
        primary_id=None if answer.primary is None else answer.primary.id,
        reason=None if answer.error is None else str(answer.error),
    )
    tx.run("member_clear", **owner, role=answer.role, to_kind=role.kind)
    tx.many(
        "member_add",
        [
            {**owner, "role": answer.role, "to_kind": ref.kind, "to_id": ref.id}
            for ref in answer.refs
        ],
    )


def _keep_snapshot(tx: Writes, pair: Pair, record: Record) -> bool:
    """Store a record; return whether anything that a mapping may read differs.

    The fields that we write back are never kept: what we wrote is never a source, and its echo in
    the feed changes nothing here but the version (R45). What moved since the backup of a restored
    ledger may have been told something that this ledger does not know: it is told anew.
    """
    text = fields_text(_of_others(pair, record))
    held = tx.one("snapshot_get", pair=pair.name, **address_of(record.ref))
    moved = held is None or held["fields"] != text or held["state"] != "live"
    if held is not None and held["version"] != record.version and restored_from(tx, pair.name):
        tx.run("written_doubt", pair=pair.name, **address_of(record.ref))
    if moved or held is None or held["version"] != record.version:
        tx.run(
            "snapshot_set",
            pair=pair.name,
            **address_of(record.ref),
            version=record.version,
            fields=text,
            state="live",
            seen_at=tx.now_text(),
        )
    return moved


def _of_others(pair: Pair, record: Record) -> dict[str, Any]:
    """Return the fields that people write: without what we tell, and without a deal's own mark."""
    told = told_fields(pair.mappings).get(record.ref.kind, frozenset())
    fields = {name: held for name, held in record.fields.items() if name not in told}
    capability = pair.crm.capabilities.kinds.get(record.ref.kind)
    marker = capability.marker if capability else ""
    if marker in fields and fields[marker] in (None, own_mark(record.ref)):
        del fields[marker]
    return fields


def _follow_merge(tx: Writes, pair: Pair, old: Ref, new: Ref) -> None:
    """Note where a record went; what the books' customer was for it holds for the new one."""
    _mark(tx, pair, old, "merged", merged_into=new)
    moved = tx.run("bindings_follow", **address_of(old), new=new.id)
    if moved:
        tx.journal("tieout", "bindings followed a merge", str(old), {"into": new.id})


def _mark(
    tx: Writes,
    pair: Pair,
    ref: Ref,
    state: str,
    *,
    merged_into: Ref | None = None,
    reason: str | None = None,
) -> None:
    tx.run(
        "snapshot_mark",
        pair=pair.name,
        **address_of(ref),
        state=state,
        merged_into=None if merged_into is None else merged_into.id,
        reason=reason,
        seen_at=tx.now_text(),
    )
    if state in ("gone", "merged"):  # so nobody minds that it could not be told
        subject = untold(pair.name, ref)
        keep(tx, pair=pair.name, family=REFUSED, subject=subject, source=None, wanted=())


def _touch_for(tx: Writes, pair: Pair, ref: Ref) -> None:
    """Touch the source that a record is, or those that it belongs to."""
    if ref.kind in source_kinds(pair):
        touch(tx, pair, ref, reread=True)
    owners = _owners(tx, pair, ref)
    reread = ref.kind in _kinds_with_roles(pair)  # whom it names may be others now
    above = owners
    for _ in range(1 + max(len(mapping.roles) for mapping in pair.mappings)):  # so far they chain
        for owner in above:
            touch(tx, pair, owner, reread=reread)
        between = [owner for owner in above if owner.kind not in source_kinds(pair)]
        above = [owner for one in between for owner in _owners(tx, pair, one)]
        if not above:
            break
    if not owners and ref.kind in _kinds_of_lists(pair):
        touch(tx, pair, ref, reread=False)  # a stranger: its owners are asked for next


def _owners(tx: Writes, pair: Pair, ref: Ref) -> list[Ref]:
    """Return the records that have one among those which stand in a role to them."""
    rows = tx.all(
        "member_owners", pair=pair.name, company=ref.company, to_kind=ref.kind, to_id=ref.id
    )
    return [Ref(ref.company, row["kind"], row["id"]) for row in rows]


def _kinds_with_roles(pair: Pair) -> frozenset[str]:
    """Return the kinds in whose place others stand by whom they name, as a contact's company."""
    return frozenset(
        kinds_of(mapping)[role.of]
        for mapping in pair.mappings
        for role in mapping.roles
        if role.of != mapping.source
    )


def _touch_owners_of_strangers(ledger: Ledger, pair: Pair, observed: Observed) -> None:
    """Ask whose the records are that no known source has: a line was added to its deal.

    They are touched in the transaction that took them from the feed, which shows them once, and
    stay so until their owners are known.
    """
    for kind, sources in _kinds_of_lists(pair).items():
        address = {"pair": pair.name, "company": pair.crm.company, "kind": kind}
        after = ""
        while rows := ledger.all(
            "touched_strangers", **address, after=after, limit=RELATED_AT_ONCE
        ):
            after = rows[-1]["id"]
            asked = [Ref(pair.crm.company, kind, row["id"]) for row in rows]
            answers = [one for source in sources for one in pair.crm.related(asked, source)]
            unknown = set()
            with ledger.transaction() as tx:
                for answer in answers:
                    is_gone = isinstance(answer.error, NotFound)  # so nothing is made of it
                    if answer.error is not None and not is_gone:
                        observed.unreadable.append(Unreadable(answer.ref, answer.error))
                        unknown.add(answer.ref)
                    for owner in answer.refs:
                        touch(tx, pair, owner, reread=True)
                for ref in asked:
                    if ref not in unknown:
                        tx.run("stranger_known", pair=pair.name, **address_of(ref))


def _kinds_of_lists(pair: Pair) -> dict[str, list[str]]:
    """Return the kinds of which a source has many, each with the kinds of such sources."""
    lists: dict[str, set[str]] = {}
    for mapping in pair.mappings:
        for role in mapping.roles:
            if role.many and role.kind not in source_kinds(pair):
                lists.setdefault(role.kind, set()).add(mapping.kind)
    return {kind: sorted(sources) for kind, sources in lists.items()}


def _may_apply(mapping: Mapping, row: Row, cutover_date: date) -> bool:
    return not excluded_by_source(mapping, fields_of(row["fields"]), cutover_date)


def _to_read(ledger: Ledger, pair: Pair, kind: str) -> list[Row]:
    return ledger.all(
        "touched_to_read",
        pair=pair.name,
        company=pair.crm.company,
        kind=kind,
        limit=TOUCHED_AT_ONCE,
    )


def _known(ledger: Reads, pair: Pair, ref: Ref) -> bool:
    held = ledger.one("snapshot_get", pair=pair.name, **address_of(ref))
    return held is not None and held["state"] != "unreadable"
