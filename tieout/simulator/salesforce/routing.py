"""Which operation a path leads to, read as it was sent: a slash within a value stays in it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from tieout.simulator.salesforce.call import Call, Reply

Answering = Callable[[Call], Reply]


@dataclass(frozen=True, slots=True)
class Door:
    """One operation: its method, its path below the version, and what answers it."""

    method: str
    path: str
    answer: Answering

    def words(self, parts: Sequence[str]) -> Mapping[str, str] | None:
        """Return what the path's words stand for, or None if it is another path."""
        wanted = self.path.strip("/").split("/")
        if len(parts) != len(wanted):
            return None
        words = {}
        for want, part in zip(wanted, parts, strict=True):
            if want.startswith("{"):
                words[want[1:-1]] = unquote(part)
            elif want.lower() != part.lower():
                return None
        return words


def door_for(
    doors: Sequence[Door], method: str, parts: Sequence[str]
) -> tuple[Door | None, Mapping[str, str], Sequence[str]]:
    """Return the door that a path leads to and its words, or the methods it would answer to."""
    others = []
    for door in doors:
        words = door.words(parts)
        if words is None:
            continue
        if door.method == method:
            return door, words, ()
        others.append(door.method)
    return None, {}, others
