"""The face of our door that python-quickbooks' client takes for a requests session."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tieout.transport import Answer


class Face:
    """What python-quickbooks calls its session: our door, and a token for one call.

    The client would parse the body a second time, with floats or doubled keys passing unseen. So
    it gets an empty object to parse, and the answer that the door has judged is kept here.
    """

    def __init__(self, session: Any, access_token: str) -> None:
        self._session = session
        self.access_token = access_token
        self._answer: Answer | None = None

    @property
    def answered(self) -> Answer:
        """The answer to the call that was made."""
        assert self._answer is not None, "a call that returns was answered"
        return self._answer

    def request(self, method: str, url: str, **rest: Any) -> _Parsed:
        """Send through the door.

        Raises:
            TieoutError: whatever the door makes of the exchange.
        """
        self._answer = self._session.request(method, url, **rest).answer
        return _Parsed()


@dataclass(frozen=True, slots=True)
class _Parsed:
    """Stands for an answer that is already understood."""

    status_code: int = 200
    text: str = "{}"
