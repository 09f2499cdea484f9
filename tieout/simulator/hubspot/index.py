"""What search sees: not the records, but an index that lags behind them (R41).

Each change becomes visible after a delay of its own, so that a later change may be seen before an
earlier one. The order by time of change is kept, not sorted for each question.
"""

import heapq
from bisect import bisect_left, insort
from collections.abc import Iterable

from tieout.simulator.hubspot.records import Record


class SearchIndex:
    """The versions that search answers with, of one kind."""

    def __init__(self) -> None:
        self.versions: dict[int, Record] = {}
        self.by_time: list[tuple[int, int]] = []
        """(time of change, id), ascending."""
        self.state = 0
        """Moves with every change, so that a remembered answer knows when it is stale."""
        self._waiting: list[tuple[int, int, Record]] = []
        self._noted = 0
        self._taken: dict[int, int] = {}
        """The number of the last version taken of each record, archived ones too."""

    def note(self, record: Record, visible_at: int) -> None:
        """Show a version from `visible_at` (epoch milliseconds) on."""
        self._noted += 1
        heapq.heappush(self._waiting, (visible_at, self._noted, record))

    def forget(self, record_id: int) -> None:
        """Stop showing a record that a merge has swallowed."""
        self._waiting = [entry for entry in self._waiting if entry[2].id != record_id]
        heapq.heapify(self._waiting)
        self._remove(record_id)
        self.state += 1

    def settle(self, present: int) -> None:
        """Take in every version whose time has come."""
        while self._waiting and self._waiting[0][0] <= present:
            _, number, record = heapq.heappop(self._waiting)
            self._take(number, record)

    def load(self, records: Iterable[Record]) -> None:
        """Take in many records at once, that are not yet known."""
        fresh = {record.id: record for record in records if record.archived is None}
        self.versions.update(fresh)
        self.by_time.extend((record.modified, record.id) for record in fresh.values())
        self.by_time.sort()
        self.state += 1

    def _take(self, number: int, record: Record) -> None:
        if self._taken.get(record.id, 0) > number:
            return  # a later version was seen first
        self._taken[record.id] = number
        self._remove(record.id)
        if record.archived is None:
            self.versions[record.id] = record
            insort(self.by_time, (record.modified, record.id))
        self.state += 1

    def _remove(self, record_id: int) -> None:
        known = self.versions.pop(record_id, None)
        if known is not None:
            place = bisect_left(self.by_time, (known.modified, record_id))
            del self.by_time[place]
