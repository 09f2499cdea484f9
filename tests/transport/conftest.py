from datetime import UTC, datetime, timedelta

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route as WebRoute

from tieout.simulator.faults import Answer as FaultAnswer
from tieout.simulator.faults import FaultMiddleware, Faults
from tieout.simulator.serving import serve


class Clock:
    """A clock that moves only when somebody sleeps."""

    def __init__(self) -> None:
        self.instant = datetime(2026, 3, 31, 12, 0, tzinfo=UTC)
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self.instant

    def sleep(self, secs: float) -> None:
        self.slept.append(secs)
        self.instant += timedelta(seconds=secs)


@pytest.fixture
def clock() -> Clock:
    return Clock()


class Vendor:
    """A vendor that remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, dict[str, str], bytes]] = []
        self.answers: list[Response] = []
        app = Starlette(
            routes=[
                WebRoute("/elsewhere", self.redirect, methods=["GET", "POST"]),
                WebRoute("/{rest:path}", self.answer, methods=["GET", "POST"]),
            ]
        )
        self.faults = Faults(
            lambda fault, _asked: FaultAnswer(fault.status, [], b"{}"), lambda: datetime.now(UTC)
        )
        self.app = FaultMiddleware(app, self.faults)

    async def answer(self, request: Request) -> Response:
        body = await request.body()
        self.asked.append((request.method, request.url.path, dict(request.headers), body))
        return self.answers.pop(0) if self.answers else JSONResponse({"ok": True})

    async def redirect(self, _request: Request) -> Response:
        return RedirectResponse("/other", status_code=307)


@pytest.fixture(scope="module")
def served_vendor():
    told = Vendor()
    with serve(told.app) as served:
        told.url = served.url
        yield told


@pytest.fixture
def vendor(served_vendor):
    served_vendor.asked.clear()
    served_vendor.answers = []
    served_vendor.faults.clear()
    return served_vendor
