"""Writes the pages and the schema that come from the code: ``python -m mapping.reference``."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from mapping import formula, functions, vocabulary
from mapping.drafting import APPROVALS, STATUSES
from mapping.formula import Names, Shape
from mapping.functions import FUNCTIONS
from mapping.grammar import Anything, Block, Cell, Either, Key, Rows, Text, Whole, Word
from mapping.names import AFTERWARDS, ALWAYS, DRAFTED, DRAFTED_LINE, GROUP, PART

ROOT = Path(__file__).parent.parent


def pages() -> Mapping[Path, str]:
    """Return every file that is made from this package, and its text."""
    return {
        ROOT / "docs/reference/formula.md": formula_page(),
        ROOT / "docs/reference/mapping.md": mapping_page(),
        ROOT / "config/schema/mapping.schema.json": schema_text(),
    }


def schema_text() -> str:
    """Return the JSON Schema for editors."""
    return json.dumps(vocabulary.json_schema(), indent=2, ensure_ascii=False) + "\n"


def formula_page() -> str:
    """Return the reference of what may follow ``=``."""
    return _FORMULAS.format(
        functions="\n".join(line for name in FUNCTIONS for line in _function(name)),
        everywhere=_names(ALWAYS),
        part=_names({"part": PART}),
        group=_names({"group": GROUP}),
        drafted=_names({"document": DRAFTED}),
        drafted_line=", ".join(f"`{name}`" for name in DRAFTED_LINE),
        afterwards=_names(AFTERWARDS),
        statuses="\n".join(f"| `{word}` | {said} |" for word, said in STATUSES.items()),
        approvals="\n".join(f"| `{word}` | {said} |" for word, said in APPROVALS.items()),
        chars=formula.CHARS_LIMIT,
        parts=formula.NODES_LIMIT,
        levels=formula.DEPTH_LIMIT,
        digits=functions.EXACT.prec,
        joined=functions.TEXT_CHARS_LIMIT,
    )


def mapping_page() -> str:
    """Return the reference of a mapping file's keys."""
    return _MAPPINGS.format(keys="\n".join(_block(vocabulary.grammar(), 0)))


_MAPPINGS: Final = """\
# Mapping files

<!-- made by `python -m mapping.reference`; change the code, not this page -->

Every key that `config/mappings/*.yaml` may have. A *cell* is a value or a
[formula](formula.md). Bold keys must be there.

{keys}
"""
_FORMULAS: Final = """\
# Formulas

<!-- made by `python -m mapping.reference`; change the code, not this page -->

A value of a mapping that starts with `=` is a formula, as in a spreadsheet. This page is the whole
language. It has no loops, no methods and no functions of your own; what is not here is refused
when the file is loaded, with its line.

## Values

- Numbers are exact decimals, never floats: `0.1 + 0.2` is `0.3`. Write `12` or `0.5`.
- Texts stand in quotes: `"standard"`. A formula has no backslash.
- `True`, `False`, and `None` for what is missing.
- `deal.amount` is a field of a record. A field that is empty, or of a record that is not there, is
  `None`. `contact is None` asks whether there is such a record.
- `lines.amount` is a column: that field of every row.

## Operators

| written | means |
|---|---|
| `a + b` `a - b` `a * b` `a / b` `-a` | arithmetic, on numbers only |
| `day + 30` `day - 30` | a date and whole days |
| `day - other` | the days between two dates |
| `==` `!=` `<` `<=` `>` `>=` | comparison; `0 < a <= 5` too |
| `a is None` `a is not None` | whether it is missing |
| `a in ("x", "y")` `a not in (…)` | whether it is one of them, or part of a text |
| `a and b` `a or b` `not a` | `a or b` is `b` when `a` is missing, empty or 0 |
| `a if test else b` | one or the other |

Arithmetic on a missing value, a division by zero and a missing entry of a table never stop a run:
they block the document, and the finding names the field or the entry.

## Functions

{functions}
## Names

Beside the records that a mapping names itself:

| where | names |
|---|---|
| everywhere | {everywhere} |
| the invoice's head, beside `parts` | {part} |
| the invoice's head, beside `group` | {group} |
| `checks` | {drafted}; of each line {drafted_line} as computed |
| `write_back` | {afterwards} |

`status` is one of these words. It is empty once the mapping takes the record no more. For a CRM
with words of its own: `="part_paid" if status == "part-paid" else status`.

| `status` | the document |
|---|---|
{statuses}

| `approval` | |
|---|---|
{approvals}

`tied_out_at` is when the deal, the plan and the books were last found to agree. Like `synced_at` it
is told along with what changed, and is no reason to write.

`receivables` is what the customer owes by the books. It is told to the record that the customer is
matched by: `company.open_balance: =receivables.open_balance`. It counts the open invoices dated on
or after the cutover date, made by whomever; payments and credits that are not applied to an invoice
do not lessen it. `aged_30`, `aged_60`, `aged_90` and `aged_over_90` go by days after the due date:
up to 30 (with what is not due yet), to 60, to 90, and more; they sum up to `open_balance`. All
is in `currency`: that of the CRM's record, else the books' own, where something is open in it;
`other_currencies` says in words what is open beside it. It is looked at again when an invoice or a
payment of the customer moved, and on the day on which one ages. Beside it a formula may name only
`books.home_currency` and `cutover_date`. Where several pairs tell one CRM, each needs fields of its
own.

## Limits

{chars} characters, {parts} parts and {levels} levels of nesting; {digits} digits of a result;
{joined} characters of a joined text.

## YAML's one sharp edge

A formula that holds `: ` or ` #`, or a comma inside `{{…}}` or `[…]`, must stand in single quotes:
`'=join(": ", deal.id, deal.name)'`.
"""


def _function(name: str) -> Iterator[str]:
    said, _, example = FUNCTIONS[name].doc.partition("\n\n")
    yield f"### {name}"
    yield ""
    yield " ".join(said.split())
    yield ""
    yield f"    {example.strip()}"
    yield ""


def _names(names: Names) -> str:
    shown: list[str] = []
    for name, known in names.items():
        if isinstance(known, Shape):
            shown.extend(f"`{name}.{field}`" for field in known.fields or ())
        else:
            shown.append(f"`{name}`")
    return ", ".join(shown)


def _block(block: Block, depth: int) -> Iterator[str]:
    for name, key in block.keys.items():
        if not isinstance(key.shape, Anything):
            yield from _key(name, key, depth)


def _key(name: str, key: Key, depth: int) -> Iterator[str]:
    shown = f"**`{name}`**" if key.required else f"`{name}`"
    yield f"{'  ' * depth}- {shown} ({_form(key)}): {key.says}"
    match key.shape:
        case Block() as block:
            yield from _block(block, depth + 1)
        case Rows(Block() as block):
            yield from _block(block, depth + 1)
        case Either(Cell(), Block() as block):
            yield from _block(block, depth + 1)


def _form(key: Key) -> str:
    match key.shape:
        case Cell(gives):
            return f"cell: {gives}"
        case Word(choices):
            return " · ".join(choices)
        case Text(_, form):
            return form
        case Whole():
            return "a whole number"
        case Rows():
            return "list"
        case Either(Cell(), _):
            return "cell, or block"
        case Either(Word(choices), _):
            return f"{' · '.join(choices)}, or block"
    return "block"


if __name__ == "__main__":
    for made, content in pages().items():
        made.parent.mkdir(parents=True, exist_ok=True)
        made.write_text(content, encoding="utf-8")
