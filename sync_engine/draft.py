"""draft: what each touched source says now, as a document or the reasons why there is none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Mapping as AnyMapping
from dataclasses import replace
from decimal import Decimal

from mapping.collecting import collective, customer_in, period_of
from mapping.drafting import Draft, Drafted, Setting, Skipped, draft, drafts
from mapping.rules import GroupRule, Held, Late, Mapping
from sync_engine.addresses import address_of, source_address, source_of
from sync_engine.collected import (
    Collective,
    going_along,
    is_customer,
    part_name,
    period_of_row,
    sent_with,
    sharing,
)
from sync_engine.credits import is_covered_by_credits
from sync_engine.estimate import estimate
from sync_engine.gather import gather
from sync_engine.ledger.spelling import fields_of, money_of
from sync_engine.ledger.store import Reads, Row
from sync_engine.marks import merged_ids
from sync_engine.mirror import preferences
from sync_engine.pair import Pair
from sync_engine.sketch import Sketch
from sync_engine.states import ASKED, LEFT_ALONE, UNREADABLE
from sync_engine.went_along import WENT_ALONG, Went, is_overruled, unsure, went
from tieout.model.change import Finding, Severity
from tieout.model.document import Document, Invoice
from tieout.model.money import Money, allocate
from tieout.model.ref import Key, Ref
from tieout.model.words import one_line

NO_SUCH_PART = "the mapping makes no such part of it"
NO_SOURCE = "nothing goes with it"
PERIODS_AHEAD = 240  # looked through for one that was not sent: twenty years of months
ZERO = Decimal(0)


def draft_source(
    ledger: Reads, pair: Pair, mapping: Mapping, ref: Ref, setting: Setting, part: str = ""
) -> Sketch:
    """Return what the mapping makes of one source as it was last shown: one of its documents."""
    sketches = draft_parts(ledger, pair, mapping, ref, setting)
    return next((one for one in sketches if one.part == part), sketches[0])


def draft_parts(
    ledger: Reads, pair: Pair, mapping: Mapping, ref: Ref, setting: Setting
) -> list[Sketch]:
    """Return every document that the mapping makes of one source as it was last shown.

    A document that it made before and makes no more is left out of what is to come. While it cannot
    be told what the parts are, those that are known share what the source comes to. Of a customer
    whose sources go together it is each document of theirs.
    """
    if is_customer(mapping, ref.kind):
        return list(_collectives(ledger, pair, mapping, ref, setting))
    gathered = gather(ledger, pair, mapping, ref)
    known = known_parts(ledger, pair, mapping, ref)
    sketch = Sketch(ref, mapping, _key(ledger, pair, mapping, ref), gathered.state, title=str(ref))
    if gathered.given is None:
        return _each(ledger, pair, replace(sketch, findings=gathered.findings), known)
    source = gathered.given.record
    sketch = replace(
        sketch,
        given=gathered.given,
        unread_files=gathered.unread_files,
        title=one_line(" ".join(filter(None, (str(ref), source.fields.get("name"))))),
        mark=source.fields.get("mark"),
        merged=merged_ids(source.fields),
    )
    if gathered.findings:
        net = estimate(mapping, gathered.given, setting)
        return _each(ledger, pair, replace(sketch, findings=gathered.findings, net=net), known)

    if mapping.group is not None:
        return [_member(ledger, pair, sketch, known.get(""), setting)]

    def generation_of(part: str) -> int:
        return _key(ledger, pair, mapping, ref, part).generation

    is_whole = "" in known and known[""]["state"] in ASKED  # posted before it was split
    of = replace(mapping, parts=()) if is_whole else mapping
    made = drafts(of, gathered.given, setting, generation_of)
    if "" in made and of.parts:
        return _each(ledger, pair, _sketched(sketch, made[""], setting), known)
    sketches = [
        _sketched(_of_part(ledger, pair, sketch, part), one, setting) for part, one in made.items()
    ]
    sketches = [replace(one, parts=tuple(made)) for one in sketches]
    gone = [_of_part(ledger, pair, sketch, part) for part in known if part not in made]
    return [*sketches, *(replace(one, skipped=NO_SUCH_PART) for one in gone)]


def known_parts(ledger: Reads, pair: Pair, mapping: Mapping, ref: Ref) -> dict[str, Row]:
    """Return the present document of each part that a mapping made of a source."""
    found: dict[str, Row] = {}
    for row in ledger.all("documents_of_source", **source_address(ref)):
        own = (row["pair"], row["mapping"], row["kind"])
        if own == (pair.name, mapping.identity, mapping.to) and row["state"] != "superseded":
            found.setdefault(row["part"], row)
    return found


def _member(
    ledger: Reads, pair: Pair, sketch: Sketch, held: Row | None, setting: Setting
) -> Sketch:
    """Return what a source makes alone, and the document of several that it goes with.

    Once that was sent it stays the source's, whatever the source says since.
    """
    mapping, given = sketch.mapping, sketch.given
    rule = mapping.group
    assert rule is not None
    assert given is not None
    generation = sketch.key.generation
    sent = None if held is None else sent_with(ledger, held["key"])
    if sent is not None:
        made = draft(mapping, given, setting, generation, period_of_row(sent))
        return _sketched(sketch, made, setting)
    made = draft(mapping, given, setting, generation)
    alone = _sketched(sketch, made, setting)
    customer = customer_in(given, rule)
    is_alone = held is not None and held["state"] in ASKED
    if is_alone or not isinstance(made, Drafted) or made.period is None or customer is None:
        return alone
    period = made.period
    for _ in range(PERIODS_AHEAD):
        code = "" if alone.document is None else alone.document.currency.code
        key = _key(ledger, pair, mapping, customer, part_name(period, code))
        alone = replace(alone, goes_with=Collective(key, customer, period, code))
        said = went(ledger, pair, alone, key)
        if said is Went.NOT_YET:
            return alone
        if said is Went.UNSURE and not is_overruled(ledger, sketch):
            return replace(alone, findings=(*alone.findings, unsure(alone, rule, period.name)))
        if rule.late is Late.HOLD:
            break
        period = period_of(period.due, rule.every_months)
        made = draft(mapping, given, setting, generation, period)
        alone = _sketched(sketch, made, setting)
    late = Finding(
        "late",
        Severity.BLOCK,
        f"{sketch.title} came after the invoice of {period.name} was sent.",
        "Let it fall into a later one, by the day that its mapping groups it by; or ignore it.",
        sketch.ref,
        rule.line,
        choices=(LEFT_ALONE,),
    )
    return replace(alone, findings=(*alone.findings, late))


def _collectives(
    ledger: Reads, pair: Pair, mapping: Mapping, customer: Ref, setting: Setting
) -> Iterator[Sketch]:
    """Yield each document of a customer's sources that go together, as they were last shown."""
    known = {
        row["key"]: row
        for row in ledger.all("documents_of_source", **source_address(customer))
        if (row["pair"], row["mapping"], row["kind"]) == (pair.name, mapping.identity, mapping.to)
        and row["state"] != "superseded"
    }
    by = {"pair": pair.name, "mapping": mapping.identity, **address_of(customer)}
    found = {row["collective"]: row for row in ledger.all("collected_by", **by)}
    parts = {key: row["part"] for key, row in known.items()}
    parts |= {key: part_name(period_of_row(row), row["currency"]) for key, row in found.items()}
    shown = ledger.one("snapshot_get", pair=pair.name, **address_of(customer))
    name = None if shown is None else fields_of(shown["fields"]).get("name")
    for key, part in parts.items():
        whose = one_line(" ".join(filter(None, (str(customer), name))))
        sketch = Sketch(
            customer,
            mapping,
            Key.parse(key),
            "live",
            title=f"{whose} ({part})",
            part=part,
            parts=tuple(parts.values()),
            skipped=NO_SOURCE,
        )
        row = found.get(key)
        yield sketch if row is None else _collective(ledger, pair, sketch, row, setting)


def _collective(ledger: Reads, pair: Pair, sketch: Sketch, row: Row, setting: Setting) -> Sketch:
    rule = sketch.mapping.group
    assert rule is not None
    held = ledger.one("document_get", key=str(sketch.key))
    was_sent = held is not None and held["state"] in ASKED
    members = (sharing if was_sent else going_along)(ledger, str(sketch.key))
    along = [
        (one["key"], draft_source(ledger, pair, sketch.mapping, source_of(one), setting))
        for one in members
    ]
    made = [
        (key, one.document)
        for key, one in along
        if isinstance(one.document, Invoice) and one.state == "live" and not one.skipped
        if one.document.currency.code == row["currency"]  # a source may change it afterwards
        if was_sent or _still_goes(one, sketch.key)
    ]
    if not made:
        return sketch
    whole = collective([one for _, one in made], sketch.key, sketch.ref, sketch.part)
    period = period_of_row(row)
    address = {"pair": pair.name, "mapping": sketch.mapping.identity, **address_of(sketch.ref)}
    left_out = ledger.all("collected_held", **address, period=period.name, currency=row["currency"])
    return replace(
        sketch,
        skipped="",
        document=whole,
        findings=tuple(_awaited(sketch, rule, left_out)),
        net=whole.net,
        is_dated=True,
        day=period.due,
        members=tuple(made),
    )


def _still_goes(member: Sketch, key: Key) -> bool:
    """Whether a source goes with a document now; its row may be of a ledger that was restored."""
    goes = member.goes_with is not None and member.goes_with.key == key
    return goes and all(found.code != WENT_ALONG for found in member.findings)


def _awaited(sketch: Sketch, rule: GroupRule, left_out: Sequence[Row]) -> Iterator[Finding]:
    """Find what a document of several waits for: what cannot be read now, and what is held."""
    unread = [row["title"] for row in left_out if row["reason"] == UNREADABLE]
    if unread:
        yield Finding(
            "unreadable",
            Severity.BLOCK,
            f"It waits for {', '.join(unread)}, which cannot be read now.",
            "Nothing to do: it is read again in the next round.",
            sketch.ref,
            rule.line,
        )
    elif left_out and rule.held is Held.WAIT:
        yield Finding(
            "waits-for-held",
            Severity.BLOCK,
            f"It waits for {', '.join(row['title'] for row in left_out)}, which is held.",
            "Mend what holds it, or `ignore` its task: then the others go without it.",
            sketch.ref,
            rule.line,
        )


def _of_part(ledger: Reads, pair: Pair, sketch: Sketch, part: str) -> Sketch:
    key = _key(ledger, pair, sketch.mapping, sketch.ref, part)
    return replace(sketch, key=key, part=part)


def _each(ledger: Reads, pair: Pair, whole: Sketch, known: AnyMapping[str, Row]) -> list[Sketch]:
    """Return what holds for a whole source, of each document that it is known to have.

    Each has its share of what the source comes to, so that together they hold it once.
    """
    rows = {part: row for part, row in known.items() if part and row["state"] != "skipped"}
    if not rows or not whole.mapping.parts:
        return [whole]
    held = [money_of(row["net"], row["currency"]) for row in rows.values()]
    nets: Sequence[Money | None] = held
    if whole.net is not None:
        weights = [ZERO if net is None else abs(net.amount) for net in held]
        nets = allocate(whole.net, weights)
    return [
        replace(_of_part(ledger, pair, whole, part), net=net, parts=tuple(rows))
        for part, net in zip(rows, nets, strict=True)
    ]


def _sketched(sketch: Sketch, made: Draft, setting: Setting) -> Sketch:
    match made:
        case Skipped(why, _, trace):
            return replace(sketch, skipped=why, trace=trace)
        case Drafted(document, findings, trace, part):
            assert sketch.given is not None
            if part is not None:
                net: Money | None = part.net
            elif document is None or _says_nothing(document, sketch.mapping, findings):
                net = estimate(sketch.mapping, sketch.given, setting)
            else:
                net = document.net
            title = one_line(document.title) if document and document.title else sketch.title
            if part is not None:
                title = f"{title} ({part.name})"
            return replace(
                sketch,
                document=document,
                findings=findings,
                trace=trace,
                net=net,
                title=title,
                is_dated=part is not None and part.rule.date is not None,
                day=None if part is None else part.day,
            )


def _says_nothing(document: Document, mapping: Mapping, findings: Sequence[Finding]) -> bool:
    """Whether a document does not tell what its source comes to: the mapping may know better."""
    if isinstance(document, Invoice) and not document.lines:
        return True
    return mapping.worth is not None and any(one.severity is Severity.BLOCK for one in findings)


def _key(ledger: Reads, pair: Pair, mapping: Mapping, ref: Ref, part: str = "") -> Key:
    """Return the document's key, in the generation that the ledger or the books hold.

    The books may know a later one than a ledger that was lost or restored. They are believed where
    nothing lives of those before it but what was credited whole, as it was when it was issued.
    """
    first = Key.of(
        ref,
        mapping=mapping.identity,
        document=mapping.to,
        target_company=pair.books.company,
        part=part,
    )
    held = ledger.value("document_generation", stem=first.stem)
    known = Key(first.stem, 1 if held is None else int(str(held)))
    carried = ledger.all(
        "mirror_generations",
        company=pair.books.company,
        kind=mapping.to,
        first=f"{first.stem}-",
        behind=f"{first.stem}.",
    )
    living = [row for row in carried if row["live"]]
    if len(living) > 1:
        living = [row for row in living if not is_covered_by_credits(ledger, row)]
    generations = [Key.parse(row["marker"]).generation for row in living]
    is_later = len(generations) == 1 and generations[0] > known.generation
    return Key(first.stem, generations[0]) if is_later else known


def setting_of(ledger: Reads, pair: Pair) -> Setting:
    """Return where documents are made: the facts that formulas and keys need."""
    return Setting(
        target_company=pair.books.company,
        cutover_date=pair.cutover_date,
        home_currency=preferences(ledger, pair).get("home_currency"),
        rounding=pair.rounding,
    )
