"""The least rights of the user, and which of them it lacks: by what the org describes to it.

What a user may not see is not described to it, and a field that it may not edit is not updateable
(page "sObject Describe"). What only the deed itself would tell is listed without a judgement.
"""

from __future__ import annotations

from collections.abc import Iterator

from connectors.salesforce.facts import Kind
from connectors.salesforce.guarding import guarded
from connectors.salesforce.reading import Reading
from tieout.model.contract import Right
from tieout.model.errors import Unsupported

WORKED = ("deal", "line_item", "company", "contact", "owner")  # where nothing says which are used


def rights(reading: Reading) -> Iterator[Right]:
    """Yield each right that the mappings need.

    Raises:
        TieoutError: the session is not accepted, or Salesforce does not answer.
    """
    yield Right("API Enabled", "any call", held=reading.org(fresh=True).id != "")
    used = reading.opening.reads or dict.fromkeys(WORKED, frozenset())
    for name in sorted(used):
        kind = reading.facts.kinds.get(name)
        if kind is not None:
            yield from _of_reading(reading, kind)
    yield from _of_writing(reading, reading.facts.kinds["deal"])
    yield guarded(reading)
    yield Right("View All on what is read", "a record that is not shared looks as if deleted")
    yield Right("Customize Application", "only while `tieout provision` makes the fields")


def _of_reading(reading: Reading, kind: Kind) -> Iterator[Right]:
    right = f"Read on {kind.object}"
    purpose = f"records of kind {kind.name}"
    try:
        reading.schema.look_again([kind])
    except Unsupported as refused:
        yield Right(right, purpose, held=False, said=refused.vendor_words or refused.what)
        return
    yield Right(right, purpose, held=True)
    for field in reading.schema.chosen(kind).missing:
        said = "Salesforce does not show it to this user, or the org has none."
        yield Right(f"{right}.{field}", "a mapping uses it", held=False, said=said)


def _of_writing(reading: Reading, kind: Kind) -> Iterator[Right]:
    shown = reading.schema.describe(kind.name)
    yield Right(
        f"Edit on {kind.object}",
        "what the deals are told",
        held=reading.schema.is_writable(kind),
        said="" if reading.schema.is_writable(kind) else "It is described as not updateable.",
    )
    lacking = [
        field.field
        for field in kind.fields.values()
        if field.provisioned and (field.name not in shown or shown[field.name].read_only)
    ]
    said = f"Run `tieout provision COMPANY`: {', '.join(lacking)}." if lacking else ""
    right = f"Edit on the Tieout fields of {kind.object}"
    yield Right(right, "what the deals are told", held=not lacking, said=said)
