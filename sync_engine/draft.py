"""draft: what each touched source says now, as a document or the reasons why there is none."""

from __future__ import annotations

import re
from collections.abc import Mapping as AnyMapping
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from mapping.drafting import Draft, Drafted, Given, Setting, Skipped, Trace, drafts, worth
from mapping.functions import FormulaError, ValueMissing
from mapping.rules import InvoiceRules, Mapping
from sync_engine.addresses import source_address
from sync_engine.credits import is_covered_by_credits
from sync_engine.gather import gather
from sync_engine.ledger.spelling import money_of
from sync_engine.ledger.store import Reads, Row
from sync_engine.marks import merged_ids
from sync_engine.mirror import preferences
from sync_engine.pair import Pair
from sync_engine.states import ASKED
from tieout.model.canonical import Plain, plain
from tieout.model.change import Finding, Severity
from tieout.model.document import HUNDRED, Document, Invoice, Payment
from tieout.model.errors import ValueRefused
from tieout.model.money import Currency, Money, allocate, currency, total
from tieout.model.record import Fields
from tieout.model.ref import Key, Ref
from tieout.model.words import one_line

NO_TRACE = Trace()
NO_SUCH_PART = "the mapping makes no such part of it"
ZERO = Decimal(0)
NOTHING = ZERO  # what a line without quantity or price comes to, as in the CRM
UNKNOWN_PLACES = 2  # of the amounts of a currency that no list knows

_CODE = re.compile(r"[A-Z]{3}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Sketch:
    """What a source says now.

    Attributes:
        ref: the source.
        mapping: the mapping that was asked.
        key: the document's key in its present generation.
        part: which of the source's documents it is; empty for the whole.
        parts: all of them, as its source says now.
        is_dated: whether it is not to be posted before ``day``, nor while there is none.
        day: that day.
        state: live, gone, merged, unreadable, unknown: of the source.
        document: what would be posted; None when skipped or when a needed value is missing.
        skipped: why the mapping leaves the source alone; empty when it does not.
        findings: what was found while drafting.
        net: what the source comes to, also where no document could be made; None when unknown.
        mark: the deal's own mark as the CRM holds it.
        merged: ids that were merged into this source.
        unread_files: why its files are not all known; it holds nothing back.
    """

    ref: Ref
    mapping: Mapping
    key: Key
    state: str
    document: Document | None = None
    skipped: str = ""
    findings: tuple[Finding, ...] = ()
    trace: Trace = NO_TRACE
    net: Money | None = None
    title: str = ""
    mark: str | None = None
    merged: tuple[str, ...] = ()
    given: Given | None = None
    part: str = ""
    parts: tuple[str, ...] = ("",)
    is_dated: bool = False
    day: date | None = None
    unread_files: tuple[Finding, ...] = ()


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
    be told what the parts are, those that are known share what the source comes to.
    """
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


def estimate(mapping: Mapping, given: Given, setting: Setting) -> Money | None:
    """Return what a source comes to although it cannot be posted.

    As the mapping says, else what its lines come to, else its own amount.

    Only for what a task names as held back: nothing is ever posted from it.
    """
    fields = given.record.fields
    unit = _unit_estimate(fields.get("currency"), setting)
    if unit is None:
        return None
    said = worth(mapping, given, setting)
    if said is not None:
        return Money.rounded(said, unit, setting.rounding)
    rules = mapping.document
    rows = given.related.get(rules.lines.rows, ()) if isinstance(rules, InvoiceRules) else ()
    try:
        if isinstance(rules, InvoiceRules) and rows:
            parts = [_line_estimate(rules, row.fields, mapping, row.ref.id) for row in rows]
            return total((Money.rounded(part, unit, setting.rounding) for part in parts), unit)
    except (ValueRefused, FormulaError, ArithmeticError, TypeError):
        pass  # a line cannot be computed: what the source itself says is the next best
    try:
        amount = fields.get("amount")
        return None if amount is None else Money.rounded(Decimal(amount), unit, setting.rounding)
    except (ValueRefused, ArithmeticError, TypeError):
        return None


def _unit_estimate(code: object, setting: Setting) -> Currency | None:
    """Return a source's currency; one that no list knows keeps its code, what is none is home."""
    for one in (code, setting.home_currency):
        try:
            return currency(str(one or ""))
        except ValueRefused:
            if _CODE.fullmatch(str(one)):
                return Currency(str(one), UNKNOWN_PLACES)
    return None


def _line_estimate(rules: InvoiceRules, fields: Fields, mapping: Mapping, row_id: str) -> Decimal:
    known = dict.fromkeys(mapping.fields[rules.lines.rows])
    row = {**known, **fields, "id": row_id}
    scope = {rules.lines.each: row}
    try:
        quantity = rules.lines.cells["quantity"].evaluate(scope)
        price = rules.lines.cells["unit_price"].evaluate(scope)
    except ValueMissing:
        return NOTHING
    if quantity is None or price is None:
        return NOTHING
    full = Decimal(quantity * price)
    rule = rules.lines.discount
    off = rule.value.evaluate(scope) if rule is not None else None
    if not off or rule is None:
        return full
    return full * (1 - Decimal(off) / HUNDRED) if rule.is_percent else full - Decimal(off)


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


def content_of(document: Document | None) -> Plain:
    """Return what a document says, as far as its own source decides it.

    A company's or item's edit is left out: it never makes drift on what is posted.
    """
    match document:
        case Invoice():
            return {
                "net": plain(document.net),
                "date": plain(document.date),
                "currency": document.currency.code,
                "purchase_order": document.purchase_order,
                "customer": None
                if document.customer.source is None
                else [document.customer.source.kind, document.customer.source.id],
                "lines": [
                    {
                        "description": line.description,
                        "quantity": plain(line.quantity),
                        "unit_price": plain(line.unit_price),
                        "amount": plain(line.amount.amount),
                    }
                    for line in document.lines
                ],
            }
        case Payment():
            return {
                "amount": plain(document.amount),
                "date": plain(document.date),
                "reference": document.reference,
                "method": document.method,
            }
    return None


def order_of(document: Document | None) -> str | None:
    """Return the purchase order number of an invoice."""
    return document.purchase_order if isinstance(document, Invoice) else None


def setting_of(ledger: Reads, pair: Pair) -> Setting:
    """Return where documents are made: the facts that formulas and keys need."""
    return Setting(
        target_company=pair.books.company,
        cutover_date=pair.cutover_date,
        home_currency=preferences(ledger, pair).get("home_currency"),
        rounding=pair.rounding,
    )
