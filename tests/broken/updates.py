"""Connectors that update wrongly, each with the test that catches it."""

from dataclasses import replace

from brook_tieout import Brook

from tieout.model.record import Record


class DropsAValue(Brook):
    def prepare(self, requests):
        return super().prepare([_only(one, lambda name, _: name != "name") for one in requests])


class DropsTheMark(Brook):
    def prepare(self, requests):
        return super().prepare([_only(one, lambda name, _: name != "mark") for one in requests])


class DoesNotReadWhatItWrites(Brook):
    def fetch(self, refs):
        for one in super().fetch(refs):
            yield _without(one, "invoice_total") if isinstance(one, Record) else one

    def apply(self, parcel):
        return [replace(one, receipt=_bare(one.receipt)) for one in super().apply(parcel)]


class LeavesWhatIsToBeEmptied(Brook):
    def prepare(self, requests):
        return super().prepare([_only(one, lambda _, value: value is not None) for one in requests])


class CutsWhatItTells(Brook):
    def prepare(self, requests):
        return super().prepare([_cut(one, 40) for one in requests])


class CutsWhatItTellsAtItsLimit(Brook):
    def prepare(self, requests):
        return super().prepare([_cut(one, 200) for one in requests])


CAUGHT = {
    DropsAValue: "test_what_an_update_writes_is_read_back",
    DropsTheMark: "test_what_an_update_writes_is_read_back",
    DoesNotReadWhatItWrites: "test_what_an_update_writes_is_read_back",
    LeavesWhatIsToBeEmptied: "test_an_update_to_nothing_empties_the_field",
    CutsWhatItTells: "test_a_text_at_its_limit_is_written_whole",
    CutsWhatItTellsAtItsLimit: "test_a_text_over_its_limit_is_refused_never_cut",
}


def _only(request, wanted):
    values = {name: held for name, held in request.change.values.items() if wanted(name, held)}
    return replace(request, change=replace(request.change, values=values))


def _cut(request, length):
    values = {
        name: held[:length] if isinstance(held, str) else held
        for name, held in request.change.values.items()
    }
    return replace(request, change=replace(request.change, values=values))


def _without(record, name):
    return replace(record, fields={one: held for one, held in record.fields.items() if one != name})


def _bare(receipt):
    return receipt and replace(receipt, record=None)
