"""Record ids: a kind's three letters, a number in base 62, and three letters of check.

The check lets software that confuses case tell ids apart: of each five characters it says which
are capitals (Salesforce, SOAP API Developer Guide, "ID Field Type").
"""

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_CHECKS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_SHORT_CHARS = 15
_LONG_CHARS = 18


def id_of(prefix: str, number: int) -> str:
    """Return the id, 18 characters, of the n-th record of a kind."""
    digits = []
    while number:
        number, rest = divmod(number, len(_DIGITS))
        digits.append(_DIGITS[rest])
    short = prefix + "".join(reversed(digits)).rjust(_SHORT_CHARS - len(prefix), "0")
    return short + _check(short)


def long_id(text: str) -> str | None:
    """Return the id in 18 characters, or None if the text is none."""
    if len(text) not in (_SHORT_CHARS, _LONG_CHARS) or not (text.isalnum() and text.isascii()):
        return None
    short = text[:_SHORT_CHARS]
    return short + _check(short)


def _check(short: str) -> str:
    fives = (short[at : at + 5] for at in range(0, _SHORT_CHARS, 5))
    return "".join(
        _CHECKS[sum(1 << place for place, sign in enumerate(five) if "A" <= sign <= "Z")]
        for five in fives
    )
