"""Addresses and names: Ref, Version, Cursor, Key, Marker, Request id."""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256
from typing import NewType

from tieout.model.canonical import canonical, digest
from tieout.model.errors import ValueRefused

Version = NewType("Version", str)  # opaque; changes when its record changes
Cursor = NewType("Cursor", str)  # opaque; a place in a change feed, written by its connector

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_STEM_LETTERS = 16  # 80 bits
_KEY = r"([0-9A-HJKMNP-TV-Z]{16})-([1-9]\d{0,3})"
_WHOLE_KEY = re.compile(_KEY + r"\Z", re.IGNORECASE | re.ASCII)
_MARKER = re.compile(rf"\[TIEOUT:{_KEY}\]", re.IGNORECASE | re.ASCII)
MAX_GENERATION = 9999  # as many re-issues of one document as a marker has digits for
REQUEST_ID_LENGTH = 36  # QuickBooks allows 36 in a batch, 50 elsewhere (R22)


@dataclass(frozen=True, slots=True, order=True)
class Ref:
    """The address of one record.

    ``company`` is the vendor's immutable id behind its system (``hubspot:123``), never a name from
    the configuration; ``kind`` is our word (deal, invoice); ``id`` is the vendor's, as text.
    """

    company: str
    kind: str
    id: str

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """The name of one document for ever: what it is made of, and which asking for it this is.

    The stem is the same for every generation, so that two markers of one document are seen to be.
    """

    stem: str
    generation: int = 1

    @classmethod
    def of(
        cls,
        source: Ref,
        *,
        mapping: str,
        document: str,
        target_company: str,
        part: str = "",
        generation: int = 1,
    ) -> Key:
        """Return the key of a document that is born from a source record."""
        named = canonical(
            [source.company, source.kind, source.id, mapping, part, document, target_company]
        )
        return cls(crockford(named), generation)

    @classmethod
    def parse(cls, text: str) -> Key:
        """Return the key that ``str`` wrote.

        Raises:
            ValueRefused: not such a text.
        """
        form = _WHOLE_KEY.match(text)
        if form is None:
            raise ValueRefused(
                f"{text[:40]!r} is not a key.", remedy="Copy it from `tieout tasks` or a marker."
            )
        return cls(form[1].upper(), int(form[2]))

    @property
    def marker(self) -> str:
        """The text that the books carry: ``[TIEOUT:0123456789ABCDEF-1]``."""
        return f"[TIEOUT:{self}]"

    def next_generation(self) -> Key:
        """Return the key of a deliberate re-issue.

        Raises:
            ValueRefused: it was issued as often as a marker can say.
        """
        if self.generation >= MAX_GENERATION:
            raise ValueRefused(f"{self} was issued {MAX_GENERATION} times.")
        return Key(self.stem, self.generation + 1)

    def __str__(self) -> str:
        return f"{self.stem}-{self.generation}"


def crockford(text: str) -> str:
    """Return 16 letters of Crockford's base32 that name a text (80 bits of its SHA-256)."""
    hashed = sha256(text.encode(errors="surrogatepass")).digest()
    number = int.from_bytes(hashed[:10], "big")
    letters = []
    for _ in range(_STEM_LETTERS):
        number, digit = divmod(number, 32)
        letters.append(_CROCKFORD[digit])
    return "".join(reversed(letters))


def find_marker(text: str | None) -> Key | None:
    """Return the key that a memo carries, if any; the last, if a person added another."""
    found = _MARKER.findall(text or "")
    if not found:
        return None
    stem, generation = found[-1]
    return Key(stem.upper(), int(generation))


def request_id(*named: object) -> str:
    """Return the name of one asking: the same for the same key, operation and body.

    36 letters or fewer, safe in a query parameter (R22).
    """
    return digest(named)[:REQUEST_ID_LENGTH]
