"""Writing: each change of a batch is done or refused alone, and what a refusal means."""

from decimal import Decimal

import pytest

from tieout.app.provisioning import provide
from tieout.model.change import Create, Update
from tieout.model.contract import Request
from tieout.model.errors import (
    Duplicate,
    InvalidField,
    NotFound,
    OutcomeUnknown,
    QuotaExhausted,
    RateLimited,
    Rejected,
    StaleVersion,
    Unauthorized,
)
from tieout.model.ref import Ref, Version
from tieout.simulator.dynamics365 import deeds
from tieout.simulator.dynamics365.org import Grant


@pytest.fixture
def told(dynamics):
    """Return a function that tells records something; it returns the outcomes."""

    def tell(*changes):
        requests = [
            Request(f"K{n}", Update(Ref(dynamics.company, kind, record), Version(version), values))
            for n, (kind, record, version, values) in enumerate(changes)
        ]
        (parcel,) = dynamics.prepare(requests)
        return dynamics.apply(parcel)

    return tell


def errors(outcomes):
    return [type(outcome.error) if outcome.error else None for outcome in outcomes]


def test_one_call_tells_a_thousand_deals(org, dynamics):
    deals = [org.deal() for _ in range(3)]
    requests = [
        Request(f"K{n}", Update(Ref(dynamics.company, "deal", deal), Version(""), {"name": "x"}))
        for n, deal in enumerate(deals * 400)
    ]
    parcels = dynamics.prepare(requests)
    assert sum(len(parcel.items) for parcel in parcels) == 1_200
    one_each = dynamics.prepare(
        [
            Request(
                f"K{n}", Update(Ref(dynamics.company, "deal", id_(n)), Version(""), {"name": "x"})
            )
            for n in range(1_001)
        ]
    )
    assert [len(parcel.items) for parcel in one_each] == [1_000, 1]


def id_(number):
    return f"00000000-0000-4000-8000-{number:012d}"


def test_what_was_told_is_kept_in_its_columns_own_types(org, told):
    deal = org.deal()
    [done] = told(
        (
            "deal",
            deal,
            "",
            {
                "invoice_status": "part-paid",
                "invoice_total": "357.10",
                "invoice_due_date": "2026-04-30",
            },
        )
    )
    assert done.error is None
    held = org.record("opportunity", deal).values
    assert held["tieout_invoice_status"] == 842170003
    assert held["tieout_invoice_total"] == Decimal("357.10")
    assert held["tieout_invoice_due_date"] == "2026-04-30"


def test_a_refused_change_stands_at_its_place_and_hides_no_other(org, told):
    first, second = org.deal(), org.deal()
    outcomes = told(
        ("deal", first, "", {"name": "Good"}),
        ("deal", id_(9), "", {"name": "Nobody"}),
        ("deal", second, "", {"name": "Good"}),
    )
    assert errors(outcomes) == [None, NotFound, None]


def test_no_update_makes_a_record(org, told):
    before = len(org.shelves["opportunity"].records)
    told(("deal", id_(9), "", {"name": "Nobody"}))
    assert len(org.shelves["opportunity"].records) == before


def test_a_version_that_moved_is_stale_and_nothing_is_written(org, told):
    company = org.company()
    read = f'W/"{org.record("account", company).version}"'
    org.edit("account", company, name="Other")
    assert errors(told(("company", company, read, {"name": "Mine"}))) == [StaleVersion]
    assert org.record("account", company).values["name"] == "Other"


def test_a_duplicate_rules_412_is_told_apart_from_a_version_that_moved(org, told):
    answer = {"error": {"code": "0x80040333", "message": "A record was not created or updated"}}
    outcome = told_while(org, told, org.deal(), 412, answer, [])
    assert type(outcome.error) is Duplicate


def test_a_value_of_another_record_in_a_unique_column_is_a_duplicate(org, told):
    first, second = org.deal(tieout_mark="MARK1"), org.deal()
    assert errors(told(("deal", second, "", {"mark": "MARK1"}))) == [Duplicate]
    assert org.record("opportunity", first).values["tieout_mark"] == "MARK1"


def test_a_plug_ins_refusal_keeps_its_words(org, told):
    deal = org.deal()
    deeds.plug_in(org, "opportunity", "Finance has locked this opportunity.")
    [outcome] = told(("deal", deal, "", {"name": "x"}))
    assert isinstance(outcome.error, Rejected)
    assert outcome.error.vendor_words == "Finance has locked this opportunity."


def test_a_closed_opportunity_that_refuses_writes_says_so(org, told):
    deal = org.deal()
    org.closed_refuses = True
    [outcome] = told(("deal", deal, "", {"invoice_number": "1"}))
    assert isinstance(outcome.error, Rejected)
    assert outcome.error.vendor_code == "0x80040515"
    assert "outcome: child" in outcome.error.next


def test_a_missing_privilege_is_named(org, told):
    deal = org.deal()
    org.grants = {org.token: Grant(frozenset({"prvReadOpportunity"}))}
    [outcome] = told(("deal", deal, "", {"name": "x"}))
    assert isinstance(outcome.error, Unauthorized)
    assert "prvWriteOpportunity" in outcome.error.vendor_words


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("0x80072322", RateLimited),
        ("0x80072321", RateLimited),
        ("0x80072326", RateLimited),
        ("0x80072560", QuotaExhausted),
        ("0x8007aaaa", QuotaExhausted),
    ],
)
def test_a_429_is_the_services_protection_by_its_code_and_else_the_entitlement(
    org, told, code, kind
):
    deal = org.deal()
    answer = {"error": {"code": code, "message": "Too much"}}
    outcome = told_while(org, told, deal, 429, answer, [("retry-after", "11")])
    assert type(outcome.error) is kind
    if kind is RateLimited:
        assert outcome.error.after_secs == 11


def test_a_signed_number_is_a_code_as_well(org, told):
    """Some answers write -2147015902 for 0x80072322."""
    answer = {"error": {"code": "-2147015902", "message": "Too much"}}
    outcome = told_while(org, told, org.deal(), 429, answer, [("retry-after", "3")])
    assert (type(outcome.error), outcome.error.after_secs) == (RateLimited, 3)


def told_while(org, told, deal, status, body, headers):
    """Tell a deal something while the service answers so."""
    from tieout.simulator import jsonwire
    from tieout.simulator.faults import Answer

    said = [("content-type", "application/json"), *headers]
    org.faults.spell = lambda _fault, _asked: Answer(status, said, jsonwire.dumps(body))
    org.faults.add(fault="status", status=status, path="batch", count=1)
    [outcome] = told(("deal", deal, "", {"name": "x"}))
    return outcome


def test_parts_without_an_answer_are_unknown_and_the_others_are_told(org, told):
    deals = [org.deal() for _ in range(3)]
    org.faults.add(fault="drop_item", path="batch", count=1)
    outcomes = told(*(("deal", deal, "", {"name": "x"}) for deal in deals))
    assert sorted(map(str, errors(outcomes))) == sorted(map(str, [None, None, OutcomeUnknown]))


def test_refusals_in_another_order_are_nobodys(org, told):
    """A refusal does not say of which record it is: two of them, mixed up, are unknown."""
    deal = org.deal()
    org.faults.transformers["turned"] = lambda _asked, right, _dice: {"value": right["value"][::-1]}
    org.faults.add(fault="turned", path="batch", count=1)
    outcomes = told(
        ("deal", deal, "", {"name": "x"}),
        ("deal", id_(8), "", {"name": "x"}),
        ("deal", id_(9), "", {"name": "x"}),
    )
    assert errors(outcomes) == [None, OutcomeUnknown, OutcomeUnknown]


@pytest.mark.parametrize(
    "values",
    [
        {"amount": "1.00"},
        {"currency": "EUR"},
        {"invoice_total": "much"},
        {"invoice_status": "splendid"},
        {"name": ["a", "b"]},
    ],
)
def test_what_no_call_can_carry_is_refused_before_it_is_sent(org, dynamics, values):
    change = Update(Ref(dynamics.company, "deal", org.deal()), Version(""), values)
    with pytest.raises(InvalidField):
        dynamics.prepare([Request("K1", change)])


# -- provision ----------------------------------------------------------------------------------


def test_provision_makes_what_is_missing_and_a_second_time_nothing(new_org, opened):
    org = new_org(provisioned=False)
    first = {one.values["name"]: one.state for one in provide(opened())}
    assert set(first.values()) == {"made", "there"}  # tables are tracked already
    assert first["tieout_mark_key"] == "made"
    columns = {name: len(table.columns) for name, table in org.tables.items()}
    assert {one.state for one in provide(opened())} == {"there"}
    assert {name: len(table.columns) for name, table in org.tables.items()} == columns
    solution = org.shelves["solution"].records.values()
    assert "tieout" in {one.values["uniquename"] for one in solution}


def test_provision_says_first_what_it_would_do(new_org, opened):
    org = new_org(provisioned=False)
    before = len(org.tables["opportunity"].columns)
    said = [one.instruction for one in provide(opened(), dry=True) if one.state == "by hand"]
    assert len(org.tables["opportunity"].columns) == before
    assert "column “Tieout mark” for deals, internal name tieout_mark" in said[2]


def test_change_tracking_is_a_persons_to_switch_on(org, opened):
    """It can never be taken back."""
    deeds.track(org, "account", on=False)
    [left] = [one for one in provide(opened()) if one.state == "by hand"]
    assert left.values["name"] == "account"
    assert "never off again" in left.why
    assert not org.tables["account"].tracked


def test_what_the_application_may_not_make_is_told_to_a_person(new_org, opened):
    org = new_org(provisioned=False)
    org.grants = {org.token: Grant(frozenset({"prvReadOpportunity"}))}
    states = {one.values["name"]: one.state for one in provide(opened())}
    assert states["tieout_mark"] == "by hand"


def test_a_column_is_made_within_our_solution(org, dynamics):
    values = {"object": "deal", "name": "tieout_more", "label": "More", "type": "text"}
    (parcel,) = dynamics.prepare([Request("K1", Create("column", values))])
    assert b"MSCRM.SolutionUniqueName: tieout" in parcel.body
    [outcome] = dynamics.apply(parcel)
    assert outcome.receipt.ref == Ref(dynamics.company, "column", "deal.tieout_more")


def test_columns_that_people_could_change_are_told_with_how_to_secure_them(dynamics, org):
    guard, forms = dynamics.advice()
    assert (guard.held, forms.name) == (None, "Forms")
    assert guard.said.startswith("tieout_mark, tieout_invoice_number")
    assert "Column security profiles" in guard.said
    assert guard in dynamics.rights()

    for name, column in org.tables["opportunity"].columns.items():
        column.secured = name.startswith("tieout_")
    dynamics._reading.forget_descriptions()
    assert [right.name for right in dynamics.advice()] == ["Forms"]
