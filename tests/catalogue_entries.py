"""The catalogue of bad input: each entry by its name, in order; every one has its tests."""

from collections.abc import Callable
from typing import TypeVar

ENTRIES = (
    "a mapping with a tab",
    "a mapping with a duplicate key",
    "a mapping with an unknown field",
    "a mapping with a wrong type",
    "a mapping whose parts do not sum",
    "an endless alias",
    "10 MB of YAML",
    "a formula of 2,000 nested parentheses",
    "a deal without company",
    "a deal without lines",
    "a deal with 800 lines",
    "a negative price",
    "a 4,000-character name",
    "control characters",
    "right-to-left and combining characters",
    "an unknown currency",
    "NaN or an amount with too many decimals",
    "a close date in 0001 or 9999",
    "a customer named like a vendor",
    "an item without an income account",
    "a number of 22 characters",
    "JSON that is cut",
    "JSON that is deep",
    "JSON that is huge",
    "what is not JSON",
    "JSON with a duplicate key",
    "a token of another company",
    "a vendor field that vanished",
    "a vendor field that changed its type",
    "an amount above the books' limit",
    "a page that repeats for ever",
    "bad settings",
    "a bad policy",
    "a bad environment",
)

Test = TypeVar("Test", bound=Callable[..., object])


def entry(name: str) -> Callable[[Test], Test]:
    """Say of which entry a test is."""
    assert name in ENTRIES, name
    return lambda test: test
