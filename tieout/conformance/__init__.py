"""The tests that every connector inherits, ours and a plug-in's.

A connector's test file gives a ``Bench``: an open session, and the hands of those who work in the
system that it speaks to. ``ConnectorConformance`` is the rest::

    class TestAcme(ConnectorConformance):
        @pytest.fixture
        def bench(self, acme_books):
            return AcmeBench(acme_books)

What is tested follows from ``connector.capabilities``: all that is claimed is tried, and what is
not claimed must be refused. docs/howto/write-a-connector.md goes through it step by step.
"""

from tieout.conformance.bench import Bench, RotatingToken
from tieout.conformance.suite import ConnectorConformance
from tieout.conformance.wire import SILENCES, SPELLINGS, Calls, Fault, Wire

__all__ = [
    "SILENCES",
    "SPELLINGS",
    "Bench",
    "Calls",
    "ConnectorConformance",
    "Fault",
    "RotatingToken",
    "Wire",
]
