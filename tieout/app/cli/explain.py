"""``tieout explain``: why this value, and why not invoiced."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import click

from tieout.app.cli.verb import Answer, Caller, verb


@click.command(name="explain")
@click.argument("ref")
@click.argument("field", required=False)
@verb
def command(caller: Caller, ref: str, field: str | None) -> Answer:
    """Show where a value comes from, and why a deal is not invoiced.

    REF is a source's kind and id, as deal:901, or one of several documents that it makes, as
    deal:901/rest; FIELD a field of its document, as customer or lines[0].tax_code. Every value
    names the line of the mapping that made it.

    Examples:
      tieout explain deal:901
      tieout explain deal:901 customer

    JSON: {"source", "documents": [{"mapping", "key", "part", "title", "state", "reason", "record",
    "goes_with": the document of several deals or null, "members": [{"source", "net", "state"}],
    "values": [{"field", "line", "says"}], "findings", "decisions", "receipt", "tasks",
    "journal"}]}
    """
    from tieout.app.cli.asking import look  # noqa: PLC0415 (imported when used)

    values = look(caller, "explain", ref=ref, field=field)
    lines = [line for each in values["documents"] for line in document_lines(each)]
    return Answer(values, lines)


def document_lines(document: Mapping[str, Any]) -> Iterator[str]:
    """Yield what became of one document, for people."""
    why = f" ({document['reason']})" if document["reason"] else ""
    yield click.style(f"{document['title']}: {document['state']}{why}", bold=True)
    yield f"  by mapping {document['mapping']}, key {document['key']}"
    receipt = document["receipt"]
    if receipt:
        number = receipt["number"] or receipt["id"]
        yield f"  in the books: {receipt['kind']} {number}, {receipt['how']} {receipt['at']}"
        if receipt["variance"]:
            more = "less" if receipt["variance"].startswith("-") else "more"
            off = receipt["variance"].lstrip("-")
            yield f"  variance: its total of {receipt['total']} is {off} {more} than expected"
    if document["goes_with"]:
        yield f"  together with others: {document['goes_with']}"
    for member in document["members"]:
        yield f"  of {member['source']}: {member['net']}"
    for finding in document["findings"]:
        line = f" (line {finding['line']})" if finding["line"] else ""
        yield f"  {finding['code']}: {finding['message']}{line} {finding['remedy']}".rstrip()
    for task in document["tasks"]:
        yield f"  task {task['code']}: {task['message']} {task['remedy']}".rstrip()
    yield from (f"  {value['says']}" for value in document["values"])
    for decision in document["decisions"]:
        by = f"by {decision['who']}" + (f", {decision['reason']}" if decision["reason"] else "")
        yield f"  {decision['verdict']} {decision['at']} {by}"
