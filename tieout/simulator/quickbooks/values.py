"""Reads the values of a request's body, or says what is wrong with them (R2, R3)."""

from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from tieout.simulator.quickbooks import refusals
from tieout.simulator.quickbooks.refusals import Json

LARGEST_AMOUNT = Decimal("99999999999.99")
FINEST_PRICE = -7
"""The exponent of the finest unit price or quantity: seven decimals."""

_WITHOUT_CENTS = frozenset({"JPY", "KRW", "VND", "CLP", "ISK", "XAF", "XOF", "PYG", "UGX"})
_CENT = Decimal("0.01")
_ONE = Decimal(1)

ZERO = Decimal(0)


def text(body: Json, name: str, limit: int) -> str | None:
    """Return a text of at most `limit` characters, or None if there is none."""
    value = body.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise refusals.unsupported_property(name)
    if len(value) > limit:
        raise refusals.too_long(name, limit, len(value))
    return value


def number(body: Json, name: str) -> Decimal | None:
    """Return a number; a text that holds one is taken as well, as the books do."""
    value = body.get(name)
    if value is None or value == "":
        return None
    try:
        if isinstance(value, bool):
            raise InvalidOperation  # noqa: TRY301 - one refusal for all that is no number
        found = value if isinstance(value, Decimal) else Decimal(value)
    except (InvalidOperation, TypeError, ValueError):
        raise refusals.invalid_number(name, value) from None
    if not found.is_finite() or abs(found) > LARGEST_AMOUNT:
        raise refusals.invalid_number(name, value)
    return found


def price(body: Json, name: str) -> Decimal | None:
    """Return a unit price or a quantity of at most seven decimals."""
    found = number(body, name)
    if found is not None and _exponent(found) < FINEST_PRICE and found != round(found, 7):
        raise refusals.invalid_number(name, found)
    return found


def money(body: Json, name: str, currency: str) -> Decimal | None:
    """Return an amount without a fraction of the currency's smallest unit."""
    found = number(body, name)
    if found is not None and found != rounded(found, currency):
        raise refusals.invalid_number(name, found)
    return found


def rounded(amount: Decimal, currency: str) -> Decimal:
    """Round half up to the currency's smallest unit."""
    return amount.quantize(_ONE if currency in _WITHOUT_CENTS else _CENT, ROUND_HALF_UP)


def day(body: Json, name: str) -> str | None:
    """Return a calendar day, `YYYY-MM-DD`."""
    value = body.get(name)
    if value is None or value == "":
        return None
    try:
        return date.fromisoformat(value).isoformat()
    except (TypeError, ValueError):
        raise refusals.invalid_date(name, value) from None


def instant(value: str, zone_of: datetime) -> datetime:
    """Return an instant; a bare one is in the company's zone, a bare day is its midnight.

    Raises:
        ValueError: not an ISO 8601 instant.
    """
    found = datetime.fromisoformat(value)
    return found if found.tzinfo else found.replace(tzinfo=zone_of.tzinfo)


def flag(body: Json, name: str, *, default: bool) -> bool:
    """Return true or false; the words in quotes count too."""
    value = body.get(name)
    if value is None:
        return default
    if isinstance(value, bool):
        return value
    if value in ("true", "false"):
        return bool(value == "true")
    raise refusals.unsupported_property(name)


def reference(body: Json, name: str) -> str | None:
    """Return the id in `{"value": id}`, or None if there is no reference."""
    value = body.get(name)
    if value is None:
        return None
    if not isinstance(value, dict):
        raise refusals.unsupported_property(name)
    found = value.get("value")
    return None if found in (None, "") else str(found)


def word(body: Json, name: str, known: frozenset[str], default: str) -> str:
    """Return one of the known words."""
    value = body.get(name)
    if value is None or value == "":
        return default
    if value not in known:
        raise refusals.invalid_enum(value)
    return str(value)


def email(body: Json, name: str, limit: int = 100) -> Json | None:
    """Return `{"Address": ...}`, of one address (R3)."""
    value = body.get(name)
    if value is None:
        return None
    if not isinstance(value, dict):
        raise refusals.unsupported_property(name)
    address = text(value, "Address", limit)
    if address is None:
        return None
    local, _, host = address.strip().partition("@")
    if not local or "." not in host.strip(".") or set(address.strip()) & set(" ,;"):
        raise refusals.invalid_email(f"{name}.Address")
    return {"Address": address}


def listed(body: Json, name: str) -> list[Json]:
    """Return a list of objects; missing is empty."""
    value = body.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise refusals.unsupported_property(name)
    return value


def nested(body: Json, name: str) -> Json:
    """Return an object; missing is empty."""
    value = body.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise refusals.unsupported_property(name)
    return value


def _exponent(found: Decimal) -> int:
    exponent = found.as_tuple().exponent
    return exponent if isinstance(exponent, int) else 0
