"""The document block of a mapping: customer, lines, tax, files; or a payment."""

from __future__ import annotations

import re
from collections import abc

from mapping import rules, vocabulary
from mapping.cells import ABSENT, Cells, entries_of, rows_of
from mapping.formula import Formula, Names, Shape
from mapping.functions import Type
from mapping.mistake import nearest
from mapping.names import FILE_FIELDS, GROUP, PART
from mapping.yaml12 import Node
from tieout.model.document import Prices, TaxBy


def read_document(at: Cells, top: abc.Mapping[str, Node], to: str) -> rules.DocumentRules:
    """Return the rules of the one document that the file is made for."""
    node = top.get(to)
    if node is None:
        at.wrong(top.get("to", at.tree), f"the file has no {to} block", f"write `{to}:`")
    for other in vocabulary.DOCUMENTS:
        if other != to and other in top:
            at.wrong_key(at.tree, other, f"{other} stands in a mapping to {to}")
    block = entries_of(node)
    if to != "invoice":
        return _payment(at, block)
    names = at.names | ({"part": PART} if "parts" in top else {})
    return _invoice(at, block, names | ({"group": GROUP} if "group" in top else {}))


def _invoice(at: Cells, block: abc.Mapping[str, Node], names: Names) -> rules.InvoiceRules:
    return rules.InvoiceRules(
        customer=_match(at, block.get("customer"), "customer", names),
        lines=_lines(at, block.get("lines")),
        cells=at.cells(block, vocabulary.INVOICE_CELLS, names),
        tax=_tax(at, block.get("tax")),
        discount=_discount(at, block.get("discount"), at.names),
        custom_fields=at.free(block.get("custom_fields"), names),
        made_before=at.cells(
            entries_of(block.get("made_before")), vocabulary.MADE_BEFORE, at.names
        ),
        target=_target(at, block, names),
    )


def _lines(at: Cells, node: Node | None) -> rules.LineRules:
    block = entries_of(node)
    each = block.get("for")
    form = re.fullmatch(vocabulary.EACH, str(each.value)) if each else None
    row, rows = (form[1], form[2]) if form else ("line", "lines")
    if each is not None and rows not in at.many:
        at.wrong(each, f"{rows!r} is no list of records", nearest(rows, at.many))
    if each is not None and row in at.names:
        at.wrong(each, f"{row} is a name already", "choose another")
    listed = at.names.get(rows)
    fields = listed.fields if isinstance(listed, Shape) else None
    names = {**at.names, row: Shape(fields)}
    aliases = {row: rows}
    item = block.get("item")
    return rules.LineRules(
        each=row,
        rows=rows,
        when=at.cell(block.get("when"), Type.TRUTH, names, aliases),
        item=_match(at, item, "item", names, aliases) if item else None,
        discount=_discount(at, block.get("discount"), names, aliases),
        cells=at.cells(block, vocabulary.LINE_CELLS, names, aliases),
        target=_target(at, block, names, aliases),
        line=node.line if node else 0,
    )


def read_files(at: Cells, top: abc.Mapping[str, Node], to: str) -> rules.FileRules | None:
    """Which files go along; only an invoice has any, and its document waits for none."""
    node = top.get("files")
    block = entries_of(node)
    each = block.get("for")
    form = re.fullmatch(vocabulary.EACH, str(each.value)) if each else None
    if node is None or each is None or form is None:
        return None
    row, rows = form[1], form[2]
    if to != "invoice":
        at.wrong(node, f"files stand in a mapping to {to}", "only an invoice takes files")
    if rows not in at.many or at.kinds[rows] != "file":
        at.wrong(each, f"{rows!r} is no list of files", "write `with: {files: deal.files[]}`")
    if row in at.names:
        at.wrong(each, f"{row} is a name already", "choose another")
    listed = at.names.get(rows)
    names = {**at.names, row: Shape(listed.fields if isinstance(listed, Shape) else None)}
    at.used.setdefault(rows, set()).update(FILE_FIELDS & set(at.known.get("file", ())))
    when = at.cell(block.get("when"), Type.TRUTH, names, {row: rows})
    patterns = tuple(str(each.value).lower() for each in rows_of(block.get("names")))
    parts = at.word(block, "parts", tuple(rules.Bearing), rules.Bearing.FIRST)
    return rules.FileRules(row, rows, patterns, when, parts, node.line)


def read_pdf(at: Cells, top: abc.Mapping[str, Node], to: str) -> rules.Printing | None:
    """Whether the books' PDF goes to the source; only an invoice has one."""
    node = top.get("pdf")
    if node is not None and to != "invoice":
        at.wrong(node, f"pdf stands in a mapping to {to}", "only an invoice is printed")
    said = None if node is None else node.value
    return next((one for one in rules.Printing if one == said), None)


def _payment(at: Cells, block: abc.Mapping[str, Node]) -> rules.PaymentRules:
    pays = block.get("pays")
    form = re.fullmatch(vocabulary.PAYS, str(pays.value)) if pays else None
    role = form[1] if form else ""
    if pays is not None and form and (role not in at.kinds or role in at.many):
        singles = at.kinds.keys() - at.many
        at.wrong(pays, f"{role!r} is no single record", nearest(role, singles))
    return rules.PaymentRules(
        pays=role,
        cells=at.cells(block, vocabulary.PAYMENT_CELLS, at.names),
    )


def _match(
    at: Cells,
    node: Node | None,
    kind: str,
    names: Names,
    aliases: abc.Mapping[str, str] | None = None,
) -> rules.MatchRules:
    block = entries_of(node)
    clues = []
    source = None
    for row in rows_of(block.get("match")):
        for by, cell in entries_of(row).items():
            formula = at.cell(cell, Type.TEXT, names, aliases)
            clues.append(rules.MatchRule(by, formula or ABSENT))
            if by == "bound" and formula and formula.paths:
                source = formula.paths[0][0]
    create = _created(at, block.get("create"), names, aliases)
    choices = (*vocabulary.NONE_CHOICES, "default")
    none = at.word(block, "none", choices, "ask")
    default = block.get("default")
    if node is not None and none == "default" and default is None:
        at.wrong(block["none"], "none: default needs a name", "add `default: NAME`")
    if node is not None and none == "create" and "name" not in create:
        at.wrong(block["none"], "none: create needs a name", "add `create: {name: =…}`")
    return rules.MatchRules(
        kind=kind,
        rules=tuple(clues),
        none=none,
        many=at.word(block, "many", vocabulary.MANY_CHOICES, "ask"),
        default=str(default.value) if default else None,
        create=create,
        source=source,
        line=node.line if node else 0,
    )


def _created(
    at: Cells, node: Node | None, names: Names, aliases: abc.Mapping[str, str] | None
) -> dict[str, Formula]:
    """What a new record gets; the parts of an address by their whole names."""
    cells: dict[str, Formula] = {}
    for name, cell in entries_of(node).items():
        parts = {f"{name}.{part}": held for part, held in entries_of(cell).items()}
        for whole, held in (parts or {name: cell}).items():
            wanted = Type.ANY if whole in ("unit_price", "taxable") else Type.TEXT
            cells[whole] = at.cell(held, wanted, names, aliases) or ABSENT
    return cells


def _tax(at: Cells, node: Node | None) -> rules.TaxRules:
    block = entries_of(node)
    by = TaxBy(at.word(block, "compute", tuple(TaxBy), TaxBy.BOOKS))
    if node is not None and by is not TaxBy.BOOKS and "expected" not in block:
        at.wrong(block["compute"], f"compute: {by} needs an amount", "add `expected: =…`")
    return rules.TaxRules(
        prices=Prices(at.word(block, "prices", tuple(Prices), Prices.EXCLUSIVE)),
        by=by,
        tolerance=at.cell(block.get("tolerance"), Type.NUMBER),
        expected=at.cell(block.get("expected"), Type.NUMBER),
    )


def _discount(
    at: Cells, node: Node | None, names: Names, aliases: abc.Mapping[str, str] | None = None
) -> rules.DiscountRule | None:
    grouped = entries_of(node)
    if node is None or (node.entries is not None and not grouped):
        return None
    is_percent = "amount" not in grouped
    cell = grouped.get("percent" if is_percent else "amount", node)
    formula = at.cell(cell, Type.NUMBER, names, aliases)
    return rules.DiscountRule(formula or ABSENT, is_percent)


def _target(
    at: Cells,
    block: abc.Mapping[str, Node],
    names: Names,
    aliases: abc.Mapping[str, str] | None = None,
) -> dict[str, Formula]:
    """The target's own words; a file that names several targets has one block for each."""
    return {
        f"{system}.{word}": formula
        for system in at.targets
        for word, formula in at.free(block.get(system), names, aliases).items()
    }
