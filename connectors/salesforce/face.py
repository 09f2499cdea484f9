"""The face of our door that simple-salesforce's client takes for a requests session."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

from tieout.transport import Answer, Route

JSON = "application/json"
DOWNLOAD = Route("file", write=False, read_secs=120)


class Face:
    """What simple-salesforce calls its session: our door, at the address that is configured.

    Its client writes ``https://`` before every host, and would parse the body a second time, with
    floats and doubled keys passing unseen. So it gets an empty object to parse, and the answer that
    the door has judged is kept here.
    """

    proxies: Any = None

    def __init__(
        self, session: Any, address: str, take: Callable[[bytes], object] | None = None
    ) -> None:
        self._session = session
        self._take = take
        self._address = address.rstrip("/")
        self._answer: Answer | None = None

    @property
    def answered(self) -> Answer:
        """The answer to the call that was made."""
        assert self._answer is not None, "a call that returns was answered"
        return self._answer

    def request(
        self, method: str, url: str, headers: Mapping[str, str] | None = None, **rest: Any
    ) -> SimpleNamespace:
        """Send through the door; pretty answers are twice as long, so none is asked for.

        Raises:
            TieoutError: whatever the door makes of the exchange.
        """
        parts = urlsplit(url)
        target = f"{self._address}{parts.path}" + (f"?{parts.query}" if parts.query else "")
        kept = {name: held for name, held in (headers or {}).items() if name != "X-PrettyPrint"}
        kept.setdefault("Accept", JSON)
        if self._take is None:
            self._answer = self._session.request(method, target, headers=kept, **rest).answer
        else:
            self._answer = self._session.download(target, self._take, DOWNLOAD, kept)
        return SimpleNamespace(status_code=200, headers={}, json=lambda **_hooks: {})


def client_of(face: Face, token: str, address: str, version: str) -> Any:
    """Return simple-salesforce's client over a face."""
    from simple_salesforce.api import Salesforce  # noqa: PLC0415 - drags in zeep and lxml

    host = urlsplit(address).netloc
    session: Any = face
    return Salesforce(session=session, session_id=token, instance=host, version=version)
