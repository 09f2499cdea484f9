"""A pair in the shadow reads, maps and plans for weeks; it posts nothing and tells nothing."""

from datetime import date

import pytest
from past import make_past
from shadow_show import BEGINS, show
from simulated_world import buy, open_world

from tieout.model.errors import Rejected
from tieout.simulator.clock import SimulatedClock


@pytest.fixture
def watching(world):
    """Return the engine of a pair that would post by itself, were it not in the shadow."""
    return world.restart(shadow=True)


@pytest.fixture
def by_hand(world):
    """Return a function that lets an accountant write an invoice; it returns its id."""
    customers = {}

    def make(name, *lines, **more):
        if name not in customers:
            body = {"DisplayName": name, "CurrencyRef": {"value": "EUR"}}
            customers[name] = world.books("create", kind="Customer", body=body)["Id"]
        rows = [{"item": "1", "tax_code": "1", **line} for line in lines or [{"amount": "300.00"}]]
        given = {"customer": customers[name], "lines": rows, "day": "2026-03-31", **more}
        return world.books("create_invoice", **given)["Id"]

    return make


@pytest.fixture
def both(world, sold, by_hand):
    """Return a function that makes a deal and the invoice that a person made of it."""

    def make(name="Bär GmbH", *lines, po_number="PO-0001", day="2026-03-31", **values):
        deal = sold(company=buy(world, name), **values)
        return deal, by_hand(name, *lines, po_number=po_number, day=day)

    return make


def fields_of(report):
    return {one["field"] for each in report["compared"] for one in each["differences"]}


def weighing(report):
    return {
        one["field"]: (one["ours"], one["theirs"])
        for each in report["compared"]
        for one in each["differences"]
        if one["weighs"]
    }


def state_of(world):
    """What both sides hold that a round could have changed."""
    told = [deal["custom"] for deal in world.crm_truth()["deals"]]
    books = world.books_truth()
    return told, {name: books[name] for name in ("invoices", "customers", "items", "payments")}


def test_weeks_in_the_shadow_post_nothing_and_tell_nothing(world, watching, both, sold):
    deal, _ = both()
    sold(company=buy(world, "Ås AS"))
    before = state_of(world)
    world.round(3)
    world.crm("edit_deal", deal, {"closedate": "2026-04-01T10:00:00Z"})
    done = world.round(2)
    assert done.shadow
    assert state_of(world)[1] == before[1]
    assert {name for told in state_of(world)[0] for name in told if name.startswith("tieout_")} == {
        name for told in before[0] for name in told if name.startswith("tieout_")
    }
    assert world.told(deal, "invoice_status") is None


def test_a_plan_in_the_shadow_cannot_be_approved(world, watching, sold):
    sold()
    world.round()
    [plan] = [one for one in watching.plan(look=False) if one["kind"] == "invoice"]
    assert plan["state"] == "planned"
    with pytest.raises(Rejected, match="in the shadow"):
        watching.approve(plan["hash"], who="ann")


def test_the_setting_alone_ends_no_shadow(world, watching, sold):
    """Whoever edits the file posts nothing by that: going live is a step of its own."""
    sold()
    world.round()
    world.restart(shadow=False)
    world.round(2)
    assert world.invoices() == []
    world.working.go_live("main", who="ann", reason="ready")
    world.round()
    assert len(world.invoices()) == 1


def test_a_pair_that_went_live_stays_so_although_the_setting_still_says_shadow(
    world, watching, sold
):
    world.round()
    watching.go_live("main", who="ann", reason="ready")
    sold()
    world.restart(shadow=True)
    world.round()
    assert len(world.invoices()) == 1


def test_a_pair_can_watch_again_once_its_setting_has_said_live(world, watching, sold):
    world.round()
    watching.go_live("main", who="ann", reason="ready")
    world.restart(shadow=False)
    world.round()
    world.restart(shadow=True)
    sold()
    world.round(2)
    assert world.invoices() == []


def test_an_invoice_that_people_made_alike_differs_in_words_only(world, watching, both):
    _, invoice = both("Bär GmbH", {"amount": "300.00", "description": "Consulting"})
    net_30 = next(
        row.id for row in world.company.tables["Term"].rows.values() if row.body["Name"] == "Net 30"
    )
    world.books("edit", id=invoice, changes={"SalesTermRef": {"value": net_30}})
    watching.look()
    report = watching.shadow("main")
    assert weighing(report) == {}
    assert fields_of(report) == {"memo", "message", "lines[0].quantity", "lines[0].unit_price"}
    figures = report["figures"]
    assert (figures["same"], figures["words_only"], figures["different"]) == (0, 1, 0)
    assert figures["ours"]["compared"] == figures["theirs"]["compared"]


def test_each_difference_names_the_line_of_the_mapping_that_made_our_value(world, watching, both):
    both("Bär GmbH", {"amount": "290.00", "tax_code": "2"}, day="2026-04-03")
    watching.look()
    report = watching.shadow("main")
    assert weighing(report) | {"date": ("2026-03-31", "2026-04-03")} == weighing(report)
    assert weighing(report)["net"] == ("300", "290")
    assert weighing(report)["total"] == ("357", "310.3")
    assert weighing(report)["lines[0].tax_code"] == ("S19", "S7")
    [each] = report["compared"]
    causes = {one["field"]: one["cause"] for one in each["differences"]}
    [cause] = causes["date"]
    assert "date = 2026-03-31 (line 48: =deal.close_date" in cause["says"]
    assert any("unit_price" in one["says"] for one in causes["net"])
    assert all(causes[name] for name in ("lines[0].tax_code", "lines[0].amount", "terms"))


def test_invoices_of_other_lines_are_compared_by_what_each_tax_code_comes_to(world, watching, both):
    lines = [{"amount": "100.00"}, {"amount": "200.00", "tax_code": "3"}]
    both("Bär GmbH", *lines)
    watching.look()
    report = watching.shadow("main")
    assert weighing(report)["lines.S19"] == ("300", "100")
    assert weighing(report)["lines.Z"] == (None, "200")
    assert "lines" in fields_of(report)


def test_another_customer_than_ours_is_shown_by_name(world, watching, sold, by_hand):
    sold(company=buy(world, "Bär GmbH"))
    by_hand("Baer & Co", po_number="PO-0001")
    watching.look()
    assert weighing(watching.shadow("main"))["customer"] == ("new: customer Bär GmbH", "Baer & Co")


def test_why_ours_would_be_held_stands_beside_it(world, watching, both):
    both(amount="999.00")
    watching.look()
    [each] = watching.shadow("main")["compared"]
    assert each["held"] == ["The lines and the deal amount disagree."]


def test_what_is_older_is_left_out(world, watching, both):
    both("Bär GmbH", day="2026-03-31")
    both("Ås AS", po_number="PO-0002", day="2026-04-02")
    watching.look()
    since = watching.shadow("main")["since"]
    assert since == "2026-01-01"
    late = watching.shadow("main", date(2026, 4, 1))
    assert [one["record"]["date"] for one in late["compared"]] == ["2026-04-02"]


def test_the_sums_of_both_sides_tie_in_each_currency(world, watching):
    past = make_past(world, invoices=24, without_deal=4, deals_without_invoice=3)
    watching.look()
    figures = watching.shadow("main")["figures"]
    sides = world.books_truth()["invoices"]
    assert figures["theirs"]["all"]["n"] == len(sides) == 24
    assert figures["ours"]["all"]["n"] == len(past.habits) + len(past.deals)
    assert figures["theirs"]["only_books"]["n"] == len(past.invoices)
    assert figures["ours"]["only_crm"]["n"] == len(past.deals)
    assert figures["theirs"]["compared"]["n"] == figures["ours"]["compared"]["n"]


def test_going_live_is_refused_while_a_link_waits(world, watching, both):
    both()
    world.round()
    with pytest.raises(Rejected, match="1 deals of main have an invoice made by hand"):
        watching.go_live("main", who="ann", reason="ready")
    assert watching.status()["pairs"][0]["mode"] == "shadow"


def test_after_going_live_what_was_linked_is_not_posted_again(
    world, watching, both, sold, ties_out
):
    deal, invoice = both()
    sold(company=buy(world, "Ås AS"))
    world.round(2)
    report = watching.backfill("main")
    watching.confirm_links(report["hashes"]["certain"], who="ann", reason="seen")
    assert watching.shadow("main")["figures"]["ours"]["compared"]["n"] == 1
    watching.go_live("main", who="ann", reason="a quiet fortnight")
    world.round(2)
    assert len(world.invoices()) == 2
    assert world.told(deal, "invoice_number") == "1001"
    assert [one["id"] for one in world.invoices() if one["by_hand"]] == [invoice]
    ties_out(world)


def test_with_links_left_open_a_twin_stays_asked_about(world, watching, both, ties_out):
    _, invoice = both()
    world.round()
    assert watching.go_live("main", who="ann", reason="ready", leave_open=True) == 1
    world.round(2)
    assert ([one["id"] for one in world.invoices()], world.codes()) == ([invoice], ["twin?"])
    ties_out(world)


def test_a_person_s_word_that_it_is_another_one_lets_the_pair_go_live(world, watching, both):
    both()
    world.round()
    world.answer("twin?", "create")
    world.round()
    assert watching.go_live("main", who="ann", reason="ready") == 0
    world.round()
    assert len(world.invoices()) == 2


def test_going_live_is_one_commit_with_who_and_why_and_happens_once(world, watching, sold):
    sold()
    world.round()
    before = watching.ledger.commits
    watching.go_live("main", who="ann", reason="a quiet fortnight")
    assert watching.ledger.commits == before + 1
    line = watching.ledger.all("journal_of", subject="main")[-1]
    assert (line["who"], line["what"]) == ("ann", "went live")
    assert "a quiet fortnight" in line["detail"]
    with pytest.raises(Rejected, match="posts already"):
        watching.go_live("main", who="ann", reason="again")


def test_some_days_in_the_shadow_are_told_as_they_were_and_nothing_is_made_twice(tmp_path):
    """The whole fortnight: make shadow-show."""
    clock = SimulatedClock(BEGINS)
    with open_world(tmp_path, clock) as world:
        shown = show(world, clock, days=4)
    assert [line for line in shown.lines if line[1] != line[2]] == []
