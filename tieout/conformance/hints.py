"""A hint is believed only when it is proven; a system that sends none has nothing to try."""

from __future__ import annotations

from tieout.conformance.bench import Bench
from tieout.model.contract import Hears
from tieout.model.errors import HintRefused
from tieout.model.hint import Knock

URL = "https://tieout.example.com/hints/system"
BODIES = (b"", b"[]", b"{}", b'{"eventNotifications": []}')


class Hints:
    """What anybody can send to the hint door."""

    def test_a_hint_that_nobody_signed_is_refused(self, bench: Bench) -> None:
        """Without headers no body is heard, also an empty one."""
        assert [body for body in BODIES if not _refuses(bench, body)] == []


def _refuses(bench: Bench, body: bytes) -> bool:
    if not isinstance(bench.connector, Hears):
        return True
    try:
        bench.connector.parse_hint(Knock("POST", URL, {}, body), "a secret", bench.now())
    except HintRefused:
        return True
    return False
