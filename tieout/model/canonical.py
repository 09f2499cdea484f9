"""One spelling for each meaning: what is hashed, stored and compared.

Plain values are what JSON has, with amounts as decimal texts and days as ISO texts. The same
meaning has the same canonical text, so the same hash: 10, 10.0 and 10.00 are one number, and keys
are sorted.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Final, TypeAlias

from tieout.model.dates import instant_text
from tieout.model.errors import InvariantError
from tieout.model.money import Money, plain_text

Plain: TypeAlias = (
    "None | bool | int | str | Sequence[Plain] | Mapping[str, Plain]"  # no float anywhere
)
Values: TypeAlias = Mapping[str, Plain]

_PLAIN: Final = (str, int, type(None))  # as a tuple: a union of types is slower to ask, by far
_ENCODER: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def plain(value: object) -> Plain:
    """Return a value as plain JSON values.

    Raises:
        InvariantError: a float, bytes, a key that is no text, or a type that has no plain form.
        ValueRefused: a number that is not finite, an instant without a time zone.
    """
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, Decimal):
        return plain_text(value)
    if isinstance(value, datetime):
        return instant_text(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Money):
        return {"amount": plain_text(value.amount), "currency": value.currency.code}
    if isinstance(value, Mapping):
        return {_name(key): plain(held) for key, held in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray | memoryview):
        return [plain(held) for held in value]
    raise InvariantError(f"A {type(value).__name__} has no plain form.")


def canonical(value: object) -> str:
    """Return the one JSON text of a value: sorted keys, no spaces, no escapes of letters."""
    return _ENCODER.encode(plain(value))


def digest(value: object) -> str:
    """Return the SHA-256 of the canonical text, as 64 hexadecimal digits.

    Half a surrogate pair, as a system leaves when it cuts a text within a letter, has a hash too.
    """
    return hashlib.sha256(canonical(value).encode(errors="surrogatepass")).hexdigest()


def _name(key: object) -> str:
    if not isinstance(key, str):
        raise InvariantError(f"The key {key!r} is not a text.")
    return key
