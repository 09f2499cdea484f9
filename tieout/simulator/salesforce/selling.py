"""What an opportunity and its lines compute of themselves (R35, R36).

Sources: Object Reference, "Opportunity" and "OpportunityLineItem"; help.salesforce.com 004052228
(an amount that is sent for an opportunity with products is ignored, without a word).
"""

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from tieout.simulator.salesforce.errors import RowError
from tieout.simulator.salesforce.org import SalesforceOrg
from tieout.simulator.salesforce.tables import Values

_LIKELY = ("Probability", "ForecastCategoryName")


def settle_opportunity(org: SalesforceOrg, values: Values, sent: dict[str, Any]) -> None:
    """Fill in what the stage says, and let the lines' sum stand.

    Raises:
        RowError: the currency is changed though there are lines.
    """
    stage = next(
        (
            one
            for one in org.tables["OpportunityStage"].records.values()
            if one["ApiName"] == values.get("StageName")
        ),
        None,
    )
    values["IsClosed"] = bool(stage and stage["IsClosed"])
    values["IsWon"] = bool(stage and stage["IsWon"])
    if stage and "StageName" in sent:
        if "Probability" not in sent:
            values["Probability"] = stage["DefaultProbability"]
        if "ForecastCategoryName" not in sent:
            values["ForecastCategoryName"] = stage["ForecastCategoryName"]
    if _lines(org, values["Id"]):
        former = org.tables["Opportunity"].records[values["Id"]]
        if values.get("CurrencyIsoCode") != former.get("CurrencyIsoCode"):
            raise RowError(
                "FIELD_INTEGRITY_EXCEPTION",
                "The currency of an opportunity that has products cannot be changed",
                ["CurrencyIsoCode"],
            )
        values["Amount"] = former.get("Amount")
    _expect(org, values)


def settle_line(
    org: SalesforceOrg, values: Values, sent: dict[str, Any], former: Values | None
) -> None:
    """Compute a line's prices from what was sent (R35), and copy what it takes from its entry.

    Raises:
        RowError: the line lacks an entry or a price, has two, or another currency.
    """
    if former is None:
        _begin(org, values, sent)
    if sent.get("UnitPrice") is not None and sent.get("TotalPrice") is not None:
        raise RowError(
            "FIELD_INTEGRITY_EXCEPTION",
            "field integrity exception: UnitPrice, TotalPrice (only one of them may be specified)",
            ["UnitPrice", "TotalPrice"],
        )
    quantity = values.get("Quantity") or Decimal(0)
    discount = values.get("Discount") or Decimal(0)
    share = 1 - discount / 100
    if sent.get("TotalPrice") is not None:
        if quantity and share:
            scale = org.kinds["OpportunityLineItem"].fields["UnitPrice"].scale
            values["UnitPrice"] = _rounded(values["TotalPrice"] / quantity / share, scale)
    elif former is not None and {"Discount", "Quantity"} <= sent.keys() and "UnitPrice" not in sent:
        raise RowError(
            "FIELD_INTEGRITY_EXCEPTION",
            "field integrity exception: Discount, Quantity (TotalPrice or UnitPrice must be "
            "specified too)",
            ["Discount", "Quantity"],
        )
    price = values.get("UnitPrice") or Decimal(0)
    digits = org.digits(values.get("CurrencyIsoCode"))
    values["Subtotal"] = _rounded(quantity * price, digits)
    if sent.get("TotalPrice") is None:
        values["TotalPrice"] = _rounded(quantity * price * share, digits)


def roll_up(org: SalesforceOrg, opportunity_id: str, user_id: str) -> None:
    """Let an opportunity's amount follow its lines; only a change of it moves its times (R36)."""
    values = org.tables["Opportunity"].records.get(opportunity_id)
    if values is None or values.get("IsDeleted"):
        return
    lines = _lines(org, opportunity_id)
    if not lines and not values.get("HasOpportunityLineItem"):
        return
    amount = sum((one["TotalPrice"] for one in lines), Decimal(0))
    quantity = sum((one["Quantity"] for one in lines), Decimal(0))
    told = {
        "Amount": amount,
        "TotalOpportunityQuantity": quantity,
        "HasOpportunityLineItem": bool(lines),
    }
    if all(values.get(name) == value for name, value in told.items()):
        return
    at = org.present()
    audit = {"SystemModstamp": at, "LastModifiedDate": at, "LastModifiedById": user_id}
    changed = {**values, **told, **audit}
    _expect(org, changed)
    org.put("Opportunity", changed)


def settle_rate(org: SalesforceOrg, values: Values) -> None:
    """Let a rate hold until the next one of its currency begins."""
    table = org.tables["DatedConversionRate"]
    rates = [
        one
        for one in table.alive()
        if one["IsoCode"] == values["IsoCode"] and one["Id"] != values["Id"]
    ]
    ordered = sorted([*rates, values], key=lambda one: str(one["StartDate"]))
    for one, following in zip(ordered, [*ordered[1:], None], strict=True):
        ends = following["StartDate"] if following is not None else "9999-12-31"
        if one is values:
            values["NextStartDate"] = ends
        elif one.get("NextStartDate") != ends:
            org.put("DatedConversionRate", {**one, "NextStartDate": ends})


def _begin(org: SalesforceOrg, values: Values, sent: dict[str, Any]) -> None:
    opportunity = org.find("Opportunity", values["OpportunityId"])
    if opportunity is None:
        raise RowError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", [])
    entry = _entry(org, values, opportunity)
    product = org.tables["Product2"].records[entry["Product2Id"]]
    if sent.get("UnitPrice") is None and sent.get("TotalPrice") is None:
        values["UnitPrice"] = entry["UnitPrice"]
    values |= {
        "PricebookEntryId": entry["Id"],
        "Product2Id": entry["Product2Id"],
        "ProductCode": product.get("ProductCode"),
        "Name": f"{opportunity['Name']} {product['Name']}"[:376],
        "ListPrice": entry["UnitPrice"],
    }
    if org.multi_currency:
        values["CurrencyIsoCode"] = opportunity["CurrencyIsoCode"]
        if entry["CurrencyIsoCode"] != opportunity["CurrencyIsoCode"]:
            raise RowError(
                "FIELD_INTEGRITY_EXCEPTION",
                "field integrity exception: PricebookEntryId (pricebook entry currency code does "
                "not match opportunity currency code)",
                ["PricebookEntryId"],
            )
    if opportunity.get("Pricebook2Id") is None:
        org.put("Opportunity", {**opportunity, "Pricebook2Id": entry["Pricebook2Id"]})
    elif opportunity["Pricebook2Id"] != entry["Pricebook2Id"]:
        raise RowError(
            "FIELD_INTEGRITY_EXCEPTION",
            "field integrity exception: PricebookEntryId (pricebook entry is in a different "
            "pricebook than the one assigned to the opportunity)",
            ["PricebookEntryId"],
        )


def _entry(org: SalesforceOrg, values: Values, opportunity: Values) -> Values:
    if values.get("PricebookEntryId"):
        found = org.find("PricebookEntry", values["PricebookEntryId"])
    else:
        found = next(
            (
                one
                for one in org.tables["PricebookEntry"].having(
                    "Product2Id", [values.get("Product2Id") or ""]
                )
                if one.get("CurrencyIsoCode") == opportunity.get("CurrencyIsoCode")
            ),
            None,
        )
    if found is None:
        raise RowError(
            "FIELD_INTEGRITY_EXCEPTION",
            "field integrity exception: PricebookEntryId (pricebook entry has been deleted or is "
            "not specified)",
            ["PricebookEntryId"],
        )
    return found


def _lines(org: SalesforceOrg, opportunity_id: str) -> list[Values]:
    found = org.tables["OpportunityLineItem"].having("OpportunityId", [opportunity_id])
    return [one for one in found if not one["IsDeleted"]]


def _expect(org: SalesforceOrg, values: Values) -> None:
    amount, likely = values.get("Amount"), values.get("Probability")
    digits = org.digits(values.get("CurrencyIsoCode"))
    values["ExpectedRevenue"] = (
        None if amount is None or likely is None else _rounded(amount * likely / 100, digits)
    )


def _rounded(amount: Decimal, digits: int) -> Decimal:
    return amount.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
