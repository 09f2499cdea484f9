"""What a rule of a vendor's is."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of a vendor's; `unfollowed` says what of it is not simulated, and why."""

    name: str
    says: str
    source: str
    refuses: str = ""
    """The codes with which what breaks it is refused."""
    unfollowed: str = ""
