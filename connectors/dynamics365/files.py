"""Files: the notes of a record that hold one, and their bytes, which Dataverse keeps as base64.

Source: page "Use file data with Attachment and Note records": ``documentbody/$value`` gives a
note's file in one answer, as base64 in plain text; it is read and unpacked a piece at a time. The
size, the name and the type are columns of the note.
"""

from __future__ import annotations

import binascii
from collections.abc import Callable

from connectors.dynamics365.reading import GUID, Reading
from tieout.model.errors import NotFound, Unavailable
from tieout.model.ref import Ref

FILE = "file"
QUAD = 4  # letters of base64 that stand for three bytes


def download(reading: Reading, ref: Ref, take: Callable[[bytes], object]) -> None:
    """Give the bytes of a note's file, a piece at a time.

    Raises:
        NotFound: it was deleted, or is no id of Dataverse's.
        Unavailable: it was not answered to its end, or not as base64.
        TieoutError: it was refused.
    """
    if not GUID.match(ref.id):
        raise NotFound("No id of Dataverse's has this form.", record=str(ref))
    unpacked = _Unpacked(take, str(ref))
    path = f"{reading.facts.kinds[FILE].set}({ref.id})/documentbody/$value"
    reading.wire.download(path, unpacked.take)
    unpacked.end()


class _Unpacked:
    """Gives on what base64 stands for, however its text is cut."""

    def __init__(self, take: Callable[[bytes], object], about: str) -> None:
        self._take = take
        self._about = about
        self._left = b""
        self._ended = False  # by its padding, behind which nothing may come

    def take(self, piece: bytes) -> None:
        """Unpack one piece.

        Raises:
            Unavailable: it is no base64.
        """
        text = self._left + piece
        whole = len(text) - len(text) % QUAD
        now, self._left = text[:whole], text[whole:]
        if text and self._ended:
            raise self._wrong()
        if not now:
            return
        try:
            content = binascii.a2b_base64(now, strict_mode=True)
        except binascii.Error as wrong:
            raise self._wrong() from wrong
        self._ended = now.endswith(b"=")
        self._take(content)

    def end(self) -> None:
        """Take note that all has come.

        Raises:
            Unavailable: the last letters stand for no whole bytes.
        """
        if self._left:
            raise self._wrong()

    def _wrong(self) -> Unavailable:
        return Unavailable("Dataverse gave the file as no base64.", record=self._about)
