"""How fast ``fast`` is under the vendor's limits (R23), on a time that passes only in waiting."""

from datetime import UTC, datetime, timedelta

from tieout.simulator.quickbooks import Limits
from tieout.simulator.quickbooks.throttle import Throttle
from tieout.transport import Limit
from tieout.transport.limits import Gate

RECORDS_A_MINUTE = 40 * 30 + 460  # batches of thirty, and the calls that are left beside them
PACKED = 1_200  # how many the engine packs together


def test_fast_uses_both_limits_to_the_full_and_is_never_refused(hurried, invoice_request):
    connector, clock = hurried().connector, StillClock()
    gate = gate_of(connector.capabilities.rates, clock)
    vendor = Throttle(Limits(), clock.now)
    began, refused = clock.now(), 0
    for _ in range(3):
        for parcel in connector.prepare([invoice_request(n) for n in range(1, PACKED + 1)]):
            is_batch = parcel.call == "POST batch"
            with gate.passing(["minute", "second", *["batches"] * is_batch]):
                refused += vendor.wait_secs(is_batch=is_batch) > 0
    passed_secs = (clock.now() - began).total_seconds()
    assert passed_secs <= 1.05 * 60 * 3 * PACKED / RECORDS_A_MINUTE
    assert refused == 0


def gate_of(rates, clock):
    """The gate of one company's door."""
    limits = {
        "minute": Limit(rates["per_minute"], 60),
        "second": Limit(rates["per_second"], 1),
        "batches": Limit(rates["batches_per_minute"], 60),
    }
    return Gate(limits, rates["at_once"], clock.now, clock.sleep)


class StillClock:
    def __init__(self):
        self._present = datetime(2026, 4, 1, 8, tzinfo=UTC)

    def now(self):
        return self._present

    def sleep(self, secs):
        self._present += timedelta(seconds=secs, microseconds=1)
