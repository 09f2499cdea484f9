"""What an administrator sets up: apps and who they speak as, rules of records."""

from dataclasses import dataclass, field
from datetime import datetime

INTEGRATION = "integration@nordlys.example"
ADMIN = "admin@nordlys.example"


@dataclass(slots=True)
class Client:
    """An app that an administrator has made: its key, its secret, and who it speaks as."""

    key: str
    secret: str
    certificate: str | None = None
    """PEM; without it no assertion is believed."""
    runs_as: str = INTEGRATION
    """Whose session the client credentials open."""
    approved: set[str] = field(default_factory=lambda: {INTEGRATION})
    """Usernames that an assertion may name."""


@dataclass(frozen=True, slots=True)
class Session:
    """An access token's user and its end."""

    user: str
    until: datetime


@dataclass(frozen=True, slots=True)
class CheckRule:
    """A validation rule: records for which `where` holds are refused with `message`."""

    kind: str
    where: str
    message: str
    field: str | None = None
    code: str = "FIELD_CUSTOM_VALIDATION_EXCEPTION"


@dataclass(frozen=True, slots=True)
class DuplicateRule:
    """A duplicate rule: no two records with one value in `field`, unless the caller insists."""

    kind: str
    field: str
