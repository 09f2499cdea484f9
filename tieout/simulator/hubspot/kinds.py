"""HubSpot's own kinds of records and their standard properties.

Sources: developers.hubspot.com/docs/api-reference, pages "Deals", "Line items", "Companies",
"Contacts", "Products", "Commerce payments", "Invoices", "Notes"; R39-R41.
"""

from collections.abc import Mapping
from typing import Any

from tieout.simulator.hubspot.schema import (
    CURRENCIES,
    FREQUENCIES,
    QUOTE_STATUSES,
    STARTS,
    Kind,
    Property,
)


def _kind(
    name: str,
    singular: str,
    type_id: str,
    *properties: Property,
    scope: str = "",
    modified: str = "hs_lastmodifieddate",
    created: str = "createdate",
    shown: tuple[str, ...] = (),
) -> Kind:
    system = (
        Property("hs_object_id", "Record ID", "number", "number", unique=True, read_only=True),
        Property(modified, "Last Modified Date", "datetime", "date", read_only=True),
        Property(created, "Create Date", "datetime", "date", read_only=True),
        Property("hs_merged_object_ids", "Merged record IDs", "enumeration", read_only=True),
    )
    return Kind(
        name,
        singular,
        type_id,
        scope or name,
        modified,
        created,
        (*shown, created, modified, "hs_object_id"),
        {prop.name: prop for prop in (*system, *properties)},
    )


def _text(name: str, label: str, **told: Any) -> Property:
    return Property(name, label, **told)


def _num(name: str, label: str, **told: Any) -> Property:
    return Property(name, label, "number", "number", **told)


def _when(name: str, label: str, **told: Any) -> Property:
    return Property(name, label, "datetime", "date", **told)


def _choice(name: str, label: str, *values: str, **told: Any) -> Property:
    options = tuple((value, value) for value in values)
    return Property(name, label, "enumeration", "select", options=options, **told)


def _flag(name: str, label: str, **told: Any) -> Property:
    return Property(name, label, "bool", "booleancheckbox", **told)


_OWNER = _choice("hubspot_owner_id", "Owner")

KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        _kind(
            "deals",
            "deal",
            "0-3",
            _text("dealname", "Deal Name"),
            _num("amount", "Amount"),
            _choice("deal_currency_code", "Currency", *CURRENCIES),
            _when("closedate", "Close Date"),
            _choice("pipeline", "Pipeline"),
            _choice("dealstage", "Deal Stage"),
            _OWNER,
            _text("description", "Deal Description"),
            _when("notes_last_updated", "Last Activity Date", read_only=True),
            _choice("dealtype", "Deal Type", "newbusiness", "existingbusiness"),
            _when("hs_createdate", "Object create date/time", read_only=True),
            _flag("hs_is_closed_won", "Is Closed Won", read_only=True),
            _flag("hs_is_closed", "Is Deal Closed?", read_only=True),
            _choice("hs_all_assigned_business_unit_ids", "Business units"),
            shown=("amount", "closedate", "dealname", "dealstage", "pipeline"),
        ),
        _kind(
            "line_items",
            "line_item",
            "0-8",
            _text("name", "Name"),
            _text("hs_sku", "SKU"),
            _text("description", "Description"),
            _num("quantity", "Quantity"),
            _num("price", "Unit price"),
            _num("discount", "Unit discount"),
            _num("hs_discount_percentage", "Unit discount percentage"),
            _choice("hs_line_item_currency_code", "Currency", *CURRENCIES),
            _num("hs_position_on_quote", "Position on quote"),
            _text("hs_product_id", "Product ID"),
            _text("hs_tax_rate_group_id", "Tax rate"),
            _choice("recurringbillingfrequency", "Billing frequency", *FREQUENCIES),
            _text("hs_recurring_billing_period", "Term"),
            _choice("hs_recurring_billing_terms", "Billing terms"),
            _num("hs_recurring_billing_number_of_payments", "Number of payments"),
            Property("hs_recurring_billing_start_date", "Billing start date", "date", "date"),
            Property("hs_recurring_billing_end_date", "Billing end date", "date", "date"),
            _choice("hs_billing_start_delay_type", "Start billing terms", *STARTS),
            _num("hs_billing_start_delay_days", "Delayed billing start by days"),
            _num("hs_billing_start_delay_months", "Delayed billing start by months"),
            _num("amount", "Net price", read_only=True),
            _num("hs_pre_discount_amount", "Pre discount amount", read_only=True),
            _num("hs_total_discount", "Total discount", read_only=True),
            _text("hs_tax_label", "Tax Label", read_only=True),
            _num("hs_tax_rate", "Resolved Tax Rate", read_only=True),
            _num("hs_tax_amount", "Tax Amount", read_only=True),
            _num("hs_post_tax_amount", "Net price after tax", read_only=True),
            _num("hs_term_in_months", "Term (months)", read_only=True),
            _num("hs_tcv", "Total contract value", read_only=True),
            _num("hs_acv", "Annual contract value", read_only=True),
            shown=("quantity", "amount", "price"),
        ),
        _kind(
            "companies",
            "company",
            "0-2",
            _text("name", "Company name"),
            _text("domain", "Company Domain Name"),
            _text("address", "Street Address"),
            _text("city", "City"),
            _text("zip", "Postal Code"),
            _text("state", "State/Region"),
            _text("country", "Country/Region"),
            _text("hs_country_code", "Country/Region Code"),
            _text("phone", "Phone Number"),
            _OWNER,
            shown=("domain", "name"),
        ),
        _kind(
            "contacts",
            "contact",
            "0-1",
            _text("email", "Email", unique=True),
            _text("firstname", "First Name"),
            _text("lastname", "Last Name"),
            _text("phone", "Phone Number"),
            _text("company", "Company Name"),
            _OWNER,
            modified="lastmodifieddate",
            shown=("email", "firstname", "lastname"),
        ),
        _kind(
            "products",
            "product",
            "0-7",
            _text("name", "Name"),
            _text("hs_sku", "SKU"),
            _text("description", "Product description"),
            _num("price", "Unit price"),
            *(_num(f"hs_price_{code.lower()}", f"Unit Price {code}") for code in CURRENCIES),
            shown=("description", "name", "price"),
        ),
        _kind(
            "commerce_payments",
            "commerce_payment",
            "0-101",
            _num("hs_initial_amount", "Gross amount"),
            _num("hs_refunds_amount", "Refunded amount"),
            _num("hs_fees_amount", "Fees"),
            _choice("hs_currency_code", "Currency", *CURRENCIES),
            _when("hs_initiated_date", "Payment date"),
            _choice(
                "hs_latest_status",
                "Status",
                "succeeded",
                "processing",
                "failed",
                "refunded",
                "partially_refunded",
            ),
            _text("hs_payment_method_type", "Payment method"),
            _text("hs_customer_email", "Customer"),
            _text("hs_reference_number", "Reference number"),
            _text("hs_internal_comment", "Internal comment"),
            scope="commercepayments",
            created="hs_createdate",
        ),
        _kind(
            "invoices",
            "invoice",
            "0-53",
            _text("hs_number", "Invoice number"),
            _choice("hs_currency", "Currency", *CURRENCIES),
            _choice("hs_invoice_status", "Status", "draft", "open", "paid", "voided"),
            Property("hs_invoice_date", "Invoice date", "date", "date"),
            Property("hs_due_date", "Due date", "date", "date"),
            _text("hs_title", "Title"),
            _num("hs_amount_billed", "Amount billed"),
            _num("hs_balance_due", "Balance due", read_only=True),
            _text("hs_invoice_link", "Invoice link", read_only=True),
            _choice("hs_all_assigned_business_unit_ids", "Business units"),
            _OWNER,
            created="hs_createdate",
        ),
        _kind(
            "notes",
            "note",
            "0-46",
            _text("hs_note_body", "Note body"),
            _when("hs_timestamp", "Activity date"),
            _choice("hs_attachment_ids", "Attached content IDs"),
            _OWNER,
            scope="contacts",
            created="hs_createdate",
        ),
        _kind(
            "quotes",
            "quote",
            "0-14",
            _text("hs_title", "Quote Title"),
            _text("hs_quote_number", "Quote Number"),
            _text("hs_reference", "Reference"),
            _choice("hs_status", "Quote Approval Status", *QUOTE_STATUSES),
            _num("hs_quote_amount", "Quote Amount", read_only=True),
            _choice("hs_currency", "Currency", *CURRENCIES),
            Property("hs_expiration_date", "Expiration Date", "date", "date"),
            _flag("hs_esign_enabled", "Esign Enabled"),
            _num("hs_esign_num_signers_required", "Signers required", read_only=True),
            _num("hs_esign_num_signers_completed", "Signers completed", read_only=True),
            _when("hs_esign_date", "Esign Date", read_only=True),
            _choice("hs_payment_status", "Payment Status", "PENDING", "PROCESSING", "PAID"),
            _when("hs_payment_date", "Payment Date", read_only=True),
            _text("hs_quote_link", "Public link", read_only=True),
            _text("hs_terms", "Terms"),
            _text("hs_comments", "Comments"),
            _choice("hs_all_assigned_business_unit_ids", "Business units"),
            _OWNER,
            created="hs_createdate",
        ),
        *(
            _kind(
                f"{name}s" if name != "tax" else "taxes",
                name,
                type_id,
                _text("hs_label", "Label"),
                _choice("hs_type", "Type", "PERCENT", "FIXED"),
                _num("hs_value", "Value"),
                _choice("hs_duration", "Duration", "ONCE"),
                _num("hs_sort_order", "Sort order"),
                scope="quotes",
                created="hs_createdate",
            )
            for name, type_id in (("discount", "0-84"), ("fee", "0-85"), ("tax", "0-86"))
        ),
    )
}


def own_kind(name: str, singular: str, type_id: str, *properties: Property) -> Kind:
    """Return the kind of a portal's own (custom) object; all share one scope."""
    return _kind(
        name, singular, type_id, _OWNER, *properties, scope="custom", created="hs_createdate"
    )
