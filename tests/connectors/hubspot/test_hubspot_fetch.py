"""Reading by address: a record, gone, merged, or not known; never a guess."""

from decimal import Decimal

import pytest

from connectors.hubspot.reading import READ_BATCH
from tieout.model.errors import Unauthorized, Unavailable, Unsupported
from tieout.model.record import Gone, MergedInto, Record, Unreadable
from tieout.model.ref import Ref


@pytest.fixture
def ref(hubspot):
    return lambda kind, record_id: Ref(hubspot.company, kind, str(record_id))


def fetched(session, refs):
    return list(session.fetch(refs))


def test_a_record_is_answered_under_its_address(hubspot, portal, ref):
    deal = ref("deal", portal.deal())
    (answer,) = fetched(hubspot, [deal])
    assert (answer.ref, answer.fields["amount"]) == (deal, Decimal("1900.00"))


def test_each_asked_has_one_answer_also_when_asked_twice(hubspot, portal, ref):
    ids = [portal.deal() for _ in range(READ_BATCH + 20)]
    asked = [ref("deal", one) for one in [*ids, ids[0], *ids[-3:]]]
    assert [answer.ref for answer in fetched(hubspot, asked)] == asked
    assert hubspot.calls["objects deals/batch/read"] == 2


def test_neighbours_that_share_a_record_cost_one_read_of_it(hubspot, portal, ref):
    company = portal.company()
    assert len(fetched(hubspot, [ref("company", company)] * 500)) == 500
    assert hubspot.calls["objects companies/batch/read"] == 1


def test_an_archived_record_is_gone_with_the_time(hubspot, portal, ref):
    deal = portal.deal()
    portal.archive("deals", portal.find("deals", deal))
    (answer,) = fetched(hubspot, [ref("deal", deal)])
    assert isinstance(answer, Gone)
    assert answer.evidence.startswith("archived at 20")


def test_an_id_that_never_was_is_gone_in_the_vendors_words(hubspot, portal, ref):
    (answer,) = fetched(hubspot, [ref("deal", 404)])
    assert answer == Gone(ref("deal", 404), "OBJECT_NOT_FOUND, and not among the archived")


def test_a_record_that_was_merged_into_one_that_is_archived_is_gone(hubspot, portal, ref):
    kept, other = portal.deal(), portal.deal()
    merged = portal.merge("deals", portal.find("deals", kept), portal.find("deals", other))
    portal.archive("deals", merged)
    answers = fetched(hubspot, [ref("deal", kept), ref("deal", other)])
    why = f"merged into {merged.id}, which was archived since"
    assert answers == [Gone(ref("deal", kept), why), Gone(ref("deal", other), why)]


def test_a_merged_record_is_answered_as_what_it_became(hubspot, portal, ref):
    kept, other = portal.deal(dealname="Kept"), portal.deal(dealname="Other")
    merged = portal.merge("deals", portal.find("deals", kept), portal.find("deals", other))
    answers = fetched(hubspot, [ref("deal", kept), ref("deal", other), ref("deal", merged.id)])
    assert [type(answer) for answer in answers] == [MergedInto, MergedInto, Record]
    assert {answer.into.ref for answer in answers[:2]} == {ref("deal", merged.id)}


def test_one_that_the_answer_leaves_out_is_asked_for_alone(hubspot, portal, ref):
    asked = [ref("deal", portal.deal()) for _ in range(3)]
    portal.faults.add(fault="drop_item", path="/batch/read$")
    assert [answer.ref for answer in fetched(hubspot, asked)] == asked
    assert hubspot.calls["objects deals one"] == 1


def test_one_that_is_left_out_and_not_answered_alone_is_not_known(hubspot, portal, ref):
    asked = [ref("deal", portal.deal()) for _ in range(3)]
    portal.faults.add(fault="drop_item", path="/batch/read$")
    portal.faults.add(fault="refuse", path="/deals/[0-9]+$", count=None)
    answers = fetched(hubspot, asked)
    assert sorted(type(answer).__name__ for answer in answers) == ["Record", "Record", "Unreadable"]
    (left_out,) = (answer for answer in answers if isinstance(answer, Unreadable))
    assert isinstance(left_out.error, Unavailable)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"fault": "refuse"}, Unavailable),
        ({"fault": "html"}, Unavailable),
        ({"fault": "cut_body"}, Unavailable),
        ({"fault": "status", "status": 500}, Unavailable),
        ({"fault": "status", "status": 401}, Unauthorized),
    ],
)
def test_a_read_that_fails_says_nothing_about_the_record(hubspot, portal, ref, fault, error):
    deal = ref("deal", portal.deal())
    portal.faults.add(path="/batch/read$", count=None, **fault)
    (answer,) = fetched(hubspot, [deal])
    assert isinstance(answer, Unreadable)
    assert isinstance(answer.error, error)


def test_a_read_that_fails_once_is_asked_again(hubspot, portal, ref):
    deal = ref("deal", portal.deal())
    portal.faults.add(fault="refuse", path="/batch/read$")
    assert [answer.ref for answer in fetched(hubspot, [deal])] == [deal]


def test_the_order_of_an_answer_does_not_matter(hubspot, portal, ref):
    asked = [ref("deal", portal.deal()) for _ in range(9)][::-1]
    portal.faults.add(fault="reorder", path="/batch/read$", count=None)
    assert [answer.ref for answer in fetched(hubspot, asked)] == asked


def test_owners_are_read_once_for_all(hubspot, portal, ref):
    portal.hire("7", "ada@nordlys.example", firstName="Ada", lastName="Byron")
    known, unknown = fetched(hubspot, [ref("owner", 7), ref("owner", 8)])
    assert known.fields["full_name"] == "Ada Byron"
    assert isinstance(unknown, Gone)
    assert hubspot.calls == {"owners": 1}


def test_a_kind_that_is_not_hubspots_is_not_readable(hubspot, ref):
    (answer,) = fetched(hubspot, [ref("ticket", 1)])
    assert isinstance(answer.error, Unsupported)


def test_kinds_can_be_mixed(hubspot, portal, ref):
    asked = [ref("deal", portal.deal()), ref("company", portal.company())]
    assert {answer.ref for answer in fetched(hubspot, asked)} == set(asked)


def test_a_text_that_is_not_of_its_type_stays_a_text(hubspot, portal, ref):
    deal = portal.deal()
    held = portal.find("deals", deal)
    odd = {**held.values, "amount": "1.900,00", "hs_is_closed_won": "yes", "closedate": "soon"}
    portal.shelves["deals"].keep(type(held)(held.id, odd, held.created, held.modified))
    (answer,) = fetched(hubspot, [ref("deal", deal)])
    named = ("amount", "is_won", "close_date")
    assert [answer.fields[name] for name in named] == ["1.900,00", "yes", "soon"]


def test_instants_and_days_may_be_milliseconds(hubspot):
    from connectors.hubspot.facts import facts
    from connectors.hubspot.reading import Field
    from connectors.hubspot.translation import Translator

    kind = facts().kinds["deal"]
    fields = [
        Field("due", "due", "date"),
        Field("close_date", "closedate", "date", from_instant=True),
        Field("far", "far", "instant"),
    ]
    told = {"due": "1774915200000", "closedate": "1774909800000", "far": "9" * 30}
    row = {"id": "1", "updatedAt": "2026-03-31T00:00:00Z", "properties": told}
    read = Translator(hubspot.company, kind, fields, lambda: "Europe/Oslo").record(row).fields
    assert str(read["due"]) == "2026-03-31"
    assert str(read["close_date"]) == "2026-03-31", "half past midnight in Oslo"
    assert read["far"] == "9" * 30


@pytest.mark.parametrize(
    ("told", "months"),
    [
        ("P12M", Decimal(12)),
        ("P1Y", Decimal(12)),
        ("P2Y6M", Decimal(30)),
        ("P12M0D", Decimal(12)),
        ("P6W", "P6W"),
        ("P1M15D", "P1M15D"),
        ("P0M", "P0M"),
        ("P", "P"),
        ("24", "24"),
        ("P\u0661M", "P\u0661M"),
        ("", None),
    ],
)
def test_a_period_of_whole_months_is_their_number_and_any_other_stays_a_text(hubspot, told, months):
    from connectors.hubspot.facts import facts
    from connectors.hubspot.translation import Translator

    kind = facts().kinds["line_item"]
    names = ("billing_term", "billing_term_months")
    fields = [kind.fields[name] for name in names]
    row = {
        "id": "1",
        "updatedAt": "2026-03-31T00:00:00Z",
        "properties": {"hs_recurring_billing_period": told},
    }
    read = Translator(hubspot.company, kind, fields, lambda: "Europe/Oslo").record(row).fields
    assert [read[name] for name in names] == [told or None, months]


def test_two_fields_of_one_property_are_asked_for_once(hubspot, portal, ref):
    bodies = []
    portal.faults.transformers["hear"] = lambda asked, right, _dice: (
        bodies.append(asked.body) or right
    )
    portal.faults.add(fault="hear", path="/line_items/batch/read$")
    line = portal.create("line_items", {"hs_recurring_billing_period": "P1Y"}).id
    (answer,) = fetched(hubspot, [ref("line_item", line)])
    assert answer.fields["billing_term_months"] == 12
    (asked,) = bodies
    assert str(asked).count("hs_recurring_billing_period") == 1


def test_an_entry_that_refuses_an_id_is_that_records_error(hubspot, portal, ref):
    """A batch's errors may name other reasons than a record that is not there."""
    asked = [ref("deal", portal.deal()), ref("deal", portal.deal())]
    portal.faults.transformers["refuse_first"] = lambda _asked, right, _dice: {
        **right,
        "results": right["results"][1:],
        "errors": [
            {
                "category": "MISSING_SCOPES",
                "message": "not for you",
                "context": {"ids": [right["results"][0]["id"]]},
            }
        ],
    }
    portal.faults.add(fault="refuse_first", path="/batch/read$")
    refused, read = fetched(hubspot, asked)
    assert isinstance(refused.error, Unauthorized)
    assert refused.error.vendor_words == "not for you"
    assert read.ref == asked[1]


@pytest.mark.parametrize(
    "wrong", [[], {}, {"results": 1}, {"results": [{}]}, {"results": [{"id": None}]}]
)
def test_an_answer_of_another_form_says_nothing(hubspot, portal, ref, wrong):
    portal.faults.transformers["other_form"] = lambda _asked, _right, _dice: wrong
    portal.faults.add(fault="other_form", count=None)
    (answer,) = fetched(hubspot, [ref("deal", portal.deal())])
    assert isinstance(answer.error, Unavailable)
    with pytest.raises(Unavailable):
        hubspot.check()
