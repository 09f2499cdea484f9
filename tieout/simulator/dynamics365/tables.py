"""The standard tables, with the columns that selling and invoicing use.

Names, types, lengths and choices are those of the table references at
learn.microsoft.com/dynamics365/developer/reference/entities (opportunity, opportunityproduct,
account, contact, product, invoice, invoicedetail) and of
learn.microsoft.com/power-apps/developer/data-platform/reference/entities (the others).
"""

from collections.abc import Mapping

from tieout.simulator.dynamics365.list_tables import listed_tables
from tieout.simulator.dynamics365.schema import (
    Column,
    Table,
    choice,
    day,
    flag,
    in_money,
    lookup,
    memo,
    money,
    number,
    owned,
    state,
    status,
    table,
    text,
    whole,
)

OPEN, WON, LOST = 0, 1, 2
"""The states of an opportunity."""
STATUS_OF = {1: OPEN, 2: OPEN, 3: WON, 4: LOST, 5: LOST}
"""Which state each of the standard status reasons of an opportunity belongs to."""

_TERMS = ((1, "Net 30"), (2, "2% 10, Net 30"), (3, "Net 45"), (4, "Net 60"))
_PRICING_ERRORS = (
    (0, "None"),
    (1, "Detail Error"),
    (2, "Missing Price Level"),
    (3, "Inactive Price Level"),
    (4, "Missing Quantity"),
    (5, "Missing Unit Price"),
    (6, "Missing Product"),
    (7, "Invalid Product"),
    (34, "Missing UOM"),
    (35, "Product Is Not In Price Level"),
)
_ACTIVE = ((0, "Active"), (1, "Inactive"))
_ACTIVE_REASONS = ((1, "Active"), (2, "Inactive"))


def standard_tables() -> Mapping[str, Table]:
    """Return fresh tables by their logical names."""
    made = (
        _opportunity(),
        _opportunityproduct(),
        _account(),
        _contact(),
        _invoice(),
        _invoicedetail(),
        *listed_tables(),
    )
    return {one.name: one for one in made}


def _totals(*, discounts_of_lines: bool = True) -> list[Column]:
    names = ["totalamount", "totalamountlessfreight", "totaldiscountamount"]
    names += ["totallineitemamount", "totaltax"]
    if discounts_of_lines:
        names.append("totallineitemdiscountamount")
    return [column for name in names for column in money(name, computed=True)]


def _opportunity() -> Table:
    return table(
        "opportunity",
        "opportunities",
        3,
        text("name", 300, "Topic", required=True),
        lookup("customerid", "account", "contact", label="Potential Customer"),
        lookup("accountid", "account", label="Account", computed=True),
        lookup("contactid", "contact", label="Contact", computed=True),
        lookup("parentaccountid", "account", label="Account"),
        lookup("parentcontactid", "contact", label="Contact"),
        lookup("pricelevelid", "pricelevel", label="Price List"),
        in_money(),
        owned(),
        money("estimatedvalue", "Est. Revenue"),
        money("actualvalue", "Actual Revenue"),
        money("budgetamount", "Budget Amount"),
        money("discountamount", "Opportunity Discount Amount"),
        number("discountpercentage", 2, "Opportunity Discount (%)"),
        money("freightamount", "Freight Amount"),
        _totals(),
        day("estimatedclosedate", "Est. Close Date"),
        day("actualclosedate", "Actual Close Date"),
        flag("isrevenuesystemcalculated", "Revenue"),
        choice("pricingerrorcode", "Pricing Error", *_PRICING_ERRORS, computed=True),
        choice("opportunityratingcode", "Rating", (1, "Hot"), (2, "Warm"), (3, "Cold")),
        choice("prioritycode", "Priority", (1, "Default Value")),
        whole("closeprobability", "Probability"),
        text("stepname", 200, "Pipeline Phase"),
        text("emailaddress", 100, "Email Address"),
        memo("description", label="Description"),
        memo("customerneed", label="Customer Need"),
        state((OPEN, "Open"), (WON, "Won"), (LOST, "Lost")),
        status((1, "In Progress"), (2, "On Hold"), (3, "Won"), (4, "Canceled"), (5, "Out-Sold")),
        collections={
            "product_opportunities": ("opportunityproduct", "opportunityid"),
            "Opportunity_Annotation": ("annotation", "objectid"),
            "opportunity_invoices": ("invoice", "opportunityid"),
        },
    )


def _line_columns() -> list[Column]:
    """Return what the lines of opportunities and of invoices have in common."""
    columns: list[Column] = [
        lookup("productid", "product", label="Existing Product"),
        lookup("uomid", "uom", label="Unit"),
        text("productname", 500, "Product Name"),
        memo("productdescription", 500, "Write-In Product"),
        memo("description", label="Description"),
        number("quantity", 5, "Quantity"),
        flag("isproductoverridden", "Select Product"),
        flag("ispriceoverridden", "Pricing"),
        whole("lineitemnumber", "Line Item Number"),
        whole("sequencenumber", "Sequence Number"),
        choice("pricingerrorcode", "Pricing Error", *_PRICING_ERRORS, computed=True),
        *in_money(),
    ]
    for name, computed in (
        ("baseamount", True),
        ("extendedamount", True),
        ("manualdiscountamount", False),
        ("volumediscountamount", True),
        ("tax", False),
    ):
        columns += money(name, computed=computed)
    columns += money("priceperunit", "Price Per Unit", precision_source=1)
    return columns


def _opportunityproduct() -> Table:
    return table(
        "opportunityproduct",
        "opportunityproducts",
        1083,
        lookup("opportunityid", "opportunity", label="Opportunity"),
        text("opportunityproductname", 100, "Name"),
        Column(
            "opportunitystatecode",
            "Picklist",
            "Opportunity Status",
            options={OPEN: "Open", WON: "Won", LOST: "Lost"},
            writable=False,
        ),
        _line_columns(),
        named="productname",
        schema_name="OpportunityProduct",
    )


def _invoice() -> Table:
    return table(
        "invoice",
        "invoices",
        1090,
        text("name", 300, "Name", required=True),
        text("invoicenumber", 100, "Invoice ID"),
        lookup("customerid", "account", "contact", label="Customer"),
        lookup("accountid", "account", label="Account", computed=True),
        lookup("contactid", "contact", label="Contact", computed=True),
        lookup("opportunityid", "opportunity", label="Opportunity"),
        lookup("pricelevelid", "pricelevel", label="Price List"),
        in_money(),
        owned(),
        money("discountamount"),
        number("discountpercentage", 2),
        money("freightamount"),
        _totals(),
        day("duedate", "Due Date"),
        day("datedelivered", "Date Delivered"),
        choice("paymenttermscode", "Payment Terms", *_TERMS),
        choice("pricingerrorcode", "Pricing Error", *_PRICING_ERRORS, computed=True),
        flag("ispricelocked", "Prices Locked"),
        memo("description"),
        state((0, "Active"), (1, "Closed (deprecated)"), (2, "Paid"), (3, "Canceled")),
        status(
            (1, "New"),
            (2, "Partially Shipped"),
            (4, "Billed"),
            (5, "Booked (applies to services)"),
            (6, "Installed (applies to services)"),
            (7, "Paid in Full (deprecated)"),
            (100001, "Complete"),
            (100002, "Partial"),
            (100003, "Canceled (deprecated)"),
        ),
        collections={"invoice_details": ("invoicedetail", "invoiceid")},
    )


def _invoicedetail() -> Table:
    return table(
        "invoicedetail",
        "invoicedetails",
        1091,
        lookup("invoiceid", "invoice", label="Invoice ID"),
        text("invoicedetailname", 100, "Name"),
        _line_columns(),
        named="productname",
        schema_name="InvoiceDetail",
    )


def _address(prefix: str = "address1") -> list[Column]:
    return [
        text(f"{prefix}_{name}", length, label)
        for name, length, label in (
            ("name", 200, "Address 1: Name"),
            ("line1", 250, "Address 1: Street 1"),
            ("line2", 250, "Address 1: Street 2"),
            ("line3", 250, "Address 1: Street 3"),
            ("city", 80, "Address 1: City"),
            ("stateorprovince", 50, "Address 1: State/Province"),
            ("postalcode", 20, "Address 1: ZIP/Postal Code"),
            ("country", 80, "Address 1: Country/Region"),
        )
    ]


def _credit() -> list[Column]:
    columns: list[Column] = [
        flag("creditonhold", "Credit Hold"),
        choice("paymenttermscode", "Payment Terms", *_TERMS),
    ]
    for name, computed in (
        ("creditlimit", False),
        ("aging30", True),
        ("aging60", True),
        ("aging90", True),
    ):
        columns += money(name, computed=computed)
    return columns


def _merging(target: str) -> list[Column]:
    return [
        lookup("masterid", target, label="Master ID", computed=True),
        flag("merged", "Merged", computed=True),
        state(*_ACTIVE),
        status(*_ACTIVE_REASONS),
    ]


def _account() -> Table:
    return table(
        "account",
        "accounts",
        1,
        text("name", 160, "Account Name", required=True),
        text("accountnumber", 20, "Account Number"),
        text("emailaddress1", 100, "Email"),
        text("telephone1", 50, "Main Phone"),
        text("websiteurl", 200, "Website"),
        memo("description"),
        lookup("primarycontactid", "contact", label="Primary Contact"),
        lookup("parentaccountid", "account", label="Parent Account"),
        in_money(),
        owned(),
        money("revenue", "Annual Revenue"),
        _credit(),
        _address(),
        _merging("account"),
        collections={
            "contact_customer_accounts": ("contact", "parentcustomerid"),
            "opportunity_parent_account": ("opportunity", "parentaccountid"),
            "opportunity_customer_accounts": ("opportunity", "customerid"),
            "Account_Annotation": ("annotation", "objectid"),
        },
    )


def _contact() -> Table:
    return table(
        "contact",
        "contacts",
        2,
        text("firstname", 50, "First Name"),
        text("lastname", 50, "Last Name", required=True),
        Column("fullname", "String", "Full Name", max_length=160, writable=False),
        text("emailaddress1", 100, "Email"),
        text("telephone1", 50, "Business Phone"),
        text("jobtitle", 100, "Job Title"),
        lookup("parentcustomerid", "account", "contact", label="Company Name"),
        in_money(),
        owned(),
        _credit(),
        _address(),
        _merging("contact"),
        named="fullname",
    )
