"""How one document is made: records laid out, cells evaluated, each refusal kept as a finding."""

from __future__ import annotations

from collections import abc
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any, Final

from mapping.formula import Formula, Scope, fits, type_of
from mapping.functions import FormulaError, Type, text_of
from mapping.given import Given, Setting
from mapping.rules import (
    Check,
    DiscountRule,
    InvoiceRules,
    LineRules,
    Mapping,
    MatchRules,
    PaymentRules,
    Role,
)
from mapping.trace import Made, shown
from mapping.vocabulary import INVOICE_CELLS, LINE_CELLS, MADE_BEFORE, PAYMENT_CELLS
from tieout.model.canonical import Plain, plain
from tieout.model.change import Finding, Severity
from tieout.model.document import Discount, Document, Invoice, Line, Payment, Percent, Tax
from tieout.model.errors import ValueRefused
from tieout.model.lookup import Lookup, Match
from tieout.model.money import Currency, Money, currency, plain_text
from tieout.model.record import Record
from tieout.model.ref import Key, Ref

LINES_LIMIT = 1_000  # more than any set of books takes in one document (R7: 750 where taxable)


class Refused:
    """A value that could not be computed; its finding is kept."""


REFUSED: Final = Refused()
NO_PART: Final = dict.fromkeys(("name", "title", "value", "date", "n", "count"))
NO_GROUP: Final = dict.fromkeys(("name", "first_day", "last_day"))
_STRICT: Final = (Type.NUMBER, Type.DATE)  # every other value has a text
_REMEDY: Final = "Correct the record at its source, or the mapping in the line named."


class Work:
    """One draft on its way: values made so far, and what was found."""

    def __init__(self, mapping: Mapping, given: Given, setting: Setting) -> None:
        self.mapping = mapping
        self.given = given
        self.setting = setting
        self.made: list[Made] = []
        self.findings: dict[str, Finding] = {}
        self.records: dict[str, Record | None] = {mapping.source: given.record}  # single roles
        self.scope: dict[str, Any] = {
            "cutover_date": setting.cutover_date,
            "books": {"home_currency": setting.home_currency},
            mapping.source: self.laid_out(mapping.source, given.record),
            "part": NO_PART,
            "group": NO_GROUP,
        }
        self.lay_out_related()

    # -- records ------------------------------------------------------------------------------

    def lay_out_related(self) -> None:
        """Lay the related records under their roles' names."""
        for role in self.mapping.roles:
            found = self.given.related.get(role.name, ())
            if role.many:
                self.scope[role.name] = [self.laid_out(role.name, record) for record in found]
            else:
                self.records[role.name] = self.one_of(role, found)
                self.scope[role.name] = self.laid_out(role.name, self.records[role.name])

    def laid_out(self, role: str, record: Record | None) -> dict[str, Any]:
        """A record's fields under our names; what it lacks is None."""
        fields: dict[str, Any] = dict.fromkeys(self.mapping.fields[role])
        if record is not None:
            fields.update(record.fields)
        fields["id"] = record.ref.id if record is not None else None
        return fields

    def one_of(self, role: Role, found: tuple[Record, ...]) -> Record | None:
        """The one that the system calls primary; if none is, the only one."""
        primary = self.given.primary.get(role.name)
        chosen = next((record for record in found if record.ref == primary), None)
        return chosen or (found[0] if len(found) == 1 else None)

    @property
    def lost(self) -> set[str]:
        """The roles that a document needs and whose record is missing or not certain."""
        return {
            role.name
            for role in self.mapping.roles
            if not role.many and not role.optional and self.records[role.name] is None
        }

    def require_roles(self) -> None:
        """Find what related records are missing or not certain."""
        for role in self.mapping.roles:
            count = len(self.given.related.get(role.name, ()))
            if role.many or self.records[role.name] is not None:
                continue
            if count > 1:
                one = f"Leave the label {role.label} on one of them in the CRM."
                self.find(
                    "ambiguous-relation",
                    Severity.WARN if role.optional and not role.label else Severity.BLOCK,
                    f"{count} records are {role.name} and none is the primary one.",
                    one if role.label else f"Choose the primary {role.name} in the CRM.",
                    role.line,
                )
            elif not role.optional:
                self.find(
                    "missing-relation",
                    Severity.BLOCK,
                    f"There is no {role.name}.",
                    f"Add the {role.name} in the CRM.",
                    role.line,
                )

    # -- documents ----------------------------------------------------------------------------

    def document(self, key: Key) -> Document | None:
        """Make the document, if all that it cannot be without is there."""
        rules = self.mapping.document
        if isinstance(rules, InvoiceRules):
            return self.invoice(rules, key)
        return self.payment(rules, key)

    def invoice(
        self, rules: InvoiceRules, key: Key, made: tuple[Line, ...] | None = None
    ) -> Invoice | None:
        """Make an invoice; None where a needed value is missing, which is then found.

        Args:
            rules: how.
            key: its name.
            made: its lines, where they are made already, with their share of the discount.
        """
        cells = self.cells(rules.cells, INVOICE_CELLS)
        unit = self.currency(cells.get("currency"), rules.cells["currency"])
        self.lacking("date", rules.cells["date"], cells)
        customer = self.match("customer", rules.customer, self.scope)
        lines: list[Line | None] = [*(made or ())]
        if unit and made is None:
            lines = list(self.lines(rules.lines, unit))
        custom_fields = self.free("custom_fields.", rules.custom_fields)
        made_before = self.cells(rules.made_before, MADE_BEFORE, "made_before.")
        target = self.target(rules.target, "")
        whole = tuple(line for line in lines if line is not None)
        if unit is None or "date" not in cells or len(whole) < len(lines):
            return None
        if not whole:
            message, remedy = "There is nothing to invoice: no line.", "Add the lines in the CRM."
            self.find("no-lines", Severity.BLOCK, message, remedy, rules.lines.line)
        try:
            return Invoice.of(
                lines=whole,
                discount=None
                if made is not None
                else self.discount("discount", rules.discount, self.scope, unit),
                key=key,
                source=self.given.record.ref,
                mapping=self.mapping.name,
                customer=customer,
                currency=unit,
                tax=self.tax(rules, unit),
                custom_fields={name: text_of(value) for name, value in custom_fields.items()},
                made_before={name: text_of(value) for name, value in made_before.items()},
                target=target,
                **{"title": self.title(), **_texts(cells)},
            )
        except ValueRefused as refused:
            self.refused(refused, rules.lines.line)
            return None

    def payment(self, rules: PaymentRules, key: Key) -> Payment | None:
        """Make a payment; None where a needed value is missing, which is then found."""
        cells = self.cells(rules.cells, PAYMENT_CELLS)
        unit = self.currency(cells.get("currency"), rules.cells["currency"])
        self.lacking("amount", rules.cells["amount"], cells)
        self.lacking("date", rules.cells["date"], cells)
        paid = self.records.get(rules.pays)
        if unit is None or paid is None or not {"amount", "date"} <= cells.keys():
            return None
        try:
            amount = Money(cells.pop("amount"), unit)
        except ValueRefused as refused:
            self.refused(refused, rules.cells["amount"].line)
            return None
        return Payment(
            key=key,
            source=self.given.record.ref,
            mapping=self.mapping.name,
            pays=paid.ref,
            amount=amount,
            **{"title": self.title(), **_texts(cells)},
        )

    def lines(self, rules: LineRules, unit: Currency) -> Iterator[Line | None]:
        """Yield each line; None where a value is missing that it cannot be without."""
        rows = self.given.related.get(rules.rows, ())
        if len(rows) > LINES_LIMIT:
            message = f"{len(rows)} lines are more than the {LINES_LIMIT} that one document has."
            self.find("too-many-lines", Severity.BLOCK, message, "Split it there.", rules.line)
            yield None
            return
        count = 0
        for record, row in zip(rows, self.scope[rules.rows], strict=True):
            scope = {**self.scope, rules.each: row}
            at = f"lines[{count}]"
            if rules.when is not None:
                wanted = self.value(f"{at}.when", rules.when, scope, record.ref)
                if wanted is not REFUSED and not wanted:
                    continue
            yield self.line(rules, scope, record.ref, at, unit)
            count += 1

    def line(
        self, rules: LineRules, scope: dict[str, Any], ref: Ref, at: str, unit: Currency
    ) -> Line | None:
        """Make one line; None where a needed value is missing, which is then found."""
        cells = self.cells(rules.cells, LINE_CELLS, f"{at}.", scope, ref)
        item = self.match(f"{at}.item", rules.item, scope, ref) if rules.item else None
        target = self.target(rules.target, f"{at}.", scope, ref)
        for name in ("quantity", "unit_price"):
            self.lacking(name, rules.cells[name], cells, ref)
        if not {"quantity", "unit_price"} <= cells.keys():
            return None
        service_date = cells.get("service_date")
        extra = {**target, **({"service_date": plain(service_date)} if service_date else {})}
        try:
            line = Line(
                item=item,
                description=text_of(cells.get("description")),
                quantity=cells["quantity"],
                unit_price=cells["unit_price"],
                currency=unit,
                discount=self.discount(f"{at}.discount", rules.discount, scope, unit, ref),
                tax_code=_text(cells.get("tax_code")),
                extra=extra,
                source=ref,
                rounding=self.setting.rounding,
            )
            line.before_document_discount  # noqa: B018 (computed here once, so that it can refuse)
        except ValueRefused as refused:
            self.refused(refused, rules.cells["unit_price"].line, ref)
            return None
        if "amount" in cells:
            self.compare(line, cells["amount"], rules.cells["amount"].line, ref)
        return line

    def compare(self, line: Line, said: Decimal, at: int, ref: Ref) -> None:
        """Find a line that does not come to what the CRM says of it."""
        ours = line.before_document_discount
        if ours.amount != said:
            named = line.description or str(ref)
            message = f"{named} comes to {ours}, and the CRM says {plain_text(said)}."
            self.find("line-amount", Severity.BLOCK, message, _REMEDY, at, ref)

    def match(self, at: str, rules: MatchRules, scope: Scope, ref: Ref | None = None) -> Match:
        """The clues that have a value, in the mapping's order."""
        clues = []
        for rule in rules.rules:
            value = self.value(f"{at}.match.{rule.by}", rule.value, scope, ref)
            if value is not REFUSED and text_of(value).strip():
                clues.append(Lookup(rules.kind, rule.by, text_of(value).strip(), rule.value.line))
        create: dict[str, Plain] = {}
        for name, formula in rules.create.items():
            value = self.tried(f"{at}.create.{name}", formula, scope)
            if value in (None, REFUSED):
                continue
            group, dot, part = name.rpartition(".")
            into = create.setdefault(group, {}) if dot else create
            assert isinstance(into, dict)
            into[part] = plain(value)
        source = self.records.get(rules.source) if rules.source else None
        return Match(
            kind=rules.kind,
            rules=tuple(clues),
            none=rules.none,
            many=rules.many,
            default=rules.default,
            create=create,
            source=source.ref if source else None,
            line=rules.line,
        )

    def discount(
        self,
        at: str,
        rule: DiscountRule | None,
        scope: Scope,
        unit: Currency,
        ref: Ref | None = None,
    ) -> Discount | None:
        """Make a discount of a number that is there and not zero."""
        value = self.optional(at, rule.value, scope, ref) if rule else None
        if rule is None or not value:
            return None
        return Percent(value) if rule.is_percent else Money(value, unit)

    def tax(self, rules: InvoiceRules, unit: Currency) -> Tax:
        """Say how the document is taxed."""
        tolerance = self.optional("tax.tolerance", rules.tax.tolerance)
        expected = self.optional("tax.expected", rules.tax.expected)
        return Tax(
            prices=rules.tax.prices,
            by=rules.tax.by,
            tolerance=tolerance or Decimal(0),
            amount=Money(expected, unit) if expected is not None else None,
        )

    def title(self) -> str:
        """Name the document as people do, where the mapping does not."""
        named = self.given.record.fields.get("name")
        return f"{self.given.record.ref} {named}" if named else str(self.given.record.ref)

    def currency(self, code: Any, cell: Formula) -> Currency | None:
        """Return the currency of a code; None, and a finding, where there is none."""
        if code is None:
            self.lacking("currency", cell, {})
            return None
        try:
            return currency(str(code))
        except ValueRefused as refused:
            self.refused(refused, cell.line)
            return None

    # -- checks -------------------------------------------------------------------------------

    def check(self, document: Document) -> None:
        """Ask every check of the mapping about the document."""
        scope = {**self.scope, "document": _seen(document)}
        if isinstance(document, Invoice) and isinstance(self.mapping.document, InvoiceRules):
            rows = self.mapping.document.lines.rows
            by_id = {row["id"]: row for row in self.scope[rows]}
            scope[rows] = [
                {**by_id[line.source.id], **_line_seen(line)}
                for line in document.lines
                if line.source is not None
            ]
        for rule in self.mapping.checks:
            self.check_one(rule, scope)

    def check_one(self, rule: Check, scope: Scope) -> None:
        """Ask one check."""
        holds = self.value("check", rule.that, scope)
        if holds is REFUSED or holds:
            return
        said = self.value("check.say", rule.say, scope)
        message = text_of(said) if said is not REFUSED else rule.that.text
        self.find("check", rule.severity, message, _REMEDY, rule.that.line)

    # -- values and findings ------------------------------------------------------------------

    def cells(
        self,
        formulas: abc.Mapping[str, Formula],
        known: abc.Mapping[str, tuple[str, Type, bool]],
        prefix: str = "",
        scope: Scope | None = None,
        ref: Ref | None = None,
    ) -> dict[str, Any]:
        """The values that are there, by name, each of its type."""
        values = {
            name: self.value(f"{prefix}{name}", formula, scope, ref, known[name][1])
            for name, formula in formulas.items()
        }
        return _there(values)

    def free(
        self,
        prefix: str,
        formulas: abc.Mapping[str, Formula],
        scope: Scope | None = None,
        ref: Ref | None = None,
    ) -> dict[str, Any]:
        """The values that are there, of any type."""
        values = {
            name: self.value(f"{prefix}{name}", formula, scope, ref)
            for name, formula in formulas.items()
        }
        return _there(values)

    def target(
        self,
        formulas: abc.Mapping[str, Formula],
        prefix: str,
        scope: Scope | None = None,
        ref: Ref | None = None,
    ) -> dict[str, Plain]:
        """The words of the system that the document goes to; others' are left out."""
        own = f"{self.setting.target_company.partition(':')[0]}."
        mine = {name: formula for name, formula in formulas.items() if name.startswith(own)}
        values = self.free(prefix, mine, scope, ref)
        return {name.removeprefix(own): plain(value) for name, value in values.items()}

    def optional(
        self, at: str, formula: Formula | None, scope: Scope | None = None, ref: Ref | None = None
    ) -> Decimal | None:
        """A number, if there is one."""
        value = self.value(at, formula, scope, ref, Type.NUMBER) if formula else None
        return None if value is REFUSED else value

    def value(
        self,
        at: str,
        formula: Formula,
        scope: Scope | None = None,
        ref: Ref | None = None,
        wanted: Type = Type.ANY,
    ) -> Any:
        """Evaluate one cell; what it refuses, or a value of another type, becomes a finding."""
        value = self.tried(at, formula, scope)
        message = self.made[-1].error
        if value is not REFUSED and wanted in _STRICT and not fits(type_of(value), wanted):
            message = f"{at} is {type_of(value)}, not {wanted}: {shown(value)}"
        if not message:
            return value if type(value) is not int else Decimal(value)
        if self.lost.intersection(path[0] for path in formula.paths):
            return REFUSED  # that its record is missing is found already
        self.find("formula", Severity.BLOCK, message, _REMEDY, formula.line, ref)
        return REFUSED

    def tried(self, at: str, formula: Formula, scope: Scope | None = None) -> Any:
        """Evaluate one cell and note it; REFUSED where it cannot be computed."""
        seen = self.scope if scope is None else scope
        try:
            value = formula.evaluate(seen)
        except FormulaError as wrong:
            self.made.append(Made(at, formula, None, seen, wrong.what))
            return REFUSED
        self.made.append(Made(at, formula, value, seen))
        return value

    def lacking(
        self, name: str, formula: Formula, cells: abc.Mapping[str, Any], ref: Ref | None = None
    ) -> None:
        """Say that a needed value is missing, unless its formula has already said why."""
        asked = " and ".join(".".join(path) for path in formula.paths)
        told = any(
            finding.line == formula.line or finding.message.startswith(f"{asked} is ")
            for finding in self.findings.values()
        )
        if name not in cells and not told:
            message = f"There is no {name}" + (f": {asked} is missing." if asked else ".")
            self.find(
                "missing-value", Severity.BLOCK, message, "Set it in the CRM.", formula.line, ref
            )

    def refused(self, refused: ValueRefused, line: int, ref: Ref | None = None) -> None:
        """Find what a value's own rules refuse."""
        self.find("value", Severity.BLOCK, refused.what, refused.next, line, ref)

    def find(
        self,
        code: str,
        severity: Severity,
        message: str,
        remedy: str,
        line: int,
        ref: Ref | None = None,
    ) -> None:
        """Keep a finding; the same message is kept once."""
        record = ref or self.given.record.ref
        self.findings.setdefault(message, Finding(code, severity, message, remedy, record, line))


def _there(values: abc.Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value for name, value in values.items() if value is not None and value is not REFUSED
    }


def _seen(document: Document) -> dict[str, Any]:
    return {
        "net": document.net.amount,
        "date": document.date,
        "due_date": getattr(document, "due_date", None),
        "currency": document.currency.code,
        "terms": getattr(document, "terms", None),
    }


def _line_seen(line: Line) -> dict[str, Any]:
    return {
        "amount": line.amount.amount,
        "quantity": line.quantity,
        "unit_price": line.unit_price,
        "description": line.description,
        "tax_code": line.tax_code,
    }


def _texts(cells: abc.Mapping[str, Any]) -> dict[str, Any]:
    """Days stay days; every other single value of a document is a text."""
    return {
        name: value if isinstance(value, date) else text_of(value)
        for name, value in cells.items()
        if name != "currency"
    }


def _text(value: Any) -> str | None:
    return None if value is None else text_of(value)
