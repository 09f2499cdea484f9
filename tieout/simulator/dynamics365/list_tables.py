"""The tables that sales refer to: products, prices, currencies, notes, users, solutions.

Sources: as of `tables`.
"""

from tieout.simulator.dynamics365.schema import (
    Table,
    choice,
    day,
    flag,
    in_money,
    instant,
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

_ACTIVE = ((0, "Active"), (1, "Inactive"))
_ACTIVE_REASONS = ((1, "Active"), (2, "Inactive"))


def listed_tables() -> tuple[Table, ...]:
    """Return fresh tables."""
    return (
        _product(),
        _pricelevel(),
        _transactioncurrency(),
        _annotation(),
        *_people_and_parts(),
    )


def _product() -> Table:
    return table(
        "product",
        "products",
        1024,
        text("name", 100, "Name", required=True),
        text("productnumber", 100, "Product ID", required=True),
        memo("description"),
        lookup("defaultuomid", "uom", label="Default Unit"),
        lookup("pricelevelid", "pricelevel", label="Default Price List"),
        whole("quantitydecimal", "Decimals Supported"),
        choice("productstructure", "Product Structure", (1, "Product"), (2, "Product Family")),
        in_money(),
        money("price", "List Price", precision_source=1),
        money("standardcost", "Standard Cost", precision_source=1),
        state(*_ACTIVE, (2, "Draft"), (3, "Under Revision")),
        status((1, "Active"), (2, "Retired"), (0, "Draft"), (3, "Under Revision")),
    )


def _pricelevel() -> Table:
    return table(
        "pricelevel",
        "pricelevels",
        1022,
        text("name", 100, "Name", required=True),
        memo("description"),
        day("begindate", "Start Date"),
        day("enddate", "End Date"),
        in_money(),
        state(*_ACTIVE),
        status((100001, "Active"), (100002, "Inactive")),
        schema_name="PriceLevel",
    )


def _transactioncurrency() -> Table:
    return table(
        "transactioncurrency",
        "transactioncurrencies",
        9105,
        text("currencyname", 100, "Currency Name", required=True),
        text("isocurrencycode", 5, "Currency Code", required=True),
        text("currencysymbol", 10, "Currency Symbol", required=True),
        whole("currencyprecision", "Currency Precision"),
        number("exchangerate", 10, "Exchange Rate"),
        state(*_ACTIVE),
        status(*_ACTIVE_REASONS),
        named="currencyname",
        schema_name="TransactionCurrency",
    )


def _annotation() -> Table:
    return table(
        "annotation",
        "annotations",
        5,
        text("subject", 500, "Title"),
        memo("notetext", 100_000, "Description"),
        text("filename", 255, "File Name"),
        text("mimetype", 256, "Mime Type"),
        memo("documentbody", 1_073_741_823, "Document"),
        whole("filesize", "File Size (Bytes)", computed=True),
        flag("isdocument", "Is Document"),
        lookup("objectid", "opportunity", "account", "contact", "invoice", label="Regarding"),
        owned(),
        named="subject",
    )


def _people_and_parts() -> tuple[Table, ...]:
    user = table(
        "systemuser",
        "systemusers",
        8,
        text("fullname", 200, "Full Name"),
        text("firstname", 256),
        text("lastname", 256),
        text("internalemailaddress", 100, "Primary Email"),
        text("domainname", 1024, "User Name"),
        flag("isdisabled", "Status"),
        named="fullname",
        schema_name="SystemUser",
    )
    unit = table("uom", "uoms", 1055, text("name", 100, "Name", required=True), schema_name="UoM")
    organization = table(
        "organization",
        "organizations",
        1019,
        text("name", 160, "Organization Name"),
        lookup("basecurrencyid", "transactioncurrency", label="Currency"),
        whole("pricingdecimalprecision", "Pricing Decimal Precision"),
        whole("currencydecimalprecision", "Currency Decimal Precision"),
        whole("expirechangetrackingindays"),
        whole("localeid", "Locale"),
    )
    publisher = table(
        "publisher",
        "publishers",
        7101,
        text("uniquename", 256, "Name", required=True),
        text("friendlyname", 256, "Display Name", required=True),
        text("customizationprefix", 8, "Prefix", required=True),
        whole("customizationoptionvalueprefix", "Option Value Prefix"),
        memo("description"),
        named="friendlyname",
    )
    solution = table(
        "solution",
        "solutions",
        7100,
        text("uniquename", 65, "Name", required=True),
        text("friendlyname", 256, "Display Name", required=True),
        text("version", 256, "Version"),
        memo("description"),
        lookup("publisherid", "publisher", label="Publisher"),
        flag("ismanaged", computed=True),
        instant("installedon"),
        named="friendlyname",
    )
    for one in (user, unit, organization, publisher, solution):
        one.tracked = one is user
    return user, unit, organization, publisher, solution
