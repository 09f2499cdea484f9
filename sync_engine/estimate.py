"""estimate: what a source comes to although it cannot be posted, for the task that holds it."""

from __future__ import annotations

import re
from decimal import Decimal

from mapping.drafting import Given, Setting, worth
from mapping.functions import FormulaError, ValueMissing
from mapping.rules import InvoiceRules, Mapping
from tieout.model.document import HUNDRED
from tieout.model.errors import ValueRefused
from tieout.model.money import Currency, Money, currency, total
from tieout.model.record import Fields

NOTHING = Decimal(0)  # what a line without quantity or price comes to, as in the CRM
UNKNOWN_PLACES = 2  # of the amounts of a currency that no list knows

_CODE = re.compile(r"[A-Z]{3}", re.ASCII)


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
