"""The files that a portal keeps."""

from collections.abc import Iterator
from dataclasses import dataclass, field

FIRST_FILE_ID = 180_000_000_001


@dataclass(slots=True)
class StoredFile:
    """A file: its name without the extension, and its bytes; `size` is what HubSpot says of it."""

    id: int
    name: str
    extension: str
    content: bytes
    size: int
    updated: int
    """In epoch milliseconds."""
    archived: bool = False
    folder: str = ""


@dataclass(slots=True)
class Files:
    """All files of a portal by id, and how often each was given out."""

    held: dict[int, StoredFile] = field(default_factory=dict)
    given: list[int] = field(default_factory=list)

    def keep(self, name: str, content: bytes, at: int, size: int | None = None) -> StoredFile:
        """Keep a file under its whole name; `size` stands for bytes that are not there."""
        stem, point, extension = name.rpartition(".")
        stored = StoredFile(
            FIRST_FILE_ID + len(self.held),
            stem if point and stem else name,
            extension if point and stem else "",
            content,
            len(content) if size is None else size,
            at,
        )
        self.held[stored.id] = stored
        return stored

    def same(self, folder: str, content: bytes) -> StoredFile | None:
        """Find a file of a folder with these bytes."""
        return next(
            (one for one in self.live() if one.folder == folder and one.content == content), None
        )

    def find(self, file_id: str) -> StoredFile | None:
        """Find a file that is not deleted."""
        stored = self.held.get(int(file_id)) if file_id.isdecimal() else None
        return None if stored is None or stored.archived else stored

    def live(self) -> Iterator[StoredFile]:
        """Yield the files that are not deleted."""
        return (one for one in self.held.values() if not one.archived)
