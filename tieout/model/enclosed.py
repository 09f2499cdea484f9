"""Enclosed: what a change says of the file that travels with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tieout.model.canonical import Plain
from tieout.model.change import Change, Create
from tieout.model.contract import Enclosure, Parcel, ParcelItem, Request
from tieout.model.errors import InvalidField
from tieout.model.ref import Ref, request_id

OURS = "[TIEOUT:"  # how a marker begins
ONLY_ITEM = "001"  # a call with a file carries nothing else
PRINT = "print"  # the kind of a change that puts the books' PDF of an invoice on its source


@dataclass(frozen=True, slots=True)
class Enclosed:
    """A file that is to be put on a record.

    Attributes:
        source: whose bytes they are.
        about: the record that gets it.
        name: what it is called.
        media_type: what it is.
        size_bytes: how long it is.
        sha256: the hash of its bytes.
        at: when it was planned, an instant as text.
    """

    source: Ref
    about: Ref
    name: str
    media_type: str
    size_bytes: int
    sha256: str
    at: str

    @classmethod
    def of(cls, change: Change, about: str) -> Enclosed:
        """Return what a change says.

        Raises:
            InvalidField: it says not all of it.
        """
        values: Mapping[str, Plain] = change.values
        try:
            return cls(
                source=ref_of(values["file"]),
                about=ref_of(values["about"]),
                name=str(values["name"]),
                media_type=str(values["media_type"]),
                size_bytes=int(str(values["size_bytes"])),
                sha256=str(values["sha256"]),
                at=str(values["at"]),
            )
        except (KeyError, ValueError) as wrong:
            raise InvalidField(f"A file lacks what it is of: {wrong!r}.", record=about) from wrong

    @property
    def boundary(self) -> str:
        """What parts are divided by: made of the file's hash, it cannot stand in the file."""
        return boundary_of(self.sha256)


def print_parcel(
    request: Request, file: Enclosed, *, company: str, call: str, opening: bytes, body: bytes
) -> Parcel:
    """Return the call that puts a PDF on a record: its bytes go into ``body`` behind ``opening``.

    A PDF that was printed anew has other bytes, and is another asking.
    """
    asked = [request.key, request.asking, file.sha256]
    return Parcel(
        company,
        request_id(company, call, asked, body.decode()),
        call,
        body,
        (ParcelItem(ONLY_ITEM, request.key, PRINT, Create.verb.value),),
        Enclosure(file.source, file.sha256, file.size_bytes, len(opening)),
    )


def is_print(change: Change) -> bool:
    """Whether a change puts a PDF on a record, with what it takes to send it."""
    return isinstance(change, Create) and change.kind == PRINT and "sha256" in change.values


def is_ours(said: object) -> bool:
    """Whether what is said of a file shows our marker: then no person put it there."""
    return isinstance(said, str) and OURS in said


def ref_of(address: Plain) -> Ref:
    """Return an address: company, kind and id.

    Raises:
        ValueError: it is none.
    """
    if not isinstance(address, (list, tuple)):
        raise ValueError(f"{address!r} is no address")  # noqa: TRY004 - one refusal for all
    company, kind, number = map(str, address)
    return Ref(company, kind, number)


def boundary_of(sha256: str) -> str:
    """Return what parts are divided by beside a file of this hash."""
    return f"tieout-{sha256[:40]}"
