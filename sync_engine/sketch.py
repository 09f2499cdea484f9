"""The sketch: what drafting left of one source, and what of it decides whether it changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from mapping.drafting import Given, Trace
from mapping.rules import Mapping
from sync_engine.collected import Collective
from sync_engine.states import UNREADABLE
from tieout.model.canonical import Plain, plain
from tieout.model.change import Finding
from tieout.model.document import Document, Invoice, Payment
from tieout.model.money import Money
from tieout.model.ref import Key, Ref

NO_TRACE = Trace()


@dataclass(frozen=True, slots=True)
class Sketch:
    """What a source says now.

    Attributes:
        ref: the source.
        mapping: the mapping that was asked.
        key: the document's key in its present generation.
        part: which of the source's documents it is; empty for the whole.
        parts: all of them, as its source says now.
        is_dated: whether it is not to be posted before ``day``, nor while there is none.
        day: that day.
        state: live, gone, merged, unreadable, unknown: of the source.
        document: what would be posted; None when skipped or when a needed value is missing.
        skipped: why the mapping leaves the source alone; empty when it does not.
        findings: what was found while drafting.
        net: what the source comes to, also where no document could be made; None when unknown.
        mark: the deal's own mark as the CRM holds it.
        merged: ids that were merged into this source.
        unread_files: why its files are not all known; it holds nothing back.
        goes_with: the document of several sources that it is not sent without.
        members: of a document of several sources, each one's own key and document.
    """

    ref: Ref
    mapping: Mapping
    key: Key
    state: str
    document: Document | None = None
    skipped: str = ""
    findings: tuple[Finding, ...] = ()
    trace: Trace = NO_TRACE
    net: Money | None = None
    title: str = ""
    mark: str | None = None
    merged: tuple[str, ...] = ()
    given: Given | None = None
    part: str = ""
    parts: tuple[str, ...] = ("",)
    is_dated: bool = False
    day: date | None = None
    unread_files: tuple[Finding, ...] = ()
    goes_with: Collective | None = None
    members: tuple[tuple[str, Invoice], ...] = ()

    @property
    def is_member(self) -> bool:
        """Whether it is of a source that goes with others, and so never sent by itself."""
        return self.mapping.group is not None and self.ref.kind == self.mapping.kind

    @property
    def is_unread(self) -> bool:
        """Whether something of it could not be read, so that it says nothing."""
        return any(finding.code == UNREADABLE for finding in self.findings)


def content_of(document: Document | None) -> Plain:
    """Return what a document says, as far as its own source decides it.

    A company's or item's edit is left out: it never makes drift on what is posted.
    """
    match document:
        case Invoice():
            return {
                "net": plain(document.net),
                "date": plain(document.date),
                "currency": document.currency.code,
                "purchase_order": document.purchase_order,
                "customer": None
                if document.customer.source is None
                else [document.customer.source.kind, document.customer.source.id],
                "lines": [
                    {
                        "description": line.description,
                        "quantity": plain(line.quantity),
                        "unit_price": plain(line.unit_price),
                        "amount": plain(line.amount.amount),
                    }
                    for line in document.lines
                ],
            }
        case Payment():
            return {
                "amount": plain(document.amount),
                "date": plain(document.date),
                "reference": document.reference,
                "method": document.method,
            }
    return None


def order_of(document: Document | None) -> str | None:
    """Return the purchase order number of an invoice."""
    return document.purchase_order if isinstance(document, Invoice) else None
