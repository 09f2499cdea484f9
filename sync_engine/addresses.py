"""The address of a record as the ledger's tables hold it: a Ref as columns, and columns as a Ref.

A table of records names its own address ``company``, ``kind``, ``id``; a table of documents, which
have a kind of their own, names their source's ``company``, ``source_kind``, ``source_id``.
"""

from __future__ import annotations

from sync_engine.ledger.store import Row
from tieout.model.ref import Ref

OF_PART = "/"  # between a source and the part that is meant; no id of a record has it


def address_of(ref: Ref) -> dict[str, str]:
    """Return a record's address, as the parameters of a query."""
    return {"company": ref.company, "kind": ref.kind, "id": ref.id}


def source_address(ref: Ref) -> dict[str, str]:
    """Return the address of a document's source, as the parameters of a query."""
    return {"company": ref.company, "source_kind": ref.kind, "source_id": ref.id}


def named_as(ref: Ref, part: str = "") -> str:
    """Return how people name a document: ``deal:901``, or ``deal:901/rest`` where it is a part."""
    return f"{ref.kind}:{ref.id}{OF_PART if part else ''}{part}"


def source_of(row: Row) -> Ref:
    """Return the address of the source that a document's row names."""
    return Ref(row["company"], row["source_kind"], row["source_id"])
