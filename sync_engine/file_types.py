"""file_types: whether a file is what its name says, and whether its name can be passed on. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

NAMELESS = frozenset({"", ".", ".."})
UNSEEN = frozenset(
    {"Cc", "Cf", "Co", "Cs", "Zl", "Zp"}
)  # controls, overrides of direction, line ends

_ZIP, _OLE = (b"PK\x03\x04",), (b"\xd0\xcf\x11\xe0",)
_PDF, _POSTSCRIPT = b"%PDF-", b"%!PS"
SIGNATURES: Mapping[str, tuple[bytes, ...]] = {
    "pdf": (_PDF,),
    "png": (b"\x89PNG\r\n\x1a\n",),
    "gif": (b"GIF87a", b"GIF89a"),
    "jpg": (b"\xff\xd8\xff",),
    "jpeg": (b"\xff\xd8\xff",),
    "tif": (b"II*\x00", b"MM\x00*"),
    "docx": _ZIP,
    "xlsx": _ZIP,
    "ods": _ZIP,
    "pages": _ZIP,
    "doc": _OLE,
    "xls": _OLE,
    "rtf": (b"{\\rtf",),
    "ai": (_PDF, _POSTSCRIPT),
    "eps": (_POSTSCRIPT, b"\xc5\xd0\xd3\xc6"),
}
"""How a file of a type begins, by its extension; what is not here is text."""


def extension_of(name: str) -> str:
    """Return a name's extension in small letters, without its point; empty where it has none."""
    stem, point, extension = name.rpartition(".")
    return extension.lower() if point and stem else ""


def is_false(name: str, head: bytes) -> bool:
    """Whether a file's beginning contradicts its extension."""
    begins = SIGNATURES.get(extension_of(name))
    if begins is not None:
        return not head.startswith(begins)
    return b"\x00" in head and not head.startswith((b"\xff\xfe", b"\xfe\xff"))  # UTF-16 is text


def is_hostile(name: str) -> bool:
    """Whether a name is a path, hides something from who reads it, or would break a header."""
    return name.strip() in NAMELESS or any(
        sign in "/\\" or unicodedata.category(sign) in UNSEEN for sign in name
    )
