"""Connectors that tell wrongly what belongs to what, each with the test that catches it."""

from dataclasses import replace

from brook_tieout import Brook

from connectors.hubspot import HubSpot
from tieout.model.errors import NotFound
from tieout.model.record import Related


class TellsNothing(Brook):
    def related(self, refs, role):
        for one in super().related(refs, role):
            yield one if one.error else Related(one.ref, role)


class CallsAFailedSetEmpty(HubSpot):
    def related(self, refs, role):
        for one in super().related(refs, role):
            yield Related(one.ref, role) if one.error else one


class CountsALineTwice(Brook):
    def related(self, refs, role):
        for one in super().related(refs, role):
            yield replace(one, refs=(*one.refs, *one.refs[-1:]))


class SortsWhatHasAnOrder(HubSpot):
    def related(self, refs, role):
        for one in super().related(refs, role):
            yield replace(one, refs=tuple(sorted(one.refs)))


class CallsTheSetOfTheRemovedEmpty(Brook):
    def related(self, refs, role):
        for one in super().related(refs, role):
            yield Related(one.ref, role) if isinstance(one.error, NotFound) else one


class KnowsNoWayBack(Brook):
    def related(self, refs, role):
        for one in super().related(refs, role):
            yield Related(one.ref, role) if role == "deal" and one.ref.kind == "line" else one


CAUGHT = {
    TellsNothing: "test_related_is_the_whole_set_in_the_systems_order",
    CallsAFailedSetEmpty: "test_a_set_that_cannot_be_read_is_never_empty",
    CountsALineTwice: "test_related_is_the_whole_set_in_the_systems_order",
    SortsWhatHasAnOrder: "test_related_is_the_whole_set_in_the_systems_order",
    CallsTheSetOfTheRemovedEmpty: "test_what_was_removed_has_no_empty_set",
    KnowsNoWayBack: "test_what_a_record_has_several_of_leads_back_to_it",
}
