"""What HubSpot computes of a line item: its net price, its tax, its term and its payments.

Sources: knowledge.hubspot.com, pages "Understand discounts when collecting payments" (rounding) and
"HubSpot's default line item properties"; developers.hubspot.com/docs/api-reference, page "Line
items" (the tax rate's id, the term's form).
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from tieout.simulator.hubspot.errors import Invalid
from tieout.simulator.hubspot.schema import EXPONENTS

MONTHS_OF: Mapping[str, int] = {
    "monthly": 1,
    "quarterly": 3,
    "per_six_months": 6,
    "annually": 12,
    "per_two_years": 24,
    "per_three_years": 36,
    "per_four_years": 48,
    "per_five_years": 60,
}
"""Months between two payments; a week's frequencies have none."""
PERIOD = r"P(?=\d)(\d+Y)?(\d+M)?(\d+D)?|P\d+W"
YEAR_MONTHS = 12
COMPUTED = (
    "hs_tax_rate",
    "hs_tax_label",
    "hs_tax_amount",
    "hs_post_tax_amount",
    "hs_term_in_months",
    "hs_tcv",
    "hs_acv",
)


@dataclass(frozen=True, slots=True)
class TaxRate:
    """A tax rate that an administrator made; a line names it by its id."""

    label: str
    percent: Decimal


def refused(changes: Mapping[str, str]) -> Iterator[Invalid]:
    """Yield what HubSpot does not take of a line: a price below zero (R39), a term of no form."""
    if Decimal(changes.get("price") or 0) < 0:
        yield Invalid("price", "INVALID_NUMBER", "Price cannot be negative")
    term = changes.get("hs_recurring_billing_period")
    if term and not re.fullmatch(PERIOD, term):
        told = f"{term} is no ISO 8601 period, as P12M."
        yield Invalid("hs_recurring_billing_period", "INVALID_PERIOD", told)


def priced(values: dict[str, str], tax_rates: Mapping[str, TaxRate]) -> dict[str, str]:
    """Compute what HubSpot does: a percentage wins over an amount off each unit.

    The price of all and its discount are rounded half up each, and the net is what is left: 15 %
    off 11.90 is 1.79, and the buyer pays 10.11 (H15).
    """
    for name in COMPUTED:
        values.pop(name, None)
    quantity, price = _number(values, "quantity"), _number(values, "price")
    gross = quantity * price
    if values.get("hs_discount_percentage"):
        discount = gross * _number(values, "hs_discount_percentage") / 100
    else:
        discount = quantity * _number(values, "discount")
    step = Decimal(1).scaleb(-EXPONENTS.get(values.get("hs_line_item_currency_code", ""), 2))
    gross, discount = (one.quantize(step, ROUND_HALF_UP) for one in (gross, discount))
    net = gross - discount
    values["hs_pre_discount_amount"] = f"{gross:f}"
    values["hs_total_discount"] = f"{discount:f}"
    values["amount"] = f"{net:f}"
    values["hs_post_tax_amount"] = f"{net + _tax(values, net, step, tax_rates):f}"
    _with_term(values, net, step)
    return values


def whole_of(
    lines: Iterable[Mapping[str, str]],
    charges: Mapping[str, Sequence[Mapping[str, str]]],
    currency: str,
) -> Decimal:
    """Return what a quote or an invoice comes to (H18).

    Its discounts are taken off the lines' net prices, its fees are added to what is left, and its
    taxes to that; each is a percent of what stood before its kind, rounded, or a fixed amount. The
    lines' own taxes stand beside them.
    """
    step = Decimal(1).scaleb(-EXPONENTS.get(currency, 2))
    held = list(lines)
    whole = sum((_number(line, "amount") for line in held), Decimal(0))
    own_taxes = sum((_number(line, "hs_tax_amount") for line in held), Decimal(0))
    for kind, sign in (("discounts", -1), ("fees", 1), ("taxes", 1)):
        whole += sign * sum((_charge(one, whole, step) for one in charges[kind]), Decimal(0))
    return whole + own_taxes


def _charge(charge: Mapping[str, str], base: Decimal, step: Decimal) -> Decimal:
    value = _number(charge, "hs_value")
    share = base * value / 100 if charge.get("hs_type") == "PERCENT" else value
    return share.quantize(step, ROUND_HALF_UP)


def _tax(
    values: dict[str, str], net: Decimal, step: Decimal, tax_rates: Mapping[str, TaxRate]
) -> Decimal:
    """Add the line's tax, on its net price; nothing is said of it where it names no rate (H16)."""
    rate = tax_rates.get(values.get("hs_tax_rate_group_id", ""))
    if rate is None:
        return Decimal(0)
    tax = (net * rate.percent / 100).quantize(step, ROUND_HALF_UP)
    values["hs_tax_rate"], values["hs_tax_label"] = f"{rate.percent:f}", rate.label
    values["hs_tax_amount"] = f"{tax:f}"
    return tax


def _with_term(values: dict[str, str], net: Decimal, step: Decimal) -> None:
    """Add how often it is paid, and what that comes to (H17).

    A line without a frequency is paid once. One with a term is paid as often as its frequency fits
    in; one that renews until it is cancelled has no number of payments, and no value of a term.
    """
    frequency = values.get("recurringbillingfrequency", "")
    months = months_of(values.get("hs_recurring_billing_period", ""))
    every = MONTHS_OF.get(frequency, 0)
    if not frequency:
        values["hs_recurring_billing_number_of_payments"] = "1"
    elif months and every:
        values["hs_recurring_billing_number_of_payments"] = str(-(-months // every))
    if months:
        values["hs_term_in_months"] = str(months)
    payments = _number(values, "hs_recurring_billing_number_of_payments")
    if payments:
        values["hs_tcv"] = f"{net * payments:f}"
        share = min(Decimal(1), Decimal(YEAR_MONTHS) / (months or YEAR_MONTHS))
        values["hs_acv"] = f"{(net * payments * share).quantize(step, ROUND_HALF_UP):f}"


def months_of(period: str) -> int:
    """Return the months of an ISO 8601 period, 0 where it is none of years and months."""
    found = re.fullmatch(r"P(?:(\d+)Y)?(?:(\d+)M)?", period)
    return int(found[1] or 0) * YEAR_MONTHS + int(found[2] or 0) if found else 0


def _number(values: Mapping[str, str], name: str) -> Decimal:
    return Decimal(values.get(name) or 0)
