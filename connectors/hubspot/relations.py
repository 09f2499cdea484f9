"""The whole set of records in a role: by associations that page, or by a property (owners).

An association read answers up to a thousand records at once; each may have more pages of its own.
HubSpot says itself when a record has none (NO_ASSOCIATIONS_FOUND); one that is not answered at all
is asked for alone, and if that says nothing, it is not known: never an empty set (pain 13).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from typing import Any

from connectors.hubspot.facts import Kind, Relation
from connectors.hubspot.labels import labelled, leave_labelled
from connectors.hubspot.reading import ASSOCIATIONS_BATCH, Reading
from connectors.hubspot.refusals import context_ids, refusal
from connectors.hubspot.wire import next_after, refusals, rows
from tieout.model.enclosed import is_ours
from tieout.model.errors import InvalidField, NotFound, TieoutError, Unavailable, Unsupported
from tieout.model.record import Fetched, Gone, MergedInto, Record, Related, Unreadable
from tieout.model.ref import Ref
from tieout.model.role import way_and_label
from tieout.transport import Answer

OLDER_ASSOCIATIONS_BATCH = 100  # the most before 2025
ASSOCIATIONS_PAGE = 500
PAGES_LIMIT = 1_000
NONE_FOUND = "NO_ASSOCIATIONS_FOUND"
PRIMARY = "primary"  # how the label of such a type begins


@dataclass(slots=True)
class Links:
    """What an association read said: ids in its order with their association types and labels."""

    to: dict[str, dict[str, set[str]]] = field(default_factory=dict)
    more: dict[str, str] = field(default_factory=dict)
    none: set[str] = field(default_factory=set)
    refused: dict[str, TieoutError] = field(default_factory=dict)


def related(reading: Reading, refs: Sequence[Ref], role: str) -> Iterator[Related]:
    """Yield the set of each asked, in the order asked within a kind.

    Line items come with their records, since their order is one of their fields; owners too, since
    they are few. Other records are the engine's to fetch, once for all that share them.
    """
    by_kind: dict[str, list[Ref]] = {}
    for ref in refs:
        by_kind.setdefault(ref.kind, []).append(ref)
    for name, asked in by_kind.items():
        kind = reading.facts.kinds.get(name)
        way, label = way_and_label(role)
        relation = kind.relations.get(way) if kind is not None else None
        unlabelled = relation is not None and (relation.through or relation.property)
        if kind is None or relation is None or (label and unlabelled):
            error = Unsupported(f"HubSpot's connector knows no {role} of a {name}.")
            yield from (Related(ref, role, error=error) for ref in asked)
            continue
        for start in range(0, len(asked), ASSOCIATIONS_BATCH):
            part = asked[start : start + ASSOCIATIONS_BATCH]
            if relation.through:
                yield from _through(reading, kind, relation, part, role)
            elif relation.property:
                yield from _by_property(reading, part, role)
            else:
                yield from _by_association(reading, kind, relation, part, role, label)


def _through(
    reading: Reading, kind: Kind, relation: Relation, refs: Sequence[Ref], role: str
) -> Iterator[Related]:
    """Find files: a record's notes name them. One that was deleted since is in no set."""
    between = reading.facts.kinds[relation.through]
    try:
        links = _links(reading, kind, between, list(dict.fromkeys(ref.id for ref in refs)))
    except TieoutError as error:
        yield from (Related(ref, role, error=error) for ref in refs)
        return
    notes = _records(reading, Relation(relation.through), links)
    named = {
        one: str(note.fields.get("file_ids") or "").split(";")
        for one, note in notes.items()
        if isinstance(note, Record) and not is_ours(note.fields.get("body"))
    }
    wanted = dict.fromkeys(each.strip() for ids in named.values() for each in ids if each.strip())
    asked = [Ref(reading.company, relation.to, each) for each in wanted]
    files = {answer.ref: answer for answer in reading.files.fetch(asked)}
    for ref in refs:
        yield _files(reading, ref, role, relation, links, notes, named, files)


def _files(
    reading: Reading,
    ref: Ref,
    role: str,
    relation: Relation,
    links: Links,
    notes: Mapping[str, Record | TieoutError],
    named: Mapping[str, Sequence[str]],
    files: Mapping[Ref, Fetched],
) -> Related:
    between = _set(reading, ref, role, Relation(relation.through), links, {})
    if between.error is not None:
        return between
    held: dict[Ref, Record] = {}
    for note in between.refs:
        read = notes[note.id]
        if isinstance(read, TieoutError):
            return Related(ref, role, error=read)
        for each in filter(None, map(str.strip, named.get(note.id, ()))):
            answer = files[Ref(reading.company, relation.to, each)]
            if isinstance(answer, Unreadable):
                return Related(ref, role, error=answer.error)
            if isinstance(answer, Record):
                held[answer.ref] = answer
    return Related(ref, role, refs=tuple(held), records=held)


def _by_association(
    reading: Reading, kind: Kind, relation: Relation, refs: Sequence[Ref], role: str, label: str
) -> Iterator[Related]:
    target = reading.facts.kinds[relation.to]
    try:
        links = _links(reading, kind, target, list(dict.fromkeys(ref.id for ref in refs)))
        if label:
            leave_labelled(reading, kind, target, links.to, label)
    except TieoutError as error:
        yield from (Related(ref, role, error=error) for ref in refs)
        return
    records = _records(reading, relation, links) if relation.order else {}
    for ref in refs:
        yield _set(reading, ref, role, relation, links, records)


def _set(
    reading: Reading,
    ref: Ref,
    role: str,
    relation: Relation,
    links: Links,
    records: Mapping[str, Record | TieoutError],
) -> Related:
    if ref.id in links.refused:
        return Related(ref, role, error=links.refused[ref.id])
    found = links.to.get(ref.id)
    if found is None and ref.id not in links.none:
        error = Unavailable("HubSpot's answer left out its associations.", record=str(ref))
        return Related(ref, role, error=error)
    ids = list(found or ())
    held: dict[str, Record] = {}
    if relation.order:
        for one in ids:
            record = records[one]
            if isinstance(record, TieoutError):
                return Related(ref, role, error=record)
            held[one] = record
        ids.sort(key=lambda one: _place(held[one], relation.order))
    refs = {one: Ref(reading.company, relation.to, one) for one in ids}
    primary = _primary(found or {}, relation)
    return Related(
        ref,
        role,
        refs=tuple(refs.values()),
        primary=refs.get(primary),
        records={refs[one]: record for one, record in held.items()},
    )


def _primary(found: Mapping[str, set[str]], relation: Relation) -> str:
    """Return the one that HubSpot calls primary, by type (R41) or label, else the only one."""
    if relation.primary is not None:
        for name in (str(relation.primary), PRIMARY):
            named = [one for one, types in found.items() if name in types]
            if len(named) == 1:
                return named[0]
    return next(iter(found)) if len(found) == 1 else ""


def _place(record: Record, order: str) -> tuple[bool, Decimal, int]:
    """The place of a line: by its position, blanks last, then by id."""
    position = record.fields.get(order)
    if isinstance(position, Decimal):
        return (False, position, int(record.ref.id))
    return (True, Decimal(0), int(record.ref.id))


def _links(reading: Reading, kind: Kind, target: Kind, ids: Sequence[str]) -> Links:
    """Read the associations of up to a thousand records, every page.

    Raises:
        TieoutError: a page was refused or not answered.
    """
    path = reading.path("associations", f"{kind.object}/{target.object}/batch/read")
    links = Links()
    inputs: list[dict[str, str]] = [{"id": one} for one in ids]
    for _ in range(PAGES_LIMIT):
        asked, rest = inputs[: reading.links_at_once], inputs[reading.links_at_once :]
        links.more = {}
        try:
            reading.wire.ask("POST", path, {"inputs": asked}, understand=partial(_add, links))
        except InvalidField:
            if len(asked) <= OLDER_ASSOCIATIONS_BATCH:
                raise
            reading.links_at_once = OLDER_ASSOCIATIONS_BATCH
            continue
        again = [{"id": one, "after": after} for one, after in links.more.items()]
        if any(one in asked for one in again):
            raise Unavailable(f"A page of the associations of {kind.object} leads to itself.")
        inputs = rest + again
        if not inputs:
            known = {*links.to, *links.none, *links.refused}
            for one in ids:
                if one not in known:
                    _ask_alone(reading, kind, target, one, links)
            return links
    raise Unavailable(f"The associations of {kind.object} did not end.")


def _ask_alone(reading: Reading, kind: Kind, target: Kind, source: str, links: Links) -> None:
    """Read what a batch left out without a word, every page; an empty list is HubSpot's own."""
    path = reading.path("objects", f"{kind.object}/{source}/associations/{target.object}")
    found: dict[str, set[str]] = {}
    after = ""
    try:
        for _ in range(PAGES_LIMIT):
            query = {"limit": str(ASSOCIATIONS_PAGE), **({"after": after} if after else {})}
            asked = after
            after = reading.wire.ask("GET", path, understand=partial(_add_page, found), **query)
            if not after:
                links.to[source] = found
                return
            if after == asked:
                break
        links.refused[source] = Unavailable(f"The associations of {kind.object} did not end.")
    except TieoutError as error:
        links.refused[source] = error


def _add_page(found: dict[str, set[str]], answer: Answer) -> str:
    _add_links(found, rows(answer), answer)
    return next_after(answer.json)


def _add(links: Links, answer: Answer) -> None:
    links.more = {}
    for row in rows(answer, "from", "to"):
        source = str(row["from"].get("id")) if isinstance(row["from"], Mapping) else ""
        _add_links(links.to.setdefault(source, {}), row["to"], answer)
        after = next_after(row)
        if after:
            links.more[source] = after
    for told in refusals(answer):
        ids = context_ids(told, "fromObjectId", "ids", "id")
        if NONE_FOUND in str(told.get("subCategory") or ""):
            links.none.update(ids)
        elif told.get("category"):
            error = refusal(told, str(answer.status), answer.trace_id)
            links.refused.update(dict.fromkeys(ids, error))


def _add_links(
    found: dict[str, set[str]], told: Sequence[Mapping[str, Any]], answer: Answer
) -> None:
    """Add linked ids with what names their types: id, label, and whether it is a primary one.

    Raises:
        Unavailable: one of them has no id.
    """
    for one in told:
        linked = one.get("toObjectId") or one.get("id")
        if not linked:
            raise answer.unclear("HubSpot did not say to what a record is linked.")
        names = found.setdefault(str(linked), set())
        for type_ in one.get("associationTypes") or ():
            names.add(str(type_.get("typeId")))
            label = str(type_.get("label") or "")
            if label:
                names.add(labelled(label))
            if type_.get("category") == "HUBSPOT_DEFINED" and label.lower().startswith(PRIMARY):
                names.add(PRIMARY)


def _records(
    reading: Reading, relation: Relation, links: Links
) -> Mapping[str, Record | TieoutError]:
    """Read all linked records, each once; one that is not read is its error."""
    ids = dict.fromkeys(one for found in links.to.values() for one in found)
    refs = [Ref(reading.company, relation.to, one) for one in ids]
    known: dict[str, Record | TieoutError] = {}
    for answer in reading.fetch(refs):
        match answer:
            case Record():
                known[answer.ref.id] = answer
            case Unreadable(ref, error):
                known[ref.id] = error
            case Gone(ref, evidence):
                known[ref.id] = Unavailable(
                    f"It is linked and yet gone ({evidence}): HubSpot is still archiving it.",
                    record=str(ref),
                )
            case MergedInto(ref, into):
                known[ref.id] = into
    return known


def _by_property(reading: Reading, refs: Sequence[Ref], role: str) -> Iterator[Related]:
    """Find owners: their id is a property of the record, most often read before."""
    try:
        owners = reading.owners.listed()
        ids = dict(_owner_ids(reading, refs))
    except TieoutError as error:
        yield from (Related(ref, role, error=error) for ref in refs)
        return
    for ref in refs:
        owner_id = ids[ref]
        if isinstance(owner_id, TieoutError):
            yield Related(ref, role, error=owner_id)
        elif owner_id and (owners is None or owner_id in owners):
            owner = reading.owners.nameless(owner_id) if owners is None else owners[owner_id]
            yield Related(ref, role, (owner.ref,), owner.ref, {owner.ref: owner})
        else:
            yield Related(ref, role)


def _owner_ids(reading: Reading, refs: Sequence[Ref]) -> Iterator[tuple[Ref, str | TieoutError]]:
    """Yield each record's owner, empty where it has none; an error where that is not known."""
    known = dict(reading.owners.of)  # as it is now: other threads read on, and old ones are dropped
    yield from ((ref, known[ref] or "") for ref in refs if ref in known)
    for answer in reading.fetch([ref for ref in refs if ref not in known]):
        match answer:
            case Unreadable(ref, error):
                yield ref, error
            case Gone(ref, evidence):
                yield ref, NotFound(f"It is gone: {evidence}.", record=str(ref))
            case MergedInto(ref, into):
                yield ref, _owner_id(reading, into.ref)
            case Record(ref):
                yield ref, _owner_id(reading, ref)


def _owner_id(reading: Reading, ref: Ref) -> str | TieoutError:
    try:
        return reading.owners.of[ref] or ""
    except KeyError:
        return Unsupported(f"The owner of a {ref.kind} is not among what is read.")
