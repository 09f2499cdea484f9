"""What a connector asks of its credentials, whoever keeps them."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class Credentials(Protocol):
    """What a connector signs its calls with."""

    @property
    def until(self) -> datetime | None:
        """When a person must consent again, if that is known."""
        ...

    def access_token(self) -> str:
        """Return the token to sign the next call with.

        Raises:
            Unauthorized: there is none.
        """
        ...

    def refresh(self, stale: str) -> str:
        """Return another token than ``stale``, which was refused; ask for one if need be.

        Raises:
            Unauthorized: there is no other.
            Unavailable: the token server cannot be reached now.
        """
        ...
