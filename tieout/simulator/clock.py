"""The simulators' time: an argument everywhere, so that a test or a demo can move it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from starlette.types import ASGIApp, Message, Receive, Scope, Send

Now = Callable[[], datetime]
"""Tells the present instant, aware, in UTC."""


class SimulatedClock:
    """The computer's clock, moved by as much as `advance` was told; never backwards."""

    def __init__(self, start: datetime | None = None) -> None:
        """Run from `start` (aware) on, or from the computer's present."""
        self._ahead = timedelta() if start is None else start - datetime.now(UTC)

    def __call__(self) -> datetime:
        """Return the present instant in UTC."""
        return datetime.now(UTC) + self._ahead

    def advance(self, seconds: float) -> None:
        """Move the present `seconds` into the future."""
        if seconds < 0:
            raise ValueError("a clock goes forward only")
        self._ahead += timedelta(seconds=seconds)


class DateHeader:
    """ASGI middleware: every answer tells the simulator's own time (R51)."""

    def __init__(self, app: ASGIApp, now: Now) -> None:
        self._app = app
        self._now = now

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the wrapped application does, with a Date header."""

        async def dated(message: Message) -> None:
            if message["type"] == "http.response.start":
                date = format_datetime(self._now(), usegmt=True).encode()
                message["headers"] = [*message.get("headers", []), (b"date", date)]
            await send(message)

        await self._app(scope, receive, dated if scope["type"] == "http" else send)
