"""What is wrong in a file that a person wrote: all of it at once, each with its line."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from tieout.model.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable

SHOWN_MISTAKES_LIMIT = 50  # more than anybody mends before looking again
SHOWN_NAMES_LIMIT = 12


@dataclass(frozen=True, slots=True, order=True)
class Mistake:
    """One thing to mend: where it is, what it is, and what may have been meant."""

    file: str
    line: int  # from 1; 0 when the file as a whole is meant
    what: str
    hint: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.what}" + (f"; {self.hint}" if self.hint else "")


class Mistakes(ConfigError):
    """A file has mistakes."""

    code = "mistakes"

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        """Keep each mistake once, in the order of the file."""
        self.mistakes = tuple(sorted(set(mistakes)))
        shown = [str(mistake) for mistake in self.mistakes[:SHOWN_MISTAKES_LIMIT]]
        hidden = len(self.mistakes) - len(shown)
        super().__init__("\n".join([*shown, *([f"… and {hidden} more"] if hidden else [])]))

    def __str__(self) -> str:
        return self.what  # each line already says what to mend


def nearest(word: str, known: Iterable[str]) -> str:
    """Return ``did you mean …?``, or what there is to choose from."""
    names = sorted(known)
    close = get_close_matches(word, names, n=1, cutoff=0.6)
    if close:
        return f"did you mean {close[0]}?"
    shown = ", ".join(names[:SHOWN_NAMES_LIMIT]) or "nothing"
    return f"there is: {shown}" + (", …" if len(names) > SHOWN_NAMES_LIMIT else "")
