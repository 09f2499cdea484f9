"""Books that have a past: what people invoiced by hand is linked and never made a second time."""

from dataclasses import replace

import pytest
from backfill_show import show
from past import make_past
from simulated_world import buy, open_world, seller

from sync_engine.engine import Engine
from tieout.model.errors import NotFound, Rejected
from tieout.simulator.hubspot.schema import custom

TAX = "1"  # Germany's 19 %


@pytest.fixture
def begun(world):
    """Return the engine of a pair before its first round: to look posts nothing."""
    return world.restart()


@pytest.fixture
def customers():
    return {}


@pytest.fixture
def by_hand(world, customers):
    """Return a function that lets an accountant write an invoice; it returns its id."""

    def make(name, net="300.00", **more):
        if name not in customers:
            body = {"DisplayName": name, "CurrencyRef": {"value": "EUR"}}
            customers[name] = world.books("create", kind="Customer", body=body)["Id"]
        lines = [{"item": "1", "amount": net, "tax_code": TAX}]
        given = {"customer": customers[name], "lines": lines, "day": "2026-04-02", **more}
        return world.books("create_invoice", **given)["Id"]

    return make


@pytest.fixture
def deal(world, sold):
    """Return a function that lets a deal of a named company be won."""
    companies = {}

    def win(name, **values):
        if name not in companies:
            companies[name] = buy(world, name)
        return sold(company=companies[name], **values)

    return win


def pairs_of(links):
    return [(one["source"].partition(":")[2], one["record"]["id"]) for one in links]


def everything(world):
    """What the books hold, and how often anything was made in them."""
    told = world.books_truth()
    return {name: told[name] for name in ("invoices", "customers", "payments") if name in told}


def looked(engine):
    engine.look()
    return engine.backfill("main")


def confirm(engine, report, which="certain"):
    return engine.confirm_links(report["hashes"][which], who="ann", reason="seen")


def test_an_order_number_finds_a_certain_link(begun, deal, by_hand):
    one, other = deal("Bär GmbH"), deal("Ås AS")
    found = [by_hand("Ås AS", po_number="PO-0002"), by_hand("Bär GmbH", po_number="PO-0001")]
    report = looked(begun)
    assert pairs_of(report["certain"]) == [(one, found[1]), (other, found[0])]
    assert {each["by"] for each in report["certain"]} == {"reference"}


def test_customer_amount_and_day_within_a_week_find_a_certain_link(begun, deal, by_hand):
    one = deal("Bär GmbH", closedate="2026-03-31T10:00:00Z")
    invoice = by_hand("Bär GmbH", day="2026-04-07")
    report = looked(begun)
    assert pairs_of(report["certain"]) == [(one, invoice)]
    assert report["certain"][0]["by"] == "customer, amount and date"


def test_a_day_further_away_is_likely_within_the_window_and_nothing_beyond(begun, deal, by_hand):
    near, far = deal("Bär GmbH"), deal("Ås AS")
    invoice, _ = by_hand("Bär GmbH", day="2026-04-20"), by_hand("Ås AS", day="2026-06-20")
    report = looked(begun)
    assert report["certain"] == []
    assert pairs_of(report["likely"]) == [(near, invoice)]
    assert report["likely"][0]["differences"] == ["date"]
    assert [one["source"] for one in report["missing"]["deals"]] == [f"deal:{far}"]


def test_a_reference_with_another_amount_is_likely_and_says_so(begun, deal, by_hand):
    one = deal("Bär GmbH")
    invoice = by_hand("Bär GmbH", "290.00", po_number="PO-0001")
    report = looked(begun)
    assert pairs_of(report["likely"]) == [(one, invoice)]
    assert report["likely"][0]["differences"] == ["amount"]


def test_an_amount_that_fits_with_the_tax_alone_is_likely_and_says_so(begun, deal, by_hand):
    """The deal comes to 357 before tax, and the invoice to 300."""
    one = deal("Bär GmbH", price="357.00", quantity="1")
    invoice = by_hand("Bär GmbH", "300.00")
    report = looked(begun)
    assert (report["certain"], pairs_of(report["likely"])) == ([], [(one, invoice)])
    assert report["likely"][0]["differences"] == ["amount"]


def test_several_that_fit_are_never_taken_by_themselves(begun, world, deal, by_hand):
    one = deal("Bär GmbH")
    fit = [by_hand("Bär GmbH", day="2026-04-02"), by_hand("Bär GmbH", day="2026-04-03")]
    report = looked(begun)
    assert (report["certain"], report["likely"]) == ([], [])
    [question] = report["questions"]
    assert [record["id"] for record in question["records"]] == fit
    assert report["hashes"] == {"certain": None, "shown": None}
    begun.link(f"deal:{one}", fit[1], who="ann", reason="the second")
    assert looked(begun)["questions"] == []


def test_two_deals_that_one_invoice_fits_are_asked_about(begun, deal, by_hand):
    deals = [deal("Bär GmbH"), deal("Bär GmbH")]
    by_hand("Bär GmbH")
    report = looked(begun)
    asked = [one["source"] for one in report["questions"]]
    assert asked == [f"deal:{one}" for one in deals]
    assert report["missing"] == {"deals": [], "invoices": []}


def test_a_monthly_sale_is_told_apart_by_its_day(begun, deal, by_hand):
    days = ["2026-02-03", "2026-03-03", "2026-04-03"]
    deals = [deal("Bär GmbH", closedate=f"{day}T10:00:00Z") for day in days]
    invoices = [by_hand("Bär GmbH", day=day) for day in days]
    assert pairs_of(looked(begun)["certain"]) == list(zip(deals, invoices, strict=True))


def test_what_a_stronger_clue_left_in_question_is_likely_at_most(begun, deal, by_hand):
    """Two invoices carry the order number; one of them is of the deal's amount."""
    one = deal("Bär GmbH")
    whole = by_hand("Bär GmbH", po_number="PO-0001")
    by_hand("Bär GmbH", "50.00", po_number="PO-0001")
    report = looked(begun)
    assert (report["certain"], pairs_of(report["likely"])) == ([], [(one, whole)])


def test_what_is_on_one_side_only_is_named_with_its_sums(begun, deal, by_hand):
    one, invoice = deal("Bär GmbH"), by_hand("Nord AG", "77.00")
    report = looked(begun)
    assert [each["source"] for each in report["missing"]["deals"]] == [f"deal:{one}"]
    assert [each["id"] for each in report["missing"]["invoices"]] == [invoice]
    figures = report["figures"]
    assert figures["deals"]["missing"] == {"n": 1, "sums": {"EUR": "300"}}
    assert figures["invoices"]["missing"] == {"n": 1, "sums": {"EUR": "77"}}


def test_an_invoice_before_the_cutover_is_no_missing_one(begun, by_hand):
    by_hand("Nord AG", day="2025-12-20")
    report = looked(begun)
    assert report["missing"]["invoices"] == []
    assert report["figures"]["invoices"]["before_cutover"]["n"] == 1


def test_a_deal_before_the_cutover_is_never_posted_nor_missing(begun, world, deal, by_hand):
    deal("Bär GmbH", closedate="2025-12-28T10:00:00Z")
    report = looked(begun)
    assert report["missing"]["deals"] == []
    assert world.invoices() == []


def test_the_report_creates_nothing_and_tells_the_crm_nothing(begun, world, deal, by_hand):
    one = deal("Bär GmbH")
    by_hand("Nord AG")
    before = everything(world)
    looked(begun)
    assert everything(world) == before
    assert world.told(one, "invoice_status") is None


def test_a_confirmed_link_is_the_deal_s_invoice_and_the_crm_hears_of_it(
    world, begun, deal, by_hand, ties_out
):
    one = deal("Bär GmbH")
    invoice = by_hand("Bär GmbH", po_number="PO-0001")
    assert confirm(begun, looked(begun)) == 1
    world.round(2)
    assert ([each["id"] for each in world.invoices()], world.codes()) == ([invoice], [])
    assert world.told(one, "invoice_number") == "1001"
    assert world.told(one, "invoice_status") == "invoiced"
    ties_out(world)


def test_what_is_missing_is_invoiced_and_what_is_linked_is_not(
    world, begun, deal, by_hand, ties_out
):
    deal("Bär GmbH")
    by_hand("Bär GmbH", po_number="PO-0001")
    deal("Ås AS")
    confirm(begun, looked(begun))
    world.round(2)
    assert (len(world.invoices()), world.codes()) == (2, [])
    ties_out(world)


def test_a_confirmation_is_one_commit_with_who_and_why(begun, deal, by_hand):
    for name, order in (("Bär GmbH", "PO-0001"), ("Ås AS", "PO-0002")):
        deal(name)
        by_hand(name, po_number=order)
    report = looked(begun)
    before = begun.ledger.commits
    assert confirm(begun, report) == 2
    assert begun.ledger.commits == before + 1
    line = begun.ledger.all("journal_of", subject="main")[-1]
    assert (line["who"], line["what"]) == ("ann", "backfilled")
    assert '"reason":"seen"' in line["detail"]
    [key, _] = [each["key"] for each in report["certain"]]
    said = [(each["who"], each["what"]) for each in begun.ledger.all("journal_of", subject=key)]
    assert ("ann", "linked") in said


def test_the_hash_of_what_is_shown_takes_the_likely_ones_too(begun, deal, by_hand):
    deal("Bär GmbH")
    by_hand("Bär GmbH", po_number="PO-0001")
    deal("Ås AS")
    by_hand("Ås AS", day="2026-04-20")
    assert confirm(begun, looked(begun), "shown") == 2
    report = looked(begun)
    assert (report["certain"], report["likely"], report["figures"]["invoices"]["all"]["n"]) == (
        [],
        [],
        0,
    )


@pytest.mark.parametrize("moved", ["invoice", "deal"])
def test_a_hash_falls_when_what_it_showed_moves(begun, world, deal, by_hand, moved):
    one = deal("Bär GmbH")
    invoice = by_hand("Bär GmbH", po_number="PO-0001")
    report = looked(begun)
    if moved == "invoice":
        world.books("edit", id=invoice, changes={"PrivateNote": "seen by Jo"})
    else:
        world.crm("edit_deal", one, {"closedate": "2026-04-01T10:00:00Z"})
    begun.look()
    with pytest.raises(NotFound, match="has moved"):
        confirm(begun, report)


def test_a_link_by_hand_takes_only_what_waits_and_what_a_person_made(begun, deal, by_hand):
    one = deal("Bär GmbH")
    invoice = by_hand("Nord AG", "290.00")
    begun.look()
    with pytest.raises(NotFound, match="no invoice 999"):
        begun.link(f"deal:{one}", "999", who="ann", reason="")
    begun.link(f"deal:{one}", invoice, who="ann", reason="another name")
    with pytest.raises(NotFound, match="waits for an invoice"):
        begun.link(f"deal:{one}", invoice, who="ann", reason="again")


def test_a_link_by_hand_closes_what_was_asked_about_its_invoice(world, begun, deal, by_hand):
    one, _ = deal("Bär GmbH"), deal("Bär GmbH")
    invoice = by_hand("Bär GmbH")
    begun.look()
    assert world.codes() == ["twin?", "twin?"]
    begun.link(f"deal:{one}", invoice, who="ann", reason="the first")
    begun.look()
    assert world.codes() == ["on-its-way"]  # the other deal, which is a sale of its own


def test_over_books_with_a_past_every_figure_is_the_truth_and_nothing_is_made_twice(world):
    """The same at its full size: make backfill-show."""
    past = make_past(world, invoices=40, without_deal=6, deals_without_invoice=4)
    assert [line for line in show(world, past).lines if line[1] != line[2]] == []


KNOWN_BEFORE = """\
  made_before:
    id: =deal.old_id
    number: =deal.old_number
    reference: =deal.id

  custom_fields:
"""


@pytest.fixture
def remembering(world, tmp_path):
    """Return the engine of a pair whose mapping says how an invoice made before is known."""
    file = world.files[0]
    for name in ("old_id", "old_number"):
        world.portal.define("deals", custom(name=name, label=name))
    text = file.read_text("utf-8").replace(
        "deal: { po_number: text", "deal: { old_id: text, old_number: text, po_number: text", 1
    )
    changed = tmp_path / file.name
    changed.write_text(text.replace("  custom_fields:\n", KNOWN_BEFORE, 1), "utf-8")
    world.files = (changed, *world.files[1:])
    return world.restart()


def test_an_id_or_a_number_that_the_crm_kept_finds_the_invoice(world, remembering, deal, by_hand):
    """Also under a customer of another name, which is then said."""
    invoices = [by_hand("Nord AG", day="2026-02-02"), by_hand("Nord AG", day="2026-02-03")]
    numbers = {one["id"]: one["doc_number"] for one in world.books_truth()["invoices"]}
    one = deal("Bär GmbH", old_id=invoices[0])
    other = deal("Ås AS", old_number=numbers[invoices[1]])
    report = looked(remembering)
    assert pairs_of(report["likely"]) == [(one, invoices[0]), (other, invoices[1])]
    assert [each["by"] for each in report["likely"]] == ["id", "number"]
    assert {tuple(each["differences"]) for each in report["likely"]} == {("customer",)}


def test_a_reference_of_the_mapping_finds_what_carries_it(remembering, deal, by_hand):
    one = deal("Bär GmbH", po_number=None)
    invoice = by_hand("Bär GmbH", po_number=one)
    assert pairs_of(looked(remembering)["certain"]) == [(one, invoice)]
    assert looked(remembering)["certain"][0]["by"] == "reference"


def test_an_invoice_that_deals_of_two_crms_claim_is_a_question_in_both(
    world, begun, deal, by_hand, tmp_path
):
    one, invoice = deal("Bär GmbH"), by_hand("Bär GmbH")
    other_path = tmp_path / "other"
    other_path.mkdir()
    with open_world(other_path, portal_id=456) as second, second.opened:
        other = seller(second)(company=buy(second, "Bär GmbH"), po_number="PO-9")
        crm = second.restart().pairs["main"].crm
        main = begun.pairs["main"]
        pairs = {"main": main, "second": replace(main, name="second", crm=crm)}
        both = Engine(begun.ledger, pairs, begun.hands)
        both.look()
        for name, asked in (("main", one), ("second", other)):
            report = both.backfill(name)
            assert [each["source"] for each in report["questions"]] == [f"deal:{asked}"]
            assert report["hashes"] == {"certain": None, "shown": None}
        [question] = both.backfill("second")["questions"]
        both.link(question["key"], invoice, who="ann", reason="it is the second's")
        report = both.backfill("main")
        assert [each["source"] for each in report["missing"]["deals"]] == [f"deal:{one}"]
        assert report["figures"]["invoices"]["all"]["n"] == 0


def test_before_both_sides_were_read_whole_nothing_is_told_to_be_missing(begun, deal):
    deal("Bär GmbH")
    for ask in (begun.backfill, begun.shadow):
        with pytest.raises(Rejected, match="never read whole"):
            ask("main")
