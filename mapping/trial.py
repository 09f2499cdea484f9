"""The tests inside a mapping file: example records in, differences out, each with its line."""

from __future__ import annotations

from collections import abc
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

from mapping.collecting import collective, customer_in
from mapping.drafting import Draft, Drafted, Given, Part, Setting, Skipped, draft, drafts
from mapping.matching import Index, match
from mapping.mistake import Mistake
from mapping.rules import Held, Mapping, Test
from mapping.trace import Trace
from mapping.vocabulary import INVOICE_CELLS, PAYMENT_CELLS, TARGETS
from mapping.yaml12 import Node
from tieout.model.change import Severity
from tieout.model.dates import EARLIEST
from tieout.model.document import Document, Invoice, Line, Percent
from tieout.model.lookup import Ambiguous, Found, Match
from tieout.model.record import Record
from tieout.model.ref import Ref, Version

NO_TRACE: Final = Trace()
_BOOKS: Final = "books"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a test of the file came to: it passed when there is no difference."""

    name: str
    line: int
    differences: tuple[Mistake, ...]

    @property
    def passed(self) -> bool:
        """Whether everything expected came out."""
        return not self.differences


def run(mapping: Mapping, target: str = TARGETS[0]) -> tuple[Verdict, ...]:
    """Run every test of a mapping, as if the books were a company of the target system."""
    return tuple(_verdict(mapping, test, target) for test in mapping.tests)


def _verdict(mapping: Mapping, test: Test, target: str) -> Verdict:
    example = _Example(mapping, test.given.plain(), target)
    if "collectives" in (test.expect.entries or {}):
        return Verdict(test.name, test.line, tuple(_of_several(mapping, test, example, target)))
    made = drafts(mapping, example.given(), example.setting())
    differences = tuple(_all_differences(test, made, example, target))
    return Verdict(test.name, test.line, differences)


class _Example:
    """The records and the books of one test."""

    def __init__(self, mapping: Mapping, values: dict[str, Any], target: str) -> None:
        self.mapping = mapping
        self.values = values
        self.books: dict[str, Any] = self.values.get(_BOOKS) or {}
        self.company = f"{target}:test"

    def sources(self) -> Iterator[_Example]:
        """Each source of a test that has several, with what the test says of all."""
        target = self.company.partition(":")[0]
        for n, each in enumerate(self.values.get("sources") or (), 1):
            source = {"id": str(n), **(each.get(self.mapping.source) or {})}
            values = {**self.values, **each, self.mapping.source: source}
            yield _Example(self.mapping, values, target)

    def given(self) -> Given:
        source = self.mapping.source
        related = {
            role.name: tuple(
                self.record(role.kind, fields, str(n))
                for n, fields in enumerate(self.rows(role.name), 1)
            )
            for role in self.mapping.roles
        }
        return Given(self.record(self.mapping.kind, self.values.get(source) or {}, "1"), related)

    def setting(self) -> Setting:
        return Setting(
            target_company=self.company,
            cutover_date=self.values.get("cutover_date") or EARLIEST,
            home_currency=self.books.get("home_currency"),
        )

    def found(self, wanted: Match | None, currency: str) -> Any:
        """What the plan would do: an id, who is asked, or the policy where none is found."""
        if wanted is None:
            return None
        listed = self.books.get(f"{wanted.kind}s") or []
        index = Index(
            Record(Ref(self.company, wanted.kind, str(row.get("id"))), Version(""), row)
            for row in listed
        )
        bound = {str(key): str(held) for key, held in (self.books.get("bindings") or {}).items()}
        match match(wanted, index, bound, currency if wanted.kind == "customer" else None):
            case Found(ref):
                return ref.id
            case Ambiguous(refs):
                return {wanted.many: [ref.id for ref in refs]}
            case _:
                return wanted.none

    def rows(self, role: str) -> list[dict[str, Any]]:
        held = self.values.get(role)
        return held if isinstance(held, list) else [] if held is None else [held]

    def record(self, kind: str, fields: dict[str, Any], otherwise: str) -> Record:
        ref = Ref(f"{self.mapping.system}:test", kind, str(fields.get("id") or otherwise))
        return Record(ref, Version(""), fields)


def _all_differences(
    test: Test, made: abc.Mapping[str, Draft], example: _Example, target: str
) -> Iterator[Mistake]:
    """Yield where what is expected of a source's document, or of its parts, did not come out."""
    rows = (test.expect.entries or {}).get("parts")
    if rows is None and "" in made:
        yield from _differences(test, made[""], test.expect, example, target)
        return
    if rows is None:
        yield _differs(test, test.expect, f"{len(made)} parts", "`parts:`, a row for each")
        return
    items = rows.items or ()
    if "" in made:
        [alone] = made.values()
        why = alone.why if isinstance(alone, Skipped) else _found(alone)
        yield _differs(test, rows, f"no parts: {why}", f"{len(items)} parts")
        return
    if len(items) != len(made):
        yield _differs(test, rows, f"the parts {_said(list(made))}", f"{len(items)} parts")
    for row, part in zip(items, made.values(), strict=False):
        yield from _differences(test, part, row, example, target)


def _of_several(mapping: Mapping, test: Test, example: _Example, target: str) -> Iterator[Mistake]:
    """Yield where what is expected of the documents of several sources did not come out."""
    assert test.expect.entries is not None
    rows = test.expect.entries["collectives"]
    made = _collectives(mapping, example)
    items = rows.items or ()
    if len(items) != len(made):
        yield _differs(test, rows, f"{len(made)} collectives", str(len(items)))
    for row, one in zip(items, made, strict=False):
        shown = {"group": one.period, "sources": Decimal(len(one.documents))}
        if one.documents:
            first = one.documents[0]
            together = collective(one.documents, first.key, first.source, one.period)
            shown |= _shown(together, example, target)
        for key, expected in (row.entries or {}).items():
            if key not in shown:
                yield _differs(test, expected, f"no {key}: a source is held")
            else:
                yield from _compared(test, expected, shown[key], key, NO_TRACE)


@dataclass(frozen=True, slots=True)
class _Together:
    """What goes together: the documents of its sources, none where they wait for one."""

    period: str
    documents: tuple[Invoice, ...]


def _collectives(mapping: Mapping, example: _Example) -> list[_Together]:
    """Return what goes together, in order of period, currency and customer.

    A source that is held counts for every currency of its period and customer.
    """
    rule = mapping.group
    assert rule is not None
    made: dict[tuple[str, str, str], list[Invoice]] = {}
    held: set[tuple[str, str]] = set()
    for each in example.sources():
        given = each.given()
        drafted = draft(mapping, given, each.setting())
        if isinstance(drafted, Skipped):
            continue
        customer = customer_in(given, rule)
        period = "" if drafted.period is None else drafted.period.name
        whose = "" if customer is None else customer.id
        document = drafted.document
        if any(one.severity is Severity.BLOCK for one in drafted.findings):
            held.add((period, whose))
        elif isinstance(document, Invoice):
            made.setdefault((period, document.currency.code, whose), []).append(document)
    return [
        _Together(period, () if waits and (period, whose) in held else tuple(documents))
        for (period, _, whose), documents in sorted(made.items(), key=lambda one: one[0])
        for waits in [rule.held is Held.WAIT]
    ]


def _found(made: Drafted) -> str:
    return "; ".join(finding.message for finding in made.findings)


def _differences(
    test: Test, made: Draft, wanted: Node, example: _Example, target: str
) -> Iterator[Mistake]:
    if isinstance(made, Skipped):
        if wanted.value != "skipped":
            yield _differs(test, wanted, f"skipped, because {made.why} (line {made.line})")
        return
    if wanted.value == "skipped":
        yield _differs(test, wanted, "a document")
        return
    shown: dict[str, Any] = {
        **(_part_shown(made.part) if made.part else {}),
        "findings": [{str(found.severity): found.message} for found in made.findings],
        **(_shown(made.document, example, target) if made.document else {}),
    }
    for name, expected in (wanted.entries or {}).items():
        if name not in shown:
            why = "; ".join(finding.message for finding in made.findings) or "it has no such value"
            yield _differs(test, expected, f"no {name}: {why}")
        else:
            yield from _compared(test, expected, shown[name], name, made.trace)


def _part_shown(part: Part) -> dict[str, Any]:
    """What is known of a part also while its day is not."""
    return {"part": part.name, "net": part.net.amount, "date": part.day}


def _compared(test: Test, expected: Node, came: Any, at: str, trace: Trace) -> Iterator[Mistake]:
    """What is expected of a mapping's keys is compared key by key; all else as a whole."""
    if at == "findings":
        wanted = expected.plain() or []
        if sorted(map(str, wanted)) != sorted(map(str, came)):
            yield _differs(test, expected, f"findings {_said(came)}", _said(wanted))
    elif at == "lines" and expected.items is not None:
        if len(expected.items) != len(came):
            yield _differs(test, expected, f"{len(came)} lines", str(len(expected.items)))
        for n, (row, line) in enumerate(zip(expected.items, came, strict=False)):
            yield from _compared(test, row, line, f"lines[{n}]", trace)
    elif expected.entries is not None and isinstance(came, dict):
        for name, held in expected.entries.items():
            yield from _compared(test, held, came.get(name), f"{at}.{name}", trace)
    elif expected.plain() != came:
        cause = "; ".join(str(cell) for cell in trace.of(at))
        differs = _differs(test, expected, f"{at} {_said(came)}", _said(expected.plain()))
        yield Mistake(differs.file, differs.line, differs.what, cause)


def _differs(test: Test, expected: Node, came: str, wanted: str = "") -> Mistake:
    hoped = wanted or _said(expected.plain())
    return expected.mistake(f"test {test.name!r}: came {came}, expected {hoped}")


def _shown(document: Document, example: _Example, target: str) -> dict[str, Any]:
    """A document as tests write it."""
    unit = document.currency.code
    shown: dict[str, Any] = {
        **{name: getattr(document, name) for name in _SINGLE if hasattr(document, name)},
        "net": document.net.amount,
        "currency": unit,
    }
    if isinstance(document, Invoice):
        shown[target] = dict(document.target)
        shown["customer"] = example.found(document.customer, unit)
        shown["custom_fields"] = dict(document.custom_fields)
        shown["lines"] = [_line_shown(line, example, target) for line in document.lines]
    else:
        shown["amount"] = document.net.amount
    return shown


_SINGLE: Final = (*INVOICE_CELLS, *PAYMENT_CELLS)


def _line_shown(line: Line, example: _Example, target: str) -> dict[str, Any]:
    off = line.discount
    return {
        "item": example.found(line.item, line.currency.code),
        "description": line.description,
        "quantity": line.quantity,
        "unit_price": line.unit_price,
        "discount": off.rate if isinstance(off, Percent) else off.amount if off else Decimal(0),
        "amount": line.amount.amount,
        "tax_code": line.tax_code,
        target: {name: held for name, held in line.extra.items() if name != "service_date"},
        "service_date": line.extra.get("service_date"),
    }


def _said(value: Any) -> str:
    if isinstance(value, abc.Mapping):
        return "{" + ", ".join(f"{key}: {_said(held)}" for key, held in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_said, value)) + "]"
    if value is None:
        return "nothing"
    return str(value) if isinstance(value, bool | int | Decimal | date) else repr(value)
