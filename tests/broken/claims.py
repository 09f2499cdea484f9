"""Connectors that say what they cannot do, each with the test that catches it."""

from dataclasses import replace

from brook_tieout import Brook

from connectors.quickbooks import QuickBooks
from tieout.model.capability import KindCapability
from tieout.model.change import Verb
from tieout.model.errors import Unsupported
from tieout.model.record import Related


class ClaimsWhatItCannotDo(QuickBooks):
    @property
    def capabilities(self):
        honest = super().capabilities
        refund = replace(honest.kinds["refund"], verbs=frozenset({Verb.CREATE}))
        return replace(honest, kinds={**honest.kinds, "refund": refund})


class PacksWhatItDoesNotClaim(QuickBooks):
    @property
    def capabilities(self):
        honest = super().capabilities
        item = replace(honest.kinds["item"], verbs=frozenset({Verb.CREATE}))
        return replace(honest, kinds={**honest.kinds, "item": item})


class IsNamedByTheConfiguration(Brook):
    def __init__(self, *opened):
        super().__init__(*opened)
        self.company = "brook:our-crm"

    def check(self):
        ours, self.company = self.company, "brook:77"
        try:
            return super().check()
        finally:
            self.company = ours


class HasAClockWithoutAZone(Brook):
    def check(self):
        told = super().check()
        return replace(told, clock=told.clock.replace(tzinfo=None))


class ClaimsAWayToFind(Brook):
    def __init__(self, *opened):
        super().__init__(*opened)
        self.capabilities = _with_kind(self, "company", found_by=frozenset({"id", "name"}))


class CannotFindWhatItMakes(QuickBooks):
    @property
    def capabilities(self):
        return _with_kind(super(), "invoice", found_by=frozenset({"id", "number"}))


class ClaimsAFeed(Brook):
    def __init__(self, *opened):
        super().__init__(*opened)
        told = self.capabilities
        self.capabilities = replace(told, feeds=(*told.feeds, ("note",)))

    def changes(self, kinds, since):
        if list(kinds) == ["note"]:
            return iter(())
        return super().changes(kinds, since)


class WritesWhatNobodyCanTry(Brook):
    def __init__(self, *opened):
        super().__init__(*opened)
        note = KindCapability(verbs=frozenset({Verb.UPDATE}))
        told = self.capabilities
        self.capabilities = replace(told, kinds={**told.kinds, "note": note})


class CallsAnUnknownRoleEmpty(Brook):
    def related(self, refs, role):
        for one in super().related(refs, role):
            yield Related(one.ref, role) if isinstance(one.error, Unsupported) else one


class NamesFieldsAsTheVendor(Brook):
    def __init__(self, *opened):
        super().__init__(*opened)
        self.capabilities = _with_kind(self, "company", fields={"Company name": "text"})


CAUGHT = {
    ClaimsWhatItCannotDo: "test_every_change_that_is_claimed_is_made",
    PacksWhatItDoesNotClaim: "test_a_change_that_is_not_claimed_is_refused_before_it_is_sent",
    IsNamedByTheConfiguration: "test_the_company_is_named_by_its_system_and_the_vendors_id",
    HasAClockWithoutAZone: "test_the_company_is_named_by_its_system_and_the_vendors_id",
    ClaimsAWayToFind: "test_every_way_to_find_that_is_claimed_finds",
    CannotFindWhatItMakes: "test_what_can_be_created_can_be_found_again",
    ClaimsAFeed: "test_every_feed_that_is_claimed_is_read",
    WritesWhatNobodyCanTry: "test_every_kind_that_is_written_is_exercised_here",
    CallsAnUnknownRoleEmpty: "test_a_role_that_nobody_knows_is_no_empty_set",
    NamesFieldsAsTheVendor: "test_the_texts_of_capabilities_are_plain_words",
}


def _with_kind(connector, kind, **said):
    told = connector.capabilities
    return replace(told, kinds={**told.kinds, kind: replace(told.kinds[kind], **said)})
