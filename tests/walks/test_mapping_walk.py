"""A deal and its mapping change at random, and a plain model beside them says what is drafted: the
same each time, lines that sum to the total, a trace of each value, a hash that moves with content.
"""

from __future__ import annotations

import json
from collections.abc import Mapping as AnyMapping
from dataclasses import replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from searching import share

from mapping.compiler import load
from mapping.drafting import Drafted, Given, Setting, draft
from mapping.rules import Mapping
from mapping.trace import Trace
from sync_engine.sketch import content_of
from tieout.model.canonical import canonical
from tieout.model.change import Create, Plan
from tieout.model.document import Invoice
from tieout.model.record import Record
from tieout.model.ref import Ref, Version

FIELDS = {
    "deal": {
        "name": "text", "close_date": "date", "amount": "money", "currency": "text", "off": "number", "po": "text",
        "is_won": "flag",
    },
    "company": {"name": "text", "country": "text"},
    "line_item": {"name": "text", "quantity": "number", "price": "money", "off": "number"},
}  # fmt: skip
CELLS = {  # each cell, and what people write in it
    "memo": ['=join(" ", "Deal", deal.id, deal.name)', "Thank you", "=deal.name", "null"],
    "terms": ["Net 30", '=lookup("terms", company.country)', "=coalesce(deal.po, company.country)"],
    "due_date": ["=deal.close_date + 30", "null", "=max(deal.close_date, cutover_date)"],
    "purchase_order": ["=deal.po", "null", '=deal.po if deal.is_won else "none"'],
}
LINE_CELLS = {
    "unit_price": ["=line.price", "=round(line.price * 1.1, 4)", "=line.price / 4 * 4"],
    "description": ["=line.name", '=join(": ", deal.name, line.name)', "Consulting"],
    "when": ["=line.quantity != 0", "=line.price is not None", "=True"],
}
DISCOUNTS = ["null", "=deal.off", "10", "{percent: =deal.off}", "{amount: 1}"]
PRICES = ("exclusive", "inclusive")
TEMPLATE = """\
mapping: walk
version: {version}
from: hubspot.deal
to: invoice
with:
  company: deal.company
  lines: deal.line_items[]
when: =deal.is_won
invoice:
  customer:
    match: [{{name: =company.name}}]
  date: =deal.close_date
  currency: =deal.currency
  memo: '{memo}'
  terms: '{terms}'
  due_date: {due_date}
  purchase_order: {purchase_order}
  discount: {discount}
  tax: {{prices: {prices}, compute: books}}
  lines:
    for: line in lines
    when: {when}
    item: {{match: [{{name: =line.name}}], none: default, default: Services}}
    description: '{description}'
    quantity: =line.quantity
    unit_price: {unit_price}
    discount: {line_discount}
tables:
  terms: {{DE: Net 14, NO: Net 10}}
"""
CELL = {name: st.sampled_from(texts) for name, texts in {**CELLS, **LINE_CELLS}.items()}
AMOUNTS = st.decimals(0, 5_000, places=2)
TEXTS = st.text("abÄ é", min_size=1, max_size=6).map(str.strip)
LINES = st.fixed_dictionaries(
    {
        "name": TEXTS,
        "quantity": st.integers(0, 40).map(Decimal),
        "price": AMOUNTS,
        "off": st.none() | st.integers(0, 100).map(Decimal),
    }
)
DEAL_FIELDS = {
    "name": TEXTS,
    "close_date": st.dates(date(2026, 1, 1), date(2026, 12, 31)),
    "amount": AMOUNTS,
    "currency": st.sampled_from(["EUR", "JPY", "KWD"]),
    "off": st.none() | st.integers(0, 100).map(Decimal),
    "po": st.none() | TEXTS,
    "is_won": st.booleans() | st.just(True),
}
DEAL = {
    "name": "Rollout", "close_date": date(2026, 3, 31), "amount": Decimal(100), "currency": "EUR", "off": None,
    "po": None, "is_won": True,
}  # fmt: skip


def record(kind: str, number: str, fields: AnyMapping[str, Any]) -> Record:
    return Record(Ref("hubspot:1", kind, number), Version("1"), dict(fields))


class MappingWalk(RuleBasedStateMachine):
    """One deal with its company and lines, and the mapping that drafts it."""

    @initialize(lines=st.lists(LINES, min_size=1, max_size=5), discount=st.sampled_from(DISCOUNTS))
    def start(self, lines: list[dict[str, Any]], discount: str) -> None:
        self.cells: dict[str, str] = {
            name: texts[0] for name, texts in {**CELLS, **LINE_CELLS}.items()
        }
        self.cells |= {
            "version": "1",
            "discount": discount,
            "prices": "exclusive",
            "line_discount": "=line.off",
        }
        self.deal, self.lines = dict(DEAL), lines
        self.company = {"name": "Bär", "country": "DE"}
        self.known: dict[str, str] = {}  # what was drafted, by its hash
        self.compile()

    def compile(self) -> None:
        self.mapping: Mapping = load(TEMPLATE.format(**self.cells), FIELDS, name="walk.yaml")

    # -- what people change ---------------------------------------------------------------------

    @rule(name=st.sampled_from(sorted(CELL)), data=st.data())
    def write_a_cell(self, name: str, data: st.DataObject) -> None:
        self.cells[name] = data.draw(CELL[name])
        self.compile()

    @rule(
        discount=st.sampled_from(DISCOUNTS), of_line=st.booleans(), prices=st.sampled_from(PRICES)
    )
    def price_otherwise(self, discount: str, of_line: bool, prices: str) -> None:
        self.cells |= {"line_discount" if of_line else "discount": discount, "prices": prices}
        self.compile()

    @rule()
    def raise_the_version(self) -> None:
        self.cells["version"] = str(int(self.cells["version"]) + 1)
        self.compile()

    @rule(name=st.sampled_from(sorted(DEAL_FIELDS)), data=st.data())
    def edit_the_deal(self, name: str, data: st.DataObject) -> None:
        self.deal[name] = data.draw(DEAL_FIELDS[name])

    @rule(lines=st.lists(LINES, max_size=5))
    def edit_the_lines(self, lines: list[dict[str, Any]]) -> None:
        self.lines = lines

    @rule(country=st.sampled_from(["DE", "NO", "FR", None]))
    def move_the_company(self, country: str | None) -> None:
        self.company["country"] = country

    # -- what is drafted ------------------------------------------------------------------------

    def drafted(self, *, reads: Reads | None = None) -> Drafted | None:
        """The draft of the deal as it is, None where the mapping leaves it alone."""
        lines = [record("line_item", str(n), fields) for n, fields in enumerate(self.lines, 1)]
        given = Given(
            record("deal", "901", self.deal),
            {"company": (record("company", "31", self.company),), "lines": tuple(lines)},
            {},
        )
        made = draft(self.mapping, given, Setting("books:1", date(2026, 1, 1), "EUR"))
        if reads is not None:
            reads.of(made.trace)
        return made if isinstance(made, Drafted) else None

    @invariant()
    def a_deal_is_left_alone_when_the_mapping_says_so(self) -> None:
        assert (self.drafted() is None) is not self.deal["is_won"]

    @invariant()
    def what_is_drafted_twice_is_the_same(self) -> None:
        first, second = self.drafted(), self.drafted()
        if first is None or second is None:
            return
        assert canonical(content_of(first.document)) == canonical(content_of(second.document))
        assert first.findings == second.findings
        assert [str(made) for made in first.trace.made] == [str(made) for made in second.trace.made]

    @invariant()
    def the_lines_sum_to_the_net_and_to_what_a_calculator_says(self) -> None:
        made = self.drafted()
        if made is None or not isinstance(made.document, Invoice):
            return
        document = made.document
        if not document.lines:
            assert "no-lines" in {finding.code for finding in made.findings}
            return
        step = Decimal(1).scaleb(-document.currency.exponent)
        before = [self.by_hand(line, step) for line in document.lines]
        assert [line.before_document_discount.amount for line in document.lines] == before
        assert document.net.amount == sum(
            (line.amount.amount for line in document.lines), Decimal(0)
        )
        assert document.net.amount == sum(before, Decimal(0)) - self.off_by_hand(
            sum(before, Decimal(0)), step
        )
        assert document.tax.prices == self.cells["prices"]

    def by_hand(self, line: Any, step: Decimal) -> Decimal:
        """Quantity times price less the line's own discount, to the currency's last place."""
        full = line.quantity * line.unit_price
        text = self.cells["line_discount"]
        if text == "{amount: 1}":
            return Decimal(full).quantize(step, ROUND_HALF_UP) - 1
        number = int(line.source.id) - 1
        rate = {"null": None, "10": Decimal(10), "=line.off": self.lines[number]["off"]}.get(
            text, self.deal["off"]
        )
        return (full * (100 - (rate or 0)) / 100).quantize(step, ROUND_HALF_UP)

    def off_by_hand(self, whole: Decimal, step: Decimal) -> Decimal:
        text = self.cells["discount"]
        if text == "{amount: 1}":
            return Decimal(1)
        rate = {"null": None, "10": Decimal(10)}.get(text, self.deal["off"])
        return (whole * (rate or 0) / 100).quantize(step, ROUND_HALF_UP)

    @invariant()
    def the_trace_has_a_line_for_each_value(self) -> None:
        made = self.drafted()
        if made is None or not isinstance(made.document, Invoice):
            return
        document = made.document
        told = {
            "date": document.date, "currency": document.currency, "memo": document.memo, "terms": document.terms,
            "due_date": document.due_date, "purchase_order": document.purchase_order,
        }  # fmt: skip
        assert [name for name, value in told.items() if value and not made.trace.of(name)] == []
        for n in range(len(document.lines)):
            for name in ("quantity", "unit_price", "description"):
                assert made.trace.of(f"lines[{n}].{name}")
        lines = TEMPLATE.format(**self.cells).split("\n")
        for one in made.trace.made:
            assert one.formula.is_constant or one.formula.text in lines[one.formula.line - 1]

    @invariant()
    def what_a_cell_reads_it_declares(self) -> None:
        reads = Reads()
        self.drafted(reads=reads)
        assert reads.undeclared == []

    @invariant()
    def the_hash_moves_exactly_with_what_would_be_written(self) -> None:
        made = self.drafted()
        if made is None or made.document is None:
            return
        values = json.loads(canonical(content_of(made.document)))
        plan = Plan(
            "K-1",
            "walk",
            self.mapping.version,
            Create("invoice", values),
            title=str(len(self.known)),
        )
        written = canonical([self.mapping.version, values])
        assert self.known.setdefault(plan.hash, written) == written
        assert list(self.known.values()).count(written) == 1
        assert replace(plan, title="another", findings=made.findings).hash == plan.hash


class Reads:
    """What each cell of a draft reads, beside what it declares."""

    def __init__(self) -> None:
        self.undeclared: list[str] = []

    def of(self, trace: Trace) -> None:
        for made in trace.made:
            watched = Watched(made.scope)
            if not made.error:
                made.formula.evaluate(watched)
            declared = {".".join(path) for path in made.formula.paths}
            self.undeclared += sorted(watched.seen - declared)


class Watched(dict[str, Any]):
    """A scope that notes each name and field that is asked for."""

    def __init__(self, scope: AnyMapping[str, Any]) -> None:
        super().__init__(scope)
        self.seen: set[str] = set()

    def __getitem__(self, name: str) -> Any:
        value = super().__getitem__(name)
        if isinstance(value, dict):
            return Noted(name, value, self.seen)
        if isinstance(value, list):
            return [Noted(name, row, self.seen) for row in value]
        self.seen.add(name)
        return value


class Noted(dict[str, Any]):
    """One record of a scope that notes each field that is asked for."""

    def __init__(self, name: str, fields: dict[str, Any], seen: set[str]) -> None:
        super().__init__(fields)
        self._name, self._seen = name, seen

    def __getitem__(self, field: str) -> Any:
        self._seen.add(f"{self._name}.{field}")
        return super().__getitem__(field)


def test_the_mapping_walks_and_drafts_what_its_model_says():
    run_state_machine_as_test(MappingWalk, settings=share(60, steps=15))
