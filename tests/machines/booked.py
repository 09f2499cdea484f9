"""What a change asks for and what the books hold of it, in the same words, so that they compare."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any


def created(body: bytes) -> list[tuple[str, str]]:
    """Return kind and id of each record that an answer shows as made or changed."""
    try:
        told = json.loads(body)
    except ValueError:
        return []
    if not isinstance(told, dict):
        return []
    items = told.get("BatchItemResponse", [told])
    return [
        (kind, item[kind]["Id"])
        for item in items
        for kind in ("Invoice", "Payment", "CreditMemo")
        if kind in item and "Id" in item[kind] and item[kind].get("SyncToken") == "0"
    ]


def as_asked(name: str, values: Mapping[str, Any], net: str) -> dict[str, Any]:
    """Return what an approved change asks for."""
    shared = {"customer": values["customer"], "currency": values["currency"]}
    shared["date"] = values["date"]
    if name == "payment":
        paid = {one["id"]: Decimal(one["amount"]) for one in values["allocations"]}
        amount = Decimal(values["amount"])
        return {**shared, "amount": amount, "paid": paid, "reference": values.get("reference")}
    return {
        **shared,
        "net": Decimal(net),
        "lines": [(one["item"], Decimal(one["amount"])) for one in values["lines"]],
        "order": values.get("custom_fields", {}).get("1"),
    }


def as_booked(name: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the books' record says of the same."""
    shared = {"customer": body["CustomerRef"]["value"], "currency": body["CurrencyRef"]["value"]}
    shared["date"] = body["TxnDate"]
    if name == "payment":
        paid = {line["LinkedTxn"][0]["TxnId"]: Decimal(line["Amount"]) for line in body["Line"]}
        amount = Decimal(body["TotalAmt"])
        return {**shared, "amount": amount, "paid": paid, "reference": body.get("PaymentRefNum")}
    sold = [line for line in body["Line"] if line["DetailType"] == "SalesItemLineDetail"]
    return {
        **shared,
        "net": body["TotalAmt"] - body["TxnTaxDetail"]["TotalTax"],
        "lines": [
            (line["SalesItemLineDetail"]["ItemRef"]["value"], Decimal(line["Amount"]))
            for line in sold
        ],
        "order": next(
            (one["StringValue"] for one in body["CustomField"] if "StringValue" in one), None
        ),
    }


def is_same(planned: Any, travels: Any) -> bool:
    """Whether what travels is what was planned, but for what only the books could tell.

    That is the id of a record made meanwhile, and how much of a credit was open.
    """
    if isinstance(planned, dict):
        if planned.keys() in ({"key"}, {"applied"}):
            return isinstance(travels, str)
        return (
            isinstance(travels, dict)
            and planned.keys() == travels.keys()
            and all(is_same(planned[name], travels[name]) for name in planned)
        )
    if isinstance(planned, list):
        return (
            isinstance(travels, list)
            and len(planned) == len(travels)
            and all(map(is_same, planned, travels))
        )
    return bool(planned == travels)
