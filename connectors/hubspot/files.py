"""Files: what each is, one call for each, and its bytes by an address that is good for a while.

Source: HubSpot's page "Files" (v3): there is no batch, and the scope is ``files``. The signed
address is its own permission, on another host: our key is not shown there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from connectors.hubspot import paths
from tieout.model.errors import NotFound, Rejected, TieoutError, Unauthorized, Unavailable
from tieout.model.record import Fetched, Gone, Record, Unreadable
from tieout.model.ref import Ref, Version
from tieout.transport import Answer, Route

if TYPE_CHECKING:
    from connectors.hubspot.reading import Reading

DOWNLOAD = Route("files download", write=False, read_secs=120)


class Files:
    """The files of one portal."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    def fetch(self, refs: Sequence[Ref]) -> Iterator[Fetched]:
        """Yield one answer for each asked, in order, a few asked at once."""
        return self._reading.wire.each(self._one, refs)

    def download(self, ref: Ref, take: Callable[[bytes], object]) -> None:
        """Give a file's bytes, a piece at a time.

        Raises:
            NotFound: it was deleted.
            Unavailable: the address was refused, for it was good no longer; another is asked for.
            TieoutError: it was refused or not answered.
        """
        told = self._told(f"{ref.id}/signed-url", _signed)
        try:
            self._reading.wire.download(str(told["url"]), take, DOWNLOAD)
        except (Rejected, Unauthorized) as refused:
            if refused.vendor_code in ("403", "404"):  # of the store of files, not of HubSpot's API
                raise Unavailable(
                    "HubSpot's address of the file was refused.",
                    record=str(ref),
                    vendor_words=refused.vendor_words,
                ) from refused
            raise

    def _one(self, ref: Ref) -> Fetched:
        try:
            told = self._told(ref.id, _file)
        except NotFound as missing:
            return Gone(ref, missing.vendor_words or "HubSpot does not find it")
        except TieoutError as error:
            return Unreadable(ref, error)
        return Record(
            ref,
            Version(str(told["updatedAt"])),
            {
                "name": str(told.get("name") or ""),
                "extension": str(told.get("extension") or ""),
                "size_bytes": None if told.get("size") is None else Decimal(told["size"]),
            },
        )

    def _told(
        self, rest: str, understand: Callable[[Answer], Mapping[str, Any]]
    ) -> Mapping[str, Any]:
        version = self._reading.version
        return self._reading.get(
            paths.files(version, rest), paths.files(paths.NUMBERED, rest), understand
        )


def _file(answer: Answer) -> Mapping[str, Any]:
    told = answer.json
    if not isinstance(told, Mapping) or not told.get("id") or not told.get("updatedAt"):
        raise answer.unclear("HubSpot's answer shows no file.")
    return told


def _signed(answer: Answer) -> Mapping[str, Any]:
    told = answer.json
    if not isinstance(told, Mapping) or not isinstance(told.get("url"), str):
        raise answer.unclear("HubSpot's answer has no address of the file.")
    return told
