"""What a sales team does with quotes and HubSpot's own invoices.

Both get lines of their own, cloned from the deal's (knowledge.hubspot.com, page "Use line items").
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from tieout.simulator.hubspot.deeds import copied, deed, record_of
from tieout.simulator.hubspot.portal import HubSpotPortal
from tieout.simulator.hubspot.pricing import whole_of
from tieout.simulator.hubspot.records import Record
from tieout.simulator.hubspot.schema import instant_text

CHARGES = ("discounts", "fees", "taxes")
FIRST_NUMBER = 1_001

Charges = Mapping[str, Sequence[Mapping[str, Any]]]


@deed
def quote(
    portal: HubSpotPortal,
    deal: str,
    properties: Mapping[str, Any] | None = None,
    charges: Charges | None = None,
) -> str:
    """Draft a quote of a deal; ``charges`` are its discounts, fees and taxes. Returns its id."""
    return _drafted(portal, "quotes", deal, {"hs_status": "DRAFT", **(properties or {})}, charges)


@deed
def publish_quote(portal: HubSpotPortal, quote: str, status: str = "APPROVAL_NOT_NEEDED") -> None:
    """Let the buyer see a quote: its amount is computed, and it has a link."""
    record = portal.update("quotes", record_of(portal, "quotes", quote), {"hs_status": status})
    asked = "1" if record.values.get("hs_esign_enabled") == "true" else "0"
    portal.compute(
        "quotes",
        record,
        {
            "hs_quote_amount": f"{_whole(portal, 'quotes', record):f}",
            "hs_quote_link": f"https://quotes.nordlys.example/{record.id}",
            "hs_esign_num_signers_required": asked,
            "hs_esign_num_signers_completed": "0",
        },
    )


@deed
def sign_quote(portal: HubSpotPortal, quote: str) -> None:
    """Let the buyer sign a quote now."""
    record = record_of(portal, "quotes", quote)
    signed = {
        "hs_esign_date": instant_text(portal.present()),
        "hs_esign_num_signers_completed": record.values["hs_esign_num_signers_required"],
    }
    portal.compute("quotes", record, signed)


@deed
def pay_quote(portal: HubSpotPortal, quote: str) -> None:
    """Let the buyer pay a quote now."""
    paid = {"hs_payment_date": instant_text(portal.present()), "hs_payment_status": "PAID"}
    portal.compute("quotes", record_of(portal, "quotes", quote), paid)


@deed
def bill(
    portal: HubSpotPortal,
    deal: str,
    properties: Mapping[str, Any] | None = None,
    charges: Charges | None = None,
) -> str:
    """Draft an invoice of HubSpot's own of a deal; returns its id."""
    drafted = {"hs_invoice_status": "draft", **(properties or {})}
    return _drafted(portal, "invoices", deal, drafted, charges)


@deed
def open_invoice(portal: HubSpotPortal, invoice: str) -> None:
    """Let an invoice be open: it gets its number, its date where it has none, and its amounts."""
    record = record_of(portal, "invoices", invoice)
    numbers = sum(1 for one in portal.shelves["invoices"].live() if one.values.get("hs_number"))
    whole = f"{_whole(portal, 'invoices', record):f}"
    today = portal.now().date().isoformat()
    portal.compute(
        "invoices",
        record,
        {
            "hs_invoice_date": record.values.get("hs_invoice_date", today),
            "hs_number": record.values.get("hs_number", f"INV-{FIRST_NUMBER + numbers}"),
            "hs_invoice_status": "open",
            "hs_amount_billed": whole,
            "hs_balance_due": whole,
            "hs_invoice_link": f"https://invoices.nordlys.example/{record.id}",
        },
    )


@deed
def pay_invoice(portal: HubSpotPortal, invoice: str, amount: str) -> None:
    """Let so much of an invoice be paid; it is paid when nothing is left."""
    record = record_of(portal, "invoices", invoice)
    left = Decimal(record.values["hs_balance_due"]) - Decimal(amount)
    status = {} if left > 0 else {"hs_invoice_status": "paid"}
    portal.compute("invoices", record, {"hs_balance_due": f"{left:f}", **status})


@deed
def void_invoice(portal: HubSpotPortal, invoice: str) -> None:
    """Void an invoice: nothing of it is due any more."""
    voided = {"hs_invoice_status": "voided", "hs_balance_due": "0.00"}
    portal.compute("invoices", record_of(portal, "invoices", invoice), voided)


def _drafted(
    portal: HubSpotPortal,
    kind: str,
    deal: str,
    properties: Mapping[str, Any],
    charges: Charges | None,
) -> str:
    source = record_of(portal, "deals", deal)
    given = {
        "hs_title": source.values.get("dealname", ""),
        "hs_currency": source.values.get("deal_currency_code", ""),
        **properties,
    }
    made = portal.create(kind, given)
    portal.link((kind, "deals"), made.id, source.id)
    for target_kind in ("companies", "contacts"):
        for target in portal.links.of(("deals", target_kind), source.id):
            portal.link((kind, target_kind), made.id, target)
    for line_id in list(portal.links.of(("deals", "line_items"), source.id)):
        line = portal.find("line_items", line_id)
        if line is not None:
            cloned = portal.create("line_items", copied(portal, "line_items", line))
            portal.link((kind, "line_items"), made.id, cloned.id)
    for name, each in (charges or {}).items():
        for one in each:
            charge = portal.create(name, {"hs_duration": "ONCE", **one})
            portal.link((kind, name), made.id, charge.id)
    return str(made.id)


def _whole(portal: HubSpotPortal, kind: str, record: Record) -> Decimal:
    def linked(name: str) -> list[Mapping[str, str]]:
        found = (portal.find(name, one) for one in portal.links.of((kind, name), record.id))
        return [each.values for each in found if each is not None]

    charges = {name: linked(name) for name in CHARGES}
    return whole_of(linked("line_items"), charges, record.values.get("hs_currency", ""))
