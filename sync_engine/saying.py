"""saying: whether a record shows what a change would have made of it. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from tieout.model.canonical import canonical

EMPTY = (None, "")
UNSHOWN = frozenset({"prices"})  # how lines are to be read: no record shows it


def says(shown: object, wanted: object) -> bool:
    """Whether a field's value says what is wanted of it.

    Of a line only what a record shows of lines is compared: a connector may write more of them than
    it reads.
    """
    if isinstance(wanted, list | tuple):
        return (
            isinstance(shown, list | tuple)
            and len(shown) == len(wanted)
            and all(_line_says(one, other) for one, other in zip(shown, wanted, strict=True))
        )
    return canonical(shown) == canonical(wanted) or (shown in EMPTY and wanted in EMPTY)


def _line_says(shown: object, wanted: object) -> bool:
    if isinstance(shown, Mapping) and isinstance(wanted, Mapping):
        return all(says(shown[name], value) for name, value in wanted.items() if name in shown)
    return says(shown, wanted)
