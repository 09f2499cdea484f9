"""What holds for every test: properties are drawn alike on every machine, however slow it is."""

import os
from collections.abc import Iterator

import checkout
import pytest
import structlog
from contracts import assert_as_published
from hypothesis import HealthCheck, settings
from recording import Heard

from tieout.transport import door

checkout.make_known()

settings.register_profile(
    "gate", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile(
    "search",
    deadline=None,
    max_examples=int(os.environ.get("EXAMPLES", "5000")),
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("gate")


@pytest.fixture(autouse=True)
def own_log() -> Iterator[None]:
    """A test that sets up the log, as a command does, leaves no trace of it to the next."""
    yield
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
    door._log.cache_clear()


@pytest.fixture
def heard() -> Iterator[list[Heard]]:
    """Return a list for what went over the wires; at the end it is held against the contracts."""
    exchanges: list[Heard] = []
    yield exchanges
    assert_as_published(exchanges)
