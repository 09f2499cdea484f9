"""What Tieout needs in an org: made once, granted to its user, or told to a person to the letter."""

import pytest

from tieout.app.provisioning import provide
from tieout.model.record import Record
from tieout.simulator.salesforce import deeds

FIELDS = 22
MARK = "Tieout_Mark__c"


@pytest.fixture
def bare(org):
    """Take away what the other tests find there already."""
    for kind in ("Opportunity", "Account"):
        for name in list(org.kinds[kind].fields):
            if name.startswith("Tieout_"):
                deeds.remove_field(org, kind, name)
    return org


def states(session, **how):
    return [each.state for each in provide(session, **how)]


def test_the_first_time_all_is_made_and_the_second_nothing(opened, bare):
    assert states(opened()) == ["made"] * (3 * FIELDS + 3)
    assert states(opened()) == ["there"] * (3 * FIELDS + 3)


def test_what_was_made_can_be_written_and_read(opened, bare):
    session = opened()
    list(provide(session))
    deal = bare.deal()
    (answer,) = session.fetch([bare.ref("deal", deal)])
    assert isinstance(answer, Record)
    assert {"mark", "invoice_number", "invoice_error"} <= answer.fields.keys()
    made = bare.kinds["Opportunity"].fields["Tieout_Mark__c"]
    assert (made.unique, made.external_id, made.length) == (True, True, 32)


def test_a_clone_arrives_without_the_mark(opened, bare):
    list(provide(opened()))
    deal = bare.deal(Tieout_Mark__c="M-1")
    clone = deeds.clone(bare, deal)
    (answer,) = opened().fetch([bare.ref("deal", clone)])
    assert answer.fields["mark"] is None


def test_dry_it_only_says_what_is_missing(opened, bare):
    assert set(states(opened(), dry=True)) == {"by hand"}
    assert "Tieout_Mark__c" not in bare.kinds["Opportunity"].fields


def test_where_it_may_not_it_says_what_to_make_and_why(opened, bare):
    deeds.forbid_customizing(bare)
    mark, *_ = provide(opened())
    assert mark.state == "by hand"
    assert mark.instruction == (
        "property “Tieout mark” for deals, internal name Tieout_Mark__c (type text, length 32, "
        "unique yes, help Names this deal in the books. Written by Tieout; do not edit or copy.)"
    )
    assert "INSUFFICIENT_ACCESS" in mark.why


def test_what_an_administrator_made_by_hand_is_only_granted(opened, bare):
    session = opened()
    list(provide(session))
    for one in list(bare.tables["PermissionSetAssignment"].alive()):
        bare.put("PermissionSetAssignment", {**one, "IsDeleted": True})
    bare.forget_sight()
    assert states(opened()) == ["there"] * (3 * FIELDS + 2) + ["made"]


def test_people_may_be_granted_to_read_by_a_set_that_lets_nobody_edit(opened, bare):
    list(provide(opened()))
    sets = {one["Name"]: one["Id"] for one in bare.tables["PermissionSet"].alive()}
    granted = {
        name: {
            (one["PermissionsRead"], one["PermissionsEdit"])
            for one in bare.tables["FieldPermissions"].alive()
            if one["ParentId"] == sets[name]
        }
        for name in ("Tieout", "Tieout_Read")
    }
    assert granted == {"Tieout": {(True, True)}, "Tieout_Read": {(True, False)}}
    readers = bare.tables["PermissionSetAssignment"].having(
        "PermissionSetId", [sets["Tieout_Read"]]
    )
    assert list(readers) == []


def test_what_is_left_to_people_names_the_layouts_and_who_else_may_edit(opened, bare):
    session = opened()
    list(provide(session))
    (layouts,) = session.advice()
    assert "Page Layouts of Opportunity and Account" in layouts.said
    assert "Tieout_Read" in layouts.said

    deeds.show_field(bare, "Opportunity", "Tieout_Mark__c")  # by the profile of Tieout's own user
    assert len(session.advice()) == 1

    sales = bare.plant("PermissionSet", {"Name": "Sales", "Label": "Sales team"})
    profile = bare.plant("Profile", {"Name": "Seller"})
    owned = bare.plant("PermissionSet", {"Name": "X0", "Label": "X0", "ProfileId": profile})
    for set_, names in ((sales, ["Tieout_Mark__c", "Tieout_Invoice_Url__c"]), (owned, [MARK])):
        for name in names:
            field = {"SobjectType": "Opportunity", "Field": f"Opportunity.{name}"}
            grants = {"PermissionsRead": True, "PermissionsEdit": True}
            bare.plant("FieldPermissions", {**field, **grants, "ParentId": set_})
    guard, _ = session.advice()
    assert guard.held is False
    assert guard.said == (
        "Take it from them: the permission set Sales team may edit "
        "Opportunity.Tieout_Invoice_Url__c, Opportunity.Tieout_Mark__c; the profile Seller may "
        "edit Opportunity.Tieout_Mark__c."
    )
    assert guard in session.rights()
