"""shadow: what Tieout would have invoiced, beside what people did, while it only watches.

A pair in the shadow reads, maps and plans, and neither posts nor tells the CRM anything. That ends
by one step of a person, which the journal keeps; the setting alone ends nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final

from mapping.trace import Made, Trace
from sync_engine.addresses import source_of
from sync_engine.backfill import ROWS_LIMIT
from sync_engine.comparing import Line, Paper, Unlike, gross_of, unlike
from sync_engine.draft import draft_source, setting_of
from sync_engine.ledger.spelling import fields_of, findings_of
from sync_engine.ledger.store import Reads, Row
from sync_engine.mirror_rows import Mirror
from sync_engine.pair import Pair
from sync_engine.resolve import Resolver
from sync_engine.sides import (
    KIND,
    TWIN,
    Found,
    deal_shown,
    figure_name,
    found_links,
    record_shown,
    sums_of,
)
from sync_engine.tasks import answers
from tieout.model.change import Severity
from tieout.model.dates import parse_day
from tieout.model.document import Invoice, Prices
from tieout.model.money import Money, plain_text

NAMED: Final = {"customer": "customer", "terms": "term", "department": "department"}
COMPARED: Final = ("date", "due_date", "currency", "message", "email", "memo", "number", "project")

AMOUNT_PARTS: Final = (".quantity", ".unit_price", ".discount", ".discount.percent")
TOTAL_PARTS: Final = (*AMOUNT_PARTS, ".tax_code")


def report(
    ledger: Reads, pair: Pair, since: date | None, beside: Sequence[Pair] = ()
) -> dict[str, Any]:
    """Return each invoice by hand beside ours, with every difference and the line that made ours.

    Args:
        ledger: the ledger.
        pair: the pair.
        since: leave out what is older, by its invoice's day, or its deal's where it has none.
        beside: the other pairs of the same books.
    """
    found = _with_linked(ledger, pair, found_links(ledger, pair, beside))
    shown = _Shown(ledger, pair, found)
    day = (since or pair.cutover_date).isoformat()
    links = [*found.links.certain, *found.links.likely]
    pairs = [(one.key, one.record) for one in links if _is_late(found.records[one.record], day)]
    deals = [key for key in found.links.documents if _day(found, key) >= day]
    invoices = [one for one in found.links.records if _is_late(found.records[one], day)]
    questions = [one.key for one in found.links.questions if _day(found, one.key) >= day]
    asked = sorted({one for each in found.links.questions for one in each.records})
    asked = [one for one in asked if _is_late(found.records[one], day)]
    compared = [shown.compared(key, record) for key, record in pairs]
    return {
        "pair": pair.name,
        "since": day,
        "compared": compared[:ROWS_LIMIT],
        "only_crm": [deal_shown(found, key) for key in deals[:ROWS_LIMIT]],
        "only_books": [record_shown(found, number) for number in invoices[:ROWS_LIMIT]],
        "figures": {
            "same": sum(not each["differences"] for each in compared),
            "words_only": sum(_in_words_only(each) for each in compared),
            "different": sum(
                any(one["weighs"] for one in each["differences"]) for each in compared
            ),
            "held": sum(bool(each["held"]) for each in compared),
            "ours": {
                "compared": _of_deals(found, (key for key, _ in pairs)),
                "questions": _of_deals(found, questions),
                "only_crm": _of_deals(found, deals),
                "all": _of_deals(found, [*(key for key, _ in pairs), *questions, *deals]),
            },
            "theirs": {
                "compared": _of_records(pair, found, (record for _, record in pairs)),
                "questions": _of_records(pair, found, asked),
                "only_books": _of_records(pair, found, invoices),
                "all": _of_records(
                    pair, found, [*(record for _, record in pairs), *asked, *invoices]
                ),
            },
        },
    }


def _in_words_only(each: Mapping[str, Any]) -> bool:
    weighs = [one["weighs"] for one in each["differences"]]
    return bool(weighs) and not any(weighs)


def _with_linked(ledger: Reads, pair: Pair, found: Found) -> Found:
    """Add what people have linked already: it is compared like what they will link."""
    documents, records = dict(found.documents), dict(found.records)
    made = {mapping.identity for mapping in pair.mappings}
    for row in ledger.all("documents_linked", pair=pair.name, kind=KIND):
        shown = ledger.one("mirror_get", company=pair.books.company, kind=KIND, id=row["posted_id"])
        lives = shown is not None and shown["live"] and not shown["gone"]
        if shown is not None and lives and row["mapping"] in made:
            documents[row["key"]], records[shown["id"]] = row, shown
            found.links.take(row["key"], shown["id"])
    return Found(documents, records, found.links, found.customers)


def _is_late(record: Row, day: str) -> bool:
    return (record["day"] or "") >= day


def _day(found: Found, key: str) -> str:
    """Return a deal's day; one without a document counts as late, so that it is not left out."""
    return str(deal_shown(found, key)["date"] or "9")


def _of_deals(found: Found, keys: Iterable[str]) -> dict[str, Any]:
    rows = [found.documents[key] for key in keys]
    return sums_of((row["currency"], row["net"]) for row in rows)


def _of_records(pair: Pair, found: Found, numbers: Iterable[str]) -> dict[str, Any]:
    figure = figure_name(pair, found)
    rows = [found.records[number] for number in numbers]
    return sums_of((fields_of(row["fields"]).get("currency"), row[figure]) for row in rows)


# -- one invoice beside the other -----------------------------------------------------------------


class _Shown:
    """Compares documents of a pair; names of the books' records are looked up once."""

    def __init__(self, ledger: Reads, pair: Pair, found: Found) -> None:
        self.ledger, self.pair, self.found = ledger, pair, found
        self._mirror = Mirror(ledger, pair.books.company)
        self._setting = setting_of(ledger, pair)

    def compared(self, key: str, number: str) -> dict[str, Any]:
        """Return one pair of invoices with every difference and the line that made ours."""
        row, record = self.found.documents[key], self.found.records[number]
        mapping = next(one for one in self.pair.mappings if one.identity == row["mapping"])
        sketch = draft_source(
            self.ledger, self.pair, mapping, source_of(row), self._setting, row["part"]
        )
        document = sketch.document
        told = {**deal_shown(self.found, key), "record": record_shown(self.found, number)}
        if not isinstance(document, Invoice):
            why = [one.message for one in sketch.findings] or [sketch.skipped or sketch.state]
            none = {"field": "invoice", "ours": None, "theirs": number, "weighs": True}
            return {**told, "held": why, "differences": [{**none, "cause": why}]}
        resolver = Resolver(
            self.ledger, self.pair, self._mirror, mapping.identity, answers(self.ledger, key)
        )
        values = resolver.resolve(document, {}).values
        found = unlike(self._ours(document, values), self._theirs(fields_of(record["fields"])))
        return {
            **told,
            "held": _held(self.ledger, row),
            "differences": [_plain(one, sketch.trace) for one in found],
        }

    def _ours(self, document: Invoice, values: Mapping[str, Any]) -> Paper:
        """Return our invoice as it would stand in the books."""
        lines = [self._line(line) for line in values["lines"]]
        single: dict[str, Any] = {name: values[name] for name in COMPARED if values.get(name)}
        for name in ("date", "due_date"):
            if name in single:
                single[name] = parse_day(single[name])
        single |= {name: self._named(name, values[name]) for name in NAMED if values.get(name)}
        single["customer"] = self._named("customer", values["customer"])
        single |= {f"custom_fields.{name}": said for name, said in document.custom_fields.items()}
        net = sum((line.amount for line in lines), Decimal(0))
        if document.tax.prices is Prices.INCLUSIVE:
            return Paper({**single, "total": net}, lines)
        gross = gross_of(lines, self._rate, lambda tax: self._rounded(tax, document))
        return Paper({**single, "net": net, **({} if gross is None else {"total": gross})}, lines)

    def _theirs(self, fields: Mapping[str, Any]) -> Paper:
        """Return an invoice as the books show it."""
        single = {name: fields.get(name) for name in (*COMPARED, "net", "total")}
        single |= {name: self._named(name, fields.get(name)) for name in NAMED}
        for definition, said in (fields.get("custom_fields") or {}).items():
            single[f"custom_fields.{self._name('custom_field', definition)}"] = said
        return Paper(single, [self._line(line) for line in fields.get("lines") or ()])

    def _line(self, line: Mapping[str, Any]) -> Line:
        return Line(
            item=self._named("item", line.get("item")),
            description=line.get("description") or None,
            quantity=_number(line.get("quantity")),
            unit_price=_number(line.get("unit_price")),
            amount=_number(line.get("amount")) or Decimal(0),
            tax_code=self._named("tax_code", line.get("tax_code")),
        )

    def _named(self, name: str, said: Any) -> str | None:
        """Return a record of the books by its name; one that would be made says so."""
        if isinstance(said, Mapping):
            planned = self.ledger.one("document_get", key=said["key"])
            return None if planned is None else f"new: {planned['title']}"
        return None if said is None else self._name(NAMED.get(name, name), str(said))

    def _name(self, kind: str, number: str) -> str:
        rows = self._mirror.asked(kind, "id", number)
        return str(rows[0].fields.get("name") or number) if rows else number

    def _rate(self, code: str) -> Decimal | None:
        rows = self._mirror.asked("tax_code", "name", code)
        rate = rows[0].fields.get("rate") if rows else None
        return None if rate is None else Decimal(rate)

    def _rounded(self, tax: Decimal, document: Invoice) -> Decimal:
        return Money.rounded(tax, document.currency, self.pair.rounding).amount


def _number(said: Any) -> Decimal | None:
    return None if said is None else Decimal(said)


def _held(ledger: Reads, row: Row) -> list[str]:
    """Return why ours would not have been posted, but for the invoice that stands beside it."""
    plan = ledger.one("plan_get", hash=row["plan_hash"]) if row["plan_hash"] else None
    if plan is None:
        return []
    return [
        one.message
        for one in findings_of(plan["findings"])
        if one.severity is not Severity.WARN and one.code != TWIN
    ]


def _plain(one: Unlike, trace: Trace) -> dict[str, Any]:
    return {
        "field": one.field,
        "ours": _text(one.ours),
        "theirs": _text(one.theirs),
        "weighs": one.weighs,
        "cause": [
            {"line": made.formula.line, "says": str(made)} for made in _causes(one.field, trace)
        ],
    }


def _text(value: Any) -> Any:
    if isinstance(value, Decimal):
        return plain_text(value)
    return value.isoformat() if isinstance(value, date) else value


def _causes(name: str, trace: Trace) -> Iterator[Made]:
    """Yield the lines of the mapping that made our value of a field."""
    summed = AMOUNT_PARTS if name in ("net", "lines") or name.endswith(".amount") else TOTAL_PARTS
    if name in ("net", "total", "lines") or name.startswith("lines."):
        yield from (one for one in trace.of("lines") if one.field.endswith(summed))
        yield from trace.of("discount")
    elif name.endswith(".amount"):
        line = name.removesuffix(".amount")
        yield from (one for one in trace.of(line) if one.field.endswith(summed))
    elif name == "customer" or name.endswith(".item"):
        yield from (one for one in trace.of(f"{name}.match") if one.value is not None)
    else:
        yield from trace.of(name)
