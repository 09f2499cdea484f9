"""Updates: every value is written and read back, as a CRM is told of its invoices."""

from __future__ import annotations

from tieout.conformance.bench import Bench
from tieout.conformance.writing import packed
from tieout.model.canonical import Plain, Values, canonical
from tieout.model.change import Update, Verb
from tieout.model.contract import Request
from tieout.model.record import Record
from tieout.model.ref import crockford

EMPTY = (None, "")


class Updates:
    """After a lost answer the engine reads the record and compares: so must anybody be able to."""

    def test_what_an_update_writes_is_read_back(self, bench: Bench) -> None:
        """Each value under its own name, and the mark where the kind has a field for it."""
        for kind in bench.kinds_with(Verb.UPDATE):
            mark = bench.mark_of(kind)
            marked = {mark: crockford(f"{kind} {bench.number()}")} if mark else {}
            request = bench.request(Verb.UPDATE, kind, marked)
            assert _unsaid(_written(bench, request), request.change.values) == {}, kind

    def test_an_update_to_nothing_empties_the_field(self, bench: Bench) -> None:
        """None takes back what was told; a CRM that keeps it would show a number that is gone."""
        for kind in bench.kinds_with(Verb.UPDATE):
            if bench.claimed(kind).verbs != {Verb.UPDATE}:
                continue  # the books are never asked to empty a field
            request = bench.request(Verb.UPDATE, kind)
            record = _written(bench, request)
            emptied: dict[str, Plain] = dict.fromkeys(request.change.values)
            again = bench.asked(Update(record.ref, record.version, emptied))
            assert _unsaid(_written(bench, again), emptied) == {}, kind


def _written(bench: Bench, request: Request) -> Record:
    """Return the record as it is read after a request."""
    (outcome,) = bench.connector.apply(packed(bench, request))
    assert outcome.receipt is not None, outcome.error
    (record,) = bench.connector.fetch([outcome.receipt.ref])
    assert isinstance(record, Record), record
    return record


def _unsaid(record: Record, values: Values) -> dict[str, object]:
    """Return what a record shows where it should show some values, as the engine compares them."""
    shown = {name: record.fields.get(name, "no such field") for name in values}
    return {name: held for name, held in shown.items() if not _same(held, values[name])}


def _same(shown: object, wanted: Plain) -> bool:
    return canonical(shown) == canonical(wanted) or (shown in EMPTY and wanted in EMPTY)
