"""What stands around the document of a mapping: its parts, its checks, what is written back."""

from __future__ import annotations

from collections import abc
from collections.abc import Iterator
from decimal import Decimal

from mapping import rules, vocabulary
from mapping.cells import ABSENT, Cells, entries_of, rows_of
from mapping.formula import Path, Shape
from mapping.functions import Type
from mapping.mistake import Mistake, nearest
from mapping.names import AFTERWARDS, DRAFTED, DRAFTED_LINE, OF_CUSTOMER, PART
from mapping.periods import CALENDAR_MONTHS, EVERY, step_of
from mapping.yaml12 import Node
from tieout.model.change import Severity
from tieout.model.document import HUNDRED
from tieout.model.money import plain_text


def read_parts(
    at: Cells, top: abc.Mapping[str, Node], document: rules.DocumentRules
) -> Iterator[rules.PartRule]:
    """Yield the documents that one whole is split into; none where the file has no parts."""
    node = top.get("parts")
    if node is None:
        return
    if not isinstance(document, rules.InvoiceRules):
        at.wrong_key(at.tree, "parts", "only an invoice has parts")
        return
    made = [part for row in rows_of(node) if (part := _part(at, row, document.lines))]
    for n, part in enumerate(made):
        if part.name in {before.name for before in made[:n]}:
            at.wrong(rows_of(node)[n], f"two parts are named {part.name!r}", "rename one")
    at.mistakes.extend(_unsummed(node, made))
    yield from made


def _part(at: Cells, node: Node, of: rules.LineRules) -> rules.PartRule | None:
    block = entries_of(node)
    takes = [one for one in rules.Takes if one in block]
    if len(takes) != 1:
        choices = ", ".join(rules.Takes)
        at.wrong(node, "a part takes one thing of the whole", f"give it one of {choices}")
        return None
    [what] = takes
    listed = at.names.get(of.rows)
    names: dict[str, Type | Shape] = dict(at.names)
    if what in (rules.Takes.LINES, rules.Takes.BY, rules.Takes.PERIODS):
        names[of.each] = Shape(listed.fields if isinstance(listed, Shape) else None)
    aliases = {of.each: of.rows}
    value = at.cell(block[what], vocabulary.PART_TAKES[what][1], names, aliases)
    if what is rules.Takes.REST and block[what].value is not True:
        at.wrong(block[what], "rest is true, or is left out")
    is_timed = what is rules.Takes.PERIODS
    for key in ("every", "delay_months"):
        if key in block and not is_timed:
            at.wrong(block[key], f"{key} stands beside periods only")
    every = at.cell(block.get("every"), Type.ANY, names, aliases)
    if every is not None and every.is_constant and step_of(every.evaluate({})) is None:
        said = every.evaluate({})
        at.wrong(block["every"], f"every cannot be {said}", nearest(str(said), EVERY))
    return rules.PartRule(
        name=str(block["name"].value) if "name" in block else "",
        takes=what,
        value=value or ABSENT,
        every=every,
        date=at.cell(block.get("date"), Type.DATE, names if is_timed else None, aliases),
        delay_months=at.cell(block.get("delay_months"), Type.NUMBER, names, aliases),
        title=at.cell(block.get("title"), Type.TEXT, {**at.names, "part": PART}),
        line=node.line,
    )


def read_group(
    at: Cells,
    top: abc.Mapping[str, Node],
    document: rules.DocumentRules,
    roles: abc.Sequence[rules.Role],
) -> rules.GroupRule | None:
    """Return which sources go together in one document; None where the file has no group.

    ``roles`` are the records that may be the customer's: of another kind than the sources.
    """
    node = top.get("group")
    if node is None:
        return None
    block = entries_of(node)
    if not isinstance(document, rules.InvoiceRules):
        at.wrong_key(at.tree, "group", "only invoices go together")
        return None
    if "parts" in top:
        at.wrong_key(at.tree, "group", "a mapping has parts or a group", "leave one of them out")
    role = next((one for one in roles if one.name == document.customer.source), None)
    if role is None or role.many or role.optional:
        hint = "let a clue be remembered for a record that each source has: `bound: =company.id`"
        at.wrong(node, "the customer has no record of its own that is always there", hint)
        return None
    every = at.word(block, "every", tuple(CALENDAR_MONTHS), "month")
    return rules.GroupRule(
        role=role.name,
        every_months=CALENDAR_MONTHS[every],
        date=at.cell(block.get("date"), Type.DATE) or ABSENT,
        late=at.word(block, "late", tuple(rules.Late), rules.Late.NEXT),
        held=at.word(block, "held", tuple(rules.Held), rules.Held.LEAVE_OUT),
        line=node.line,
    )


def read_checks(
    at: Cells, top: abc.Mapping[str, Node], document: rules.DocumentRules
) -> Iterator[rules.Check]:
    """Yield what is asked of the whole document before a person sees it."""
    names: dict[str, Type | Shape] = {**at.names, "document": DRAFTED}
    made_here: set[Path] = set()
    if isinstance(document, rules.InvoiceRules):
        rows = document.lines.rows
        listed = at.names.get(rows)
        fields = listed.fields if isinstance(listed, Shape) else None
        names[rows] = Shape({**(fields or {}), **DRAFTED_LINE}, many=True)
        made_here = {(rows, name) for name in DRAFTED_LINE}
    for row in rows_of(top.get("checks")):
        block = entries_of(row)
        that = at.cell(block.get("that"), Type.TRUTH, names, made_here=made_here)
        say = at.cell(block.get("say"), Type.TEXT, names, made_here=made_here)
        severity = Severity(at.word(block, "else", tuple(Severity), Severity.BLOCK))
        yield rules.Check(that or ABSENT, say or ABSENT, severity)


def read_write_back(
    at: Cells, top: abc.Mapping[str, Node], document: rules.DocumentRules
) -> Iterator[rules.WriteBack]:
    """Yield what the source and its neighbours are told, field by field."""
    names = {**at.names, **AFTERWARDS}
    node = top.get("write_back")
    for key, cell in entries_of(node).items():
        assert node is not None
        role, _, name = key.partition(".")
        shape = at.names.get(role)
        if role not in at.kinds or not isinstance(shape, Shape) or shape.many:
            singles = at.kinds.keys() - at.many
            at.wrong_key(node, key, f"{key} is no field of a single record", nearest(role, singles))
            continue
        known = shape.fields
        if known is not None and name not in known:
            at.wrong_key(node, key, f"no field {name!r} in {role}", nearest(name, known))
            continue
        wanted = known[name] if known is not None else Type.ANY
        formula = at.cell(cell, wanted, names)
        at.used.setdefault(role, set()).add(name)
        rule = rules.WriteBack(role, name, formula or ABSENT)
        if rule.of_customer:
            _check_of_customer(at, node, key, cell, rule, document)
        yield rule


def _check_of_customer(
    at: Cells,
    node: Node,
    key: str,
    cell: Node,
    rule: rules.WriteBack,
    document: rules.DocumentRules,
) -> None:
    """What a customer owes belongs to its own record, and moves when no document is at hand."""
    owner = document.customer.source if isinstance(document, rules.InvoiceRules) else None
    if rule.role != owner:
        said = f"{rule.role} is no record that the customer is matched by"
        at.wrong_key(node, key, said, "" if owner is None else f"{owner} is")
    asked = {path[0] for path in rule.value.paths} - OF_CUSTOMER
    if asked:
        names = ", ".join(sorted(asked))
        at.wrong(cell, f"{names} cannot stand beside {rules.RECEIVABLES}", "take it out")


def _unsummed(node: Node, parts: list[rules.PartRule]) -> Iterator[Mistake]:
    """Yield where it can be seen in the file alone that the parts cannot sum to the whole."""
    shares = [part for part in parts if part.takes not in (rules.Takes.LINES, rules.Takes.BY)]
    rests = [part for part in shares if part.takes in (rules.Takes.REST, rules.Takes.PERIODS)]
    for second in rests[1:]:
        yield Mistake(node.file, second.line, f"{rests[0].name} takes the rest already", "")
    percents = [part for part in shares if part.takes is rules.Takes.PERCENT]
    if not all(part.value.is_constant for part in percents):
        return
    whole = sum((Decimal(part.value.evaluate({}) or 0) for part in percents), Decimal(0))
    hint = "the parts of a document must sum to it; `rest: true` takes what others leave"
    is_short = bool(shares) and not rests and len(percents) == len(shares) and whole != HUNDRED
    if is_short or whole > HUNDRED:
        said = plain_text(whole)
        yield Mistake(node.file, shares[0].line, f"the parts come to {said} %, not 100", hint)
