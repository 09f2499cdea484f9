"""The whole set in a role, in HubSpot's order; a short answer is never an empty set."""

import pytest
from foreign_server import Bent

from tieout.model.errors import Unavailable, Unsupported
from tieout.model.ref import Ref
from tieout.simulator.hubspot import deeds


@pytest.fixture
def ref(hubspot):
    return lambda kind, record_id: Ref(hubspot.company, kind, str(record_id))


def ids(related):
    return [ref.id for ref in related.refs]


def test_lines_stand_by_their_position_blanks_last_then_by_id(hubspot, portal, ref):
    deal = portal.deal()
    blank = portal.line(deal)
    tenth = portal.line(deal, hs_position_on_quote="10")
    second = portal.line(deal, hs_position_on_quote="2")
    twin = portal.line(deal, hs_position_on_quote="2")
    blank_too = portal.line(deal)
    (lines,) = hubspot.related([ref("deal", deal)], "line_items")
    assert ids(lines) == [second, twin, tenth, blank, blank_too]


def test_lines_come_with_their_records(hubspot, portal, ref):
    deal = portal.deal(lines=[{"name": "Licence", "quantity": "2"}])
    (lines,) = hubspot.related([ref("deal", deal)], "line_items")
    assert [lines.records[line].fields["name"] for line in lines.refs] == ["Licence"]


def test_a_deal_without_lines_has_none_since_hubspot_says_so(hubspot, portal, ref):
    (lines,) = hubspot.related([ref("deal", portal.deal())], "line_items")
    assert (lines.refs, lines.error) == ((), None)


def test_the_company_is_the_one_that_is_called_primary(hubspot, portal, ref):
    deal, first, second = portal.deal(), portal.company(), portal.company()
    portal.link(("deals", "companies"), int(deal), first)
    portal.link(("deals", "companies"), int(deal), second, primary=True)
    (companies,) = hubspot.related([ref("deal", deal)], "company")
    assert sorted(ids(companies)) == sorted([str(first), str(second)])
    assert companies.primary == ref("company", second)


def test_without_a_primary_the_only_company_stands(hubspot, portal, ref):
    deal, company = portal.deal(), portal.company()
    portal.link(("deals", "companies"), int(deal), company)
    (companies,) = hubspot.related([ref("deal", deal)], "company")
    assert companies.primary == ref("company", company)


def test_of_two_companies_without_a_primary_none_stands(hubspot, portal, ref):
    deal = portal.deal()
    for _ in range(2):
        portal.link(("deals", "companies"), int(deal), portal.company())
    (companies,) = hubspot.related([ref("deal", deal)], "company")
    assert (len(companies.refs), companies.primary) == (2, None)


def test_a_deal_with_more_lines_than_a_page_shows_has_them_all(hubspot, portal, ref):
    portal.association_page = 3
    deal = portal.deal(lines=[{"hs_position_on_quote": str(n)} for n in range(10)])
    other = portal.deal(lines=[{}])
    many, one = hubspot.related([ref("deal", deal), ref("deal", other)], "line_items")
    assert (len(many.refs), len(one.refs)) == (10, 1)
    assert hubspot.calls["associations deals/line_items/batch/read"] == 4


def test_a_thousand_deals_are_one_association_read(hubspot, portal, ref):
    company = portal.company()
    deals = [ref("deal", portal.deal(company=company)) for _ in range(1001)]
    answers = list(hubspot.related(deals, "company"))
    assert [answer.ref for answer in answers] == deals
    assert {answer.primary for answer in answers} == {ref("company", company)}
    assert hubspot.calls == {"associations deals/companies/batch/read": 2}


def test_a_server_that_refuses_so_many_links_is_asked_for_fewer(opened, portal, front, ref):
    deals = [ref("deal", portal.deal(lines=[{}])) for _ in range(210)]
    front.app = bent = Bent(front.app)

    def refuse(exchange):
        if "/associations/" in exchange.path and len(exchange.asked["inputs"]) > 100:
            exchange.status, exchange.told = 400, {"category": "VALIDATION_ERROR"}

    bent.refusals.append(refuse)
    answers = list(opened().related(deals, "line_items"))
    assert [answer.ref for answer in answers if len(answer.refs) == 1] == deals


def test_a_deal_that_the_answer_leaves_out_is_asked_for_alone(hubspot, portal, ref):
    deals = [ref("deal", portal.deal(lines=[{}])) for _ in range(3)]
    portal.faults.add(fault="drop_item", path="/associations/")
    answers = list(hubspot.related(deals, "line_items"))
    assert [len(answer.refs) for answer in answers] == [1, 1, 1]


def test_a_deal_that_is_left_out_and_not_answered_alone_is_not_known(hubspot, portal, ref):
    deals = [ref("deal", portal.deal(lines=[{}])) for _ in range(3)]
    portal.faults.add(fault="drop_item", path="/associations/.*/batch/read$")
    portal.faults.add(fault="refuse", path="/associations/line_items$", count=None)
    answers = list(hubspot.related(deals, "line_items"))
    assert sorted(answer.error is None for answer in answers) == [False, True, True]


def test_a_line_that_is_not_read_blocks_its_deal_only(hubspot, portal, ref):
    deals = [ref("deal", portal.deal(lines=[{}, {}])) for _ in range(3)]
    portal.faults.add(fault="drop_item", path="/objects/.*/line_items/batch/read")
    portal.faults.add(fault="refuse", path="/line_items/[0-9]+$", count=None)
    answers = list(hubspot.related(deals, "line_items"))
    assert sorted(len(answer.refs) for answer in answers if answer.error is None) == [2, 2]
    (blocked,) = (answer for answer in answers if answer.error is not None)
    assert (blocked.refs, type(blocked.error)) == ((), Unavailable)


def test_a_refused_read_is_every_deals_error(hubspot, portal, ref):
    deals = [ref("deal", portal.deal(lines=[{}])) for _ in range(2)]
    portal.faults.add(fault="refuse", path="/associations/", count=None)
    answers = list(hubspot.related(deals, "line_items"))
    assert [type(answer.error) for answer in answers] == [Unavailable, Unavailable]


def test_the_owner_comes_with_its_record_and_costs_one_list(opened, portal, read_all):
    portal.hire("7", "ada@nordlys.example", firstName="Ada")
    owned, free = portal.deal(hubspot_owner_id="7"), portal.deal()
    session = opened(reads={"deal": frozenset({"name"}), "owner": frozenset({"full_name"})})
    events, _ = read_all(session, "deal")
    first, second = session.related([event.ref for event in events], "owner")
    assert (first.ref.id, first.records[first.primary].fields["full_name"]) == (owned, "Ada")
    assert (second.ref.id, second.refs, second.error) == (free, (), None)
    assert "objects deals/batch/read" not in session.calls


def test_owners_are_not_listed_where_no_mapping_uses_a_field_of_theirs(opened, portal, read_all):
    """A key may lack their scope; that a deal has one is known all the same."""
    deal = portal.deal(hubspot_owner_id="7")
    session = opened(reads={"deal": frozenset({"name"}), "owner": frozenset()})
    read_all(session, "deal")
    (owner,) = session.related([Ref(session.company, "deal", deal)], "owner")
    assert owner.primary == Ref(session.company, "owner", "7")
    assert not [call for call in session.calls if "owners" in call]


def test_the_owner_of_a_deal_that_was_not_read_yet_is_read(opened, portal):
    portal.hire("7", "ada@nordlys.example")
    deal = portal.deal(hubspot_owner_id="7")
    session = opened(reads={"deal": frozenset({"name"}), "owner": frozenset({"email"})})
    (owner,) = session.related([Ref(session.company, "deal", deal)], "owner")
    assert owner.primary == Ref(session.company, "owner", "7")


@pytest.mark.parametrize(
    ("pair", "kind", "role"),
    [
        (("line_items", "deals"), "line_item", "deal"),
        (("commerce_payments", "deals"), "payment", "deal"),
        (("companies", "deals"), "company", "deal"),
        (("deals", "contacts"), "deal", "contact"),
    ],
)
def test_every_direction_that_mappings_use_is_known(hubspot, portal, ref, pair, kind, role):
    source = portal.create(pair[0], {"closedate": "2026-02-01T00:00:00Z"} if kind == "deal" else {})
    target = portal.create(pair[1], {})
    portal.link(pair, source.id, target.id)
    (found,) = hubspot.related([ref(kind, source.id)], role)
    assert ids(found) == [str(target.id)]


def test_a_role_that_there_is_not_is_unsupported(hubspot, ref):
    (answer,) = hubspot.related([ref("deal", 1)], "nephew")
    assert isinstance(answer.error, Unsupported)


def test_a_refused_entry_is_that_deals_error(hubspot, portal, ref):
    deals = [ref("deal", portal.deal(lines=[{}])) for _ in range(2)]
    portal.faults.transformers["refuse_first"] = lambda _asked, right, _dice: {
        **right,
        "results": right["results"][1:],
        "errors": [
            {
                "category": "VALIDATION_ERROR",
                "message": "odd",
                "context": {"fromObjectId": [right["results"][0]["from"]["id"]]},
            }
        ],
    }
    portal.faults.add(fault="refuse_first", path="/associations/")
    refused, read = hubspot.related(deals, "line_items")
    assert refused.error.vendor_words == "odd"
    assert len(read.refs) == 1


def test_a_line_that_is_archived_while_it_is_read_blocks_its_deal(hubspot, portal, ref):
    """Its link was answered, its record was not there any more: the next round sees both gone."""
    deal = portal.deal()
    line = portal.line(deal)
    portal.faults.transformers["archive"] = lambda _asked, right, _dice: (
        portal.archive("line_items", portal.find("line_items", line)) and right
    )
    portal.faults.add(fault="archive", path="/associations/")
    (answer,) = hubspot.related([ref("deal", deal)], "line_items")
    assert isinstance(answer.error, Unavailable)
    assert "archived" in str(answer.error)


PAYER = 'company labelled "Paying company"'


@pytest.fixture
def payers(portal):
    """A deal with a primary company and another that pays."""
    deeds.define_label(portal, "deals", "companies", "Paying company", "Pays for")
    primary, payer = portal.company(), portal.company()
    deal = portal.deal(company=primary)
    deeds.label(portal, "deals", deal, "companies", str(payer), "Paying company")
    return deal, str(primary), str(payer)


def test_a_label_names_the_company_that_pays_beside_the_primary_one(hubspot, ref, payers):
    deal, primary, payer = payers
    (companies,) = hubspot.related([ref("deal", deal)], "company")
    assert (set(ids(companies)), companies.primary) == ({primary, payer}, ref("company", primary))
    (paying,) = hubspot.related([ref("deal", deal)], PAYER)
    assert (ids(paying), paying.primary, paying.role) == ([payer], ref("company", payer), PAYER)


def test_a_label_is_known_whatever_its_capitals(hubspot, ref, payers):
    (paying,) = hubspot.related([ref("deal", payers[0])], 'company labelled "paying COMPANY"')
    assert ids(paying) == [payers[2]]


def test_a_label_may_be_hubspots_own(hubspot, ref, payers):
    (companies,) = hubspot.related([ref("deal", payers[0])], 'company labelled "Primary"')
    assert ids(companies) == [payers[1]]


def test_nobody_with_a_label_that_there_is_is_an_empty_set(hubspot, portal, ref, payers):
    bare, none = portal.deal(company=portal.company()), portal.deal()
    found = [ids(one) for one in hubspot.related([ref("deal", one) for one in (bare, none)], PAYER)]
    assert found == [[], []]
    assert hubspot.calls["associations deals/companies/labels"] == 1


def test_no_labels_are_asked_for_where_one_is_borne(hubspot, ref, payers):
    list(hubspot.related([ref("deal", payers[0])], PAYER))
    assert dict(hubspot.calls) == {"associations deals/companies/batch/read": 1}


def test_a_label_that_was_renamed_is_an_error_and_no_empty_set(hubspot, portal, ref, payers):
    known = portal.links.labels["deals", "companies"]
    known[max(known)] = "Payer"
    (paying,) = hubspot.related([ref("deal", payers[0])], PAYER)
    assert isinstance(paying.error, Unsupported)
    assert paying.error.what == (
        "The portal has no label “Paying company” from a deal to a company; there are: Primary, "
        "Payer."
    )


def test_a_pair_without_any_label_says_so(hubspot, portal, ref):
    deal = portal.deal()
    (contacts,) = hubspot.related([ref("deal", deal)], 'contact labelled "Billing contact"')
    assert "there is none" in contacts.error.what


def test_of_two_with_a_label_the_primary_one_stands_or_none(hubspot, portal, ref, payers):
    deal, primary, _ = payers
    other = str(portal.company())
    deeds.label(portal, "deals", deal, "companies", other, "Paying company")
    (paying,) = hubspot.related([ref("deal", deal)], PAYER)
    assert (len(paying.refs), paying.primary) == (2, None)
    deeds.label(portal, "deals", deal, "companies", primary, "Paying company")
    (paying,) = hubspot.related([ref("deal", deal)], PAYER)
    assert (len(paying.refs), paying.primary) == (3, ref("company", primary))


def test_what_is_no_association_has_no_label(hubspot, ref, payers):
    for role in ("owner", "files"):
        (answer,) = hubspot.related([ref("deal", payers[0])], f'{role} labelled "Seller"')
        assert isinstance(answer.error, Unsupported)


def test_labels_that_are_not_answered_are_no_empty_set(hubspot, portal, ref, payers):
    portal.faults.add(fault="status", status=503, path="/labels$", count=None)
    (paying,) = hubspot.related([ref("deal", portal.deal())], PAYER)
    assert isinstance(paying.error, Unavailable)
