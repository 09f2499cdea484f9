"""A body with a file in it, that is nowhere whole."""

from __future__ import annotations

import binascii
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

PIECE_BYTES = 48 * 1024  # of a file, in memory at once; of threes, so that base64 can be cut there


@dataclass(frozen=True, slots=True)
class Stream:
    """The bytes of a call with its file, a piece at a time; from the beginning each time.

    Attributes:
        opening: what stands before the file.
        closing: what stands behind it.
        content: the file.
        size_bytes: its length.
        as_base64: whether it travels as base64.
    """

    opening: bytes
    closing: bytes
    content: BinaryIO
    size_bytes: int
    as_base64: bool = False

    def __len__(self) -> int:
        """Return how many bytes there are: they are announced, and no chunks are sent."""
        size = -(-self.size_bytes // 3) * 4 if self.as_base64 else self.size_bytes
        return len(self.opening) + size + len(self.closing)

    def __iter__(self) -> Iterator[bytes]:
        """Yield what stands before the file, the file, and what stands behind it."""
        yield self.opening
        self.content.seek(0)
        while piece := self.content.read(PIECE_BYTES):
            yield binascii.b2a_base64(piece, newline=False) if self.as_base64 else piece
        yield self.closing
