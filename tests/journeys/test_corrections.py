"""What is done about a deal that changed after its invoice was posted: chosen, approved, sent once."""

from decimal import Decimal

import pytest
from correct_show import is_right, show
from simulated_world import buy, seller

from sync_engine.standing import Choice, Way
from tieout.model.crediting import Extent
from tieout.model.errors import NotFound, Rejected


@pytest.fixture
def deal(world, sold):
    made = sold()
    world.round()
    assert len(world.invoices()) == 1
    return made


def correct(world, deal, way, extent=None, **more):
    choice = Choice(way, extent or Extent(), **more)
    return world.working.correct(f"deal:{deal}", choice, who="ann", reason="the customer asked")


def possible(world, deal):
    options = world.working.corrections(f"deal:{deal}")["options"]
    return [one["name"] for one in options if one["possible"]]


def credits_of(world):
    return [
        (one["net"], one["total"], one["balance"])
        for one in world.books_truth()["credit_memos"]
        if not one["deleted"]
    ]


def told(world, deal):
    return tuple(world.told(deal, name) for name in ("invoice_status", "invoice_balance"))


def test_a_lost_deal_s_invoice_is_voided_once_it_is_chosen(world, deal, ties_out):
    world.crm("lose", deal)
    world.round()
    assert world.codes() == ["reopened"]
    assert possible(world, deal) == ["void", "credit"]
    chosen = correct(world, deal, Way.VOID)
    assert (chosen["verb"], chosen["before"]["net"]) == ("void", "300")
    world.round(2)
    assert (world.invoices(), world.codes(), told(world, deal)[0]) == ([], [], "voided")
    ties_out(world)


def test_a_lost_deal_s_paid_invoice_is_credited_and_the_credit_waits(world, deal, ties_out):
    world.books("receive_payment", invoices={"1": None})
    world.crm("lose", deal)
    world.round()
    assert possible(world, deal) == ["credit"]
    correct(world, deal, Way.CREDIT)
    world.round(2)
    assert credits_of(world) == [(300, 357, 357)]
    assert world.codes() == []
    ties_out(world)


def test_a_credit_of_the_whole_is_applied_to_its_invoice(world, deal, ties_out):
    world.crm("lose", deal)
    world.round()
    correct(world, deal, Way.CREDIT)
    world.round(2)
    assert (credits_of(world), world.invoices()[0]["balance"]) == ([(300, 357, 0)], 0)
    assert (world.codes(), told(world, deal)) == ([], ("credited", "0"))
    [memo] = world.books_truth()["credit_memos"]
    assert memo["po_number"] == world.deal(deal)["po_number"]
    assert "[TIEOUT:" in memo["private_note"]
    ties_out(world)
    world.round(2)
    assert len(credits_of(world)) == 1


def test_nothing_is_sent_before_it_is_approved(world, deal, ties_out):
    engine = world.restart(approve="by_hand")
    world.crm("lose", deal)
    world.round()
    chosen = correct(world, deal, Way.CREDIT)
    world.round(2)
    assert (credits_of(world), world.codes()) == ([], ["approval", "reopened"])
    ties_out(world)
    engine.approve(chosen["hash"][:8], who="bob", reason="seen")
    world.round()
    assert (credits_of(world), world.codes()) == ([(300, 357, 0)], [])
    ties_out(world)


def test_what_the_books_would_refuse_cannot_be_chosen(world, deal):
    world.books("receive_payment", invoices={"1": "100.00"})
    world.crm("lose", deal)
    world.round()
    with pytest.raises(Rejected, match=r"100\.00 EUR of it is paid or credited"):
        correct(world, deal, Way.VOID)
    world.books("close_books", until="2026-04-30")
    with pytest.raises(Rejected, match=r"more than the 300\.00 EUR that is left"):
        correct(world, deal, Way.CREDIT, Extent(amount=Decimal("300.01")))


def line_of(world, deal):
    return world.deal(deal)["lines"][0]["id"]


def test_a_deal_that_comes_to_less_amends_its_unpaid_invoice(world, deal, ties_out):
    world.crm("edit_line", line_of(world, deal), {"quantity": "1"})
    world.crm("edit_deal", deal, {"amount": "150.00"})
    world.round()
    assert possible(world, deal) == [
        "amend",
        "void",
        "credit-to-deal",
        "credit",
        "credit-and-reissue",
    ]
    chosen = correct(world, deal, Way.AMEND)
    assert set(chosen["values"]) == {"lines", "prices"}
    world.round(2)
    assert [one["net"] for one in world.invoices()] == [150]
    assert (world.codes(), told(world, deal)) == ([], ("invoiced", "178.5"))
    ties_out(world)


def test_a_deal_that_comes_to_less_is_credited_down_to_it(world, deal, ties_out):
    world.books("receive_payment", invoices={"1": "100.00"})
    world.crm("edit_line", line_of(world, deal), {"quantity": "1"})
    world.crm("edit_deal", deal, {"amount": "150.00"})
    world.round()
    assert possible(world, deal) == ["credit-to-deal", "credit", "credit-and-reissue"]
    lines = world.working.deal_lines(f"deal:{deal}")
    correct(world, deal, Way.CREDIT, Extent(to=lines))
    world.round(2)
    assert credits_of(world) == [(150, Decimal("178.50"), 0)]
    assert (world.codes(), told(world, deal)) == ([], ("part-paid", "78.5"))
    ties_out(world)


def test_an_invoice_of_a_closed_period_is_credited_in_an_open_one(world, deal, ties_out):
    world.books("close_books", until="2026-06-30")
    world.crm("lose", deal)
    world.round()
    world.working.look()
    assert possible(world, deal) == ["credit"]
    correct(world, deal, Way.CREDIT)
    world.round(2)
    [memo] = world.books_truth()["credit_memos"]
    assert (memo["date"] > "2026-06-30", world.codes()) == (True, [])
    ties_out(world)


def test_another_customer_is_credited_and_issued_again(world, deal, ties_out):
    other = buy(world, "Neu GmbH")
    world.portal.link(("deals", "companies"), int(deal), int(other), primary=True)
    world.crm("edit_deal", deal, {"dealname": "For another"})
    world.round(2)
    assert world.codes() == ["changed-in-crm"]
    assert "amend" not in possible(world, deal)
    correct(world, deal, Way.CREDIT, reissue=True)
    world.round(3)
    assert [(one["net"], one["customer_name"]) for one in world.invoices()] == [
        (300, "Firma 1 GmbH"),
        (300, "Neu GmbH"),
    ]
    assert (credits_of(world), world.codes()) == ([(300, 357, 0)], [])
    assert told(world, deal) == ("invoiced", "357")
    ties_out(world)


def test_partial_credits_sum_to_the_invoice_and_never_exceed_it(world, sold, ties_out):
    lines = [
        {"name": "Consulting", "hs_sku": "C-1", "quantity": "1", "price": "100.01"},
        {"name": "Licence", "hs_sku": "L-9", "quantity": "3", "price": "33.33"},
    ]
    deal = sold(lines=lines, amount="200.00")
    world.round()
    world.crm("lose", deal)
    world.round()
    third = Extent(part=Decimal("33.3333"))
    for extent in (third, Extent(line=2, amount=Decimal("0.01")), third, Extent()):
        correct(world, deal, Way.CREDIT, extent)
        world.round(2)
        ties_out(world)
    assert [net for net, _, _ in credits_of(world)] == [
        Decimal("66.67"),
        Decimal("0.01"),
        Decimal("66.67"),
        Decimal("66.65"),
    ]
    with pytest.raises(Rejected, match="Nothing of it is left to credit"):
        correct(world, deal, Way.CREDIT)
    assert world.codes() == []


def test_a_correction_of_a_correction(world, deal, ties_out):
    """Credited in part, changed again, credited whole, won again, issued again, lost, voided."""
    line = line_of(world, deal)
    world.books("receive_payment", invoices={"1": "57.00"})
    world.crm("edit_line", line, {"quantity": "1"})
    world.crm("edit_deal", deal, {"amount": "150.00"})
    world.round()
    correct(world, deal, Way.CREDIT, Extent(to=world.working.deal_lines(f"deal:{deal}")))
    world.round(2)
    assert world.codes() == []
    ties_out(world)
    world.crm("edit_line", line, {"quantity": "4"})
    world.crm("edit_deal", deal, {"amount": "600.00"})
    world.round(2)
    assert world.codes() == ["changed-in-crm"]
    ties_out(world)
    correct(world, deal, Way.CREDIT, reissue=True)
    world.round(3)
    assert (len(credits_of(world)), world.codes()) == (2, [])
    assert [one["net"] for one in world.invoices()] == [300, 600]
    ties_out(world)
    world.crm("lose", deal)
    world.round(2)
    assert possible(world, deal) == ["void", "credit"]
    ties_out(world)
    correct(world, deal, Way.VOID)
    world.round(2)
    assert ([one["net"] for one in world.invoices()], world.codes()) == ([300], [])
    ties_out(world)


def test_a_deal_credited_whole_and_won_again_is_issued_again(world, deal, ties_out):
    world.crm("lose", deal)
    world.round()
    correct(world, deal, Way.CREDIT)
    world.round(2)
    world.crm("win", deal)
    world.round(2)
    assert world.codes() == ["credited"]
    ties_out(world)
    world.working.reissue(f"deal:{deal}", who="ann", reason="won after all")
    world.round(2)
    assert ([one["net"] for one in world.invoices()], world.codes()) == ([300, 300], [])
    ties_out(world)


def test_a_deleted_credit_is_a_task_again(world, deal, ties_out):
    world.crm("lose", deal)
    world.round()
    correct(world, deal, Way.CREDIT)
    world.round(2)
    [application] = world.books_truth()["payments"]
    world.books("delete", kind="Payment", id=application["id"])
    world.round()
    assert "deleted" in world.codes()
    ties_out(world)
    [memo] = world.books_truth()["credit_memos"]
    world.books("delete", kind="CreditMemo", id=memo["id"])
    world.round(2)
    assert world.codes() == ["deleted", "deleted", "reopened"]
    ties_out(world)


def test_a_choice_is_replaced_by_the_next_until_it_is_sent(world, deal, ties_out):
    engine = world.restart(approve="by_hand")
    world.crm("lose", deal)
    world.round()
    first = correct(world, deal, Way.CREDIT)
    second = correct(world, deal, Way.VOID)
    with pytest.raises(NotFound):
        engine.approve(first["hash"][:12], who="bob")
    engine.approve(second["hash"][:12], who="bob")
    world.round(2)
    assert (world.invoices(), credits_of(world), world.codes()) == ([], [], [])
    ties_out(world)


def test_what_moved_before_it_was_sent_loses_its_approval(world, deal, ties_out):
    engine = world.restart(approve="by_hand")
    world.crm("lose", deal)
    world.round()
    chosen = correct(world, deal, Way.VOID)
    engine.approve(chosen["hash"][:12], who="bob")
    world.books("receive_payment", invoices={"1": "100.00"})
    world.round(2)
    assert (len(world.invoices()), world.codes()) == (1, ["reopened"])
    [left] = world.working.corrections(f"deal:{deal}")["corrections"]
    assert (left["state"], left["reason"]) == ("skipped", "not-possible")
    ties_out(world)


def test_an_edit_in_between_that_changes_nothing_of_it_keeps_the_approval(world, deal, ties_out):
    """The books' version moved: it is planned again by itself, and sent as it was approved."""
    world.crm("lose", deal)
    world.round()
    correct(world, deal, Way.VOID)
    world.books("edit", id="1", changes={"CustomerMemo": {"value": "Thanks."}})
    world.round(2)
    assert (world.invoices(), world.codes()) == ([], [])
    ties_out(world)


def test_drift_is_ignored_with_a_reason_until_it_changes(world, deal, ties_out):
    world.crm("edit_deal", deal, {"closedate": "2026-04-01T10:00:00Z"})
    world.round()
    ignored = world.working.ignore_drift(
        f"deal:{deal}", who="ann", reason="one day does not matter"
    )
    world.round(2)
    assert (ignored, world.codes()) == (1, [])
    ties_out(world)


def test_a_credited_invoice_that_is_voided_by_hand_leaves_its_credit_owed(world, deal, ties_out):
    """The judge counts what was given back, whatever became of the invoice."""
    world.crm("lose", deal)
    world.round()
    correct(world, deal, Way.CREDIT, Extent(amount=Decimal("7.77")))
    world.round(2)
    world.crm("win", deal)
    [application] = world.books_truth()["payments"]
    world.books("delete", kind="Payment", id=application["id"])
    world.books("void", id="1")
    world.round(2)
    ties_out(world)


@pytest.mark.slow
def test_every_correction_from_its_drift_to_what_is_posted(tmp_path):
    """The whole table: make correct-show."""
    shown = list(show(tmp_path))
    assert [one for one in shown if not is_right([one])] == []


def mapped(world, *changes):
    """Write the mapping of deals otherwise."""
    text = world.files[0].read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    file = world.path / world.files[0].name
    file.write_text(text)
    world.files = (file, *world.files[1:])


def test_partial_credits_in_the_united_states_sum_to_the_tax_too(make_world, ties_out):
    """The last one bears what is left of the tax, which the books take from us (R13)."""
    world = make_world(country="US", home_currency="USD", multicurrency=False, utc_offset_hours=-8)
    mapped(world, ("US: *abroad", "US: { standard: TAX, reduced: TAX, none: NON }"))
    lines = [{"name": "Consulting", "hs_sku": "C-1", "quantity": "1", "price": "10.10"}]
    deal = seller(world)(lines=lines, amount="10.10", country="US")
    world.round()
    world.crm("lose", deal)
    world.round()
    for extent in (Extent(part=Decimal(33)), Extent(part=Decimal(33)), Extent()):
        correct(world, deal, Way.CREDIT, extent)
        world.round(2)
        ties_out(world)
    [invoice] = world.invoices()
    given_back = [one["total"] for one in world.books_truth()["credit_memos"]]
    assert (sum(given_back), invoice["balance"]) == (invoice["total"], 0)
    assert (len(given_back), world.codes()) == (3, [])


def test_an_invoice_whose_prices_hold_the_tax_is_credited_with_it(world, sold, ties_out):
    mapped(world, ("prices: exclusive", "prices: inclusive"))
    deal = sold(price="119.00", quantity="1")
    world.round()
    world.crm("lose", deal)
    world.round()
    correct(world, deal, Way.CREDIT)
    world.round(2)
    assert (credits_of(world), world.codes()) == ([(100, 119, 0)], [])
    ties_out(world, amount="total")


def test_a_merged_deal_s_invoice_is_credited_and_the_new_deal_invoiced(world, sold, ties_out):
    """HubSpot makes a new deal of the two: the old one's invoice is corrected under its own id."""
    one, two = sold(price="100.00"), sold(price="70.00", dealstage="appointmentscheduled")
    world.round()
    merged = world.crm("merge", "deals", one, two)
    world.crm("edit_deal", merged, {"amount": "340.00"})
    world.round()
    assert "merged?" in world.codes()
    assert possible(world, one) == ["void", "credit"]
    correct(world, one, Way.CREDIT)
    world.round(2)
    ties_out(world)
    world.answer("merged?", "create")
    world.round(2)
    assert ([one["net"] for one in world.invoices()], world.codes()) == ([200, 340], [])
    ties_out(world)


def test_an_archived_deal_s_invoice_is_voided(world, deal, ties_out):
    world.crm("archive", "deals", deal)
    world.working.reconcile("main")
    assert (world.codes(), possible(world, deal)) == (["deleted-in-crm"], ["void", "credit"])
    correct(world, deal, Way.VOID)
    world.round(2)
    assert (world.invoices(), world.codes()) == ([], [])
    ties_out(world)


def test_an_invoice_that_a_person_made_and_linked_is_amended_in_what_the_deal_changed(
    world, sold, ties_out
):
    """Its terms, its memo and whatever else they wrote stay as they are."""
    body = {"DisplayName": "Bär GmbH", "CurrencyRef": {"value": "EUR"}}
    customer = world.books("create", kind="Customer", body=body)["Id"]
    made = world.books(
        "create_invoice",
        customer=customer,
        lines=[{"item": "1", "amount": "300.00", "tax_code": "1"}],
        po_number="PO-0001",
        day="2026-03-31",
        note="Written by hand",
    )
    deal = sold(company=buy(world, "Bär GmbH"))
    world.round()
    world.answer("twin?", f"link:{made['Id']}")
    world.round()
    world.crm("edit_line", line_of(world, deal), {"quantity": "1"})
    world.crm("edit_deal", deal, {"amount": "150.00"})
    world.round()
    chosen = correct(world, deal, Way.AMEND)
    assert set(chosen["values"]) == {"lines", "prices"}
    world.round(2)
    [invoice] = world.invoices()
    assert (invoice["net"], invoice["private_note"]) == (150, "Written by hand")
    assert world.codes() == []
    ties_out(world)


def test_an_application_that_was_refused_is_asked_again_as_it_was_approved(world, deal, ties_out):
    world.restart(approve="by_hand")
    world.crm("lose", deal)
    world.round()
    chosen = correct(world, deal, Way.CREDIT)
    world.working.approve(chosen["hash"][:12], who="bob")
    world.fault("books", method="POST", path="/payment$", fault="refuse")
    world.round()
    world.books("edit", kind="Customer", id="1", changes={"Active": False})
    world.round(wait=True)
    assert (credits_of(world)[0][2], world.codes()) == (357, ["missing-reference"])
    ties_out(world)
    world.books("edit", kind="Customer", id="1", changes={"Active": True})
    world.answer("missing-reference", "retry")
    world.round(2)
    assert (credits_of(world), world.codes()) == ([(300, 357, 0)], [])
    ties_out(world)


@pytest.mark.parametrize(("kind", "named"), [("Customer", "customer 1"), ("Item", "item 1")])
def test_nothing_is_credited_that_names_what_is_inactive(world, deal, kind, named):
    """The books would refuse a new document of it (R30); a void names nothing anew."""
    world.crm("lose", deal)
    world.books("edit", kind=kind, id="1", changes={"Active": False})
    world.round()
    assert possible(world, deal) == ["void"]
    with pytest.raises(Rejected, match=f"Inactive in the books: {named}"):
        correct(world, deal, Way.CREDIT)


def test_another_currency_is_credited_and_issued_again_to_a_customer_of_that(world, deal, ties_out):
    world.crm("edit_deal", deal, {"deal_currency_code": "USD"})
    world.round(2)
    assert "amend" not in possible(world, deal)
    correct(world, deal, Way.CREDIT, reissue=True)
    world.round(4)
    assert [(one["net"], one["currency"]) for one in world.invoices()] == [
        (300, "EUR"),
        (300, "USD"),
    ]
    assert (credits_of(world), world.codes()) == ([(300, 357, 0)], [])
    ties_out(world)


def test_what_is_voided_to_be_issued_again_is_one_invoice_in_the_end(world, deal, ties_out):
    world.crm("edit_line", line_of(world, deal), {"quantity": "5"})
    world.crm("edit_deal", deal, {"amount": "750.00"})
    world.round()
    correct(world, deal, Way.VOID, reissue=True)
    world.round(3)
    assert ([one["net"] for one in world.invoices()], world.codes()) == ([750], [])
    assert told(world, deal) == ("invoiced", "892.5")
    ties_out(world)


def test_a_choice_that_is_given_again_is_taken_down_once(world, deal, ties_out):
    """A daemon that was killed while it granted the wish grants it again, perhaps after a round."""
    world.crm("lose", deal)
    world.round()
    half = Choice(Way.CREDIT, Extent(part=Decimal(50)))
    asked = {"who": "ann", "reason": "half", "asking": "1f"}
    world.working.correct(f"deal:{deal}", half, **asked)
    world.round(2)
    with pytest.raises(Rejected, match="chosen already, and is posted"):
        world.working.correct(f"deal:{deal}", half, **asked)
    world.round(2)
    assert [net for net, _, _ in credits_of(world)] == [150]
    ties_out(world)


def credited_by_hand(world, amount):
    sold = [{"item": "1", "amount": amount, "tax_code": "1"}]
    world.books("credit", customer="1", lines=sold, apply_to="1")


def test_what_a_person_credited_by_hand_is_not_credited_again(world, deal, ties_out):
    """Whether their credit corrects the invoice is theirs to say: who names an amount has seen it."""
    credited_by_hand(world, "300.00")
    world.crm("lose", deal)
    world.round()
    assert possible(world, deal) == []
    with pytest.raises(Rejected, match=r"357\.00 EUR of it is covered by a credit that a person"):
        correct(world, deal, Way.CREDIT)
    ties_out(world)
    correct(world, deal, Way.CREDIT, Extent(amount=Decimal(300)))
    world.round(2)
    assert [net for net, _, _ in credits_of(world)] == [300, 300]
    ties_out(world)


def test_beside_a_credit_by_hand_the_rest_is_credited_and_the_difference_stays_a_task(
    world, deal, ties_out
):
    credited_by_hand(world, "100.00")
    world.crm("lose", deal)
    world.round()
    correct(world, deal, Way.CREDIT)
    world.round(2)
    assert credits_of(world) == [(100, 119, 0), (200, 238, 0)]
    assert (world.invoices()[0]["balance"], world.codes()) == (0, ["reopened"])
    ties_out(world)


def test_a_credit_that_a_person_raised_leaves_less_to_credit(world, deal):
    """Credits never sum to more than their invoice, whoever wrote how much of them."""
    world.crm("lose", deal)
    world.round()
    correct(world, deal, Way.CREDIT, Extent(part=Decimal(50)))
    world.round(2)
    [application] = world.books_truth()["payments"]
    world.books("delete", kind="Payment", id=application["id"])
    [memo] = world.books_truth()["credit_memos"]
    [line, *_] = world.company.find("CreditMemo", memo["id"]).body["Line"]
    detail = {**line["SalesItemLineDetail"], "Qty": Decimal(1), "UnitPrice": Decimal(250)}
    raised = {**line, "Amount": Decimal(250), "SalesItemLineDetail": detail}
    world.books("edit", kind="CreditMemo", id=memo["id"], changes={"Line": [raised]})
    world.round()
    correct(world, deal, Way.CREDIT)
    world.round(2)
    assert [net for net, _, _ in credits_of(world)] == [250, 50]


def test_a_credit_of_ours_that_pays_another_invoice_is_no_gift_to_that(world, sold, ties_out):
    """A paid invoice was credited, and the customer's open credit is used on the next."""
    buyer = buy(world, "Bär GmbH")
    first, second = sold(company=buyer), sold(company=buyer, price="70.00")
    world.round()
    [paid, other] = [
        next(one for one in world.invoices() if one["net"] == net) for net in (300, 140)
    ]
    world.books("receive_payment", invoices={paid["id"]: None})
    world.crm("lose", first)
    world.round()
    correct(world, first, Way.CREDIT)
    world.round(2)
    [memo] = world.books_truth()["credit_memos"]
    both = [("CreditMemo", memo["id"]), ("Invoice", other["id"])]
    lines = [
        {"Amount": other["total"], "LinkedTxn": [{"TxnType": kind, "TxnId": one}]}
        for kind, one in both
    ]
    customer = {"CustomerRef": {"value": other["customer"]}, "CurrencyRef": {"value": "EUR"}}
    world.books("create", kind="Payment", body={**customer, "TotalAmt": 0, "Line": lines})
    world.crm("lose", second)
    world.round(2)
    correct(world, second, Way.CREDIT)
    world.round(2)
    assert [net for net, _, _ in credits_of(world)] == [300, 140]
    ties_out(world)


def test_a_deal_in_another_currency_is_no_amount_to_credit_down_to(world, sold):
    deal = sold(price="150.00", quantity="2")
    world.round()
    world.crm("edit_deal", deal, {"deal_currency_code": "USD", "amount": "200"})
    world.crm("edit_line", world.deal(deal)["lines"][0]["id"], {"price": "100"})
    world.round()
    options = {one["name"]: one for one in world.working.corrections(f"deal:{deal}")["options"]}
    assert options["credit-to-deal"]["why"].startswith("The deal is in USD now")
    assert options["credit-and-reissue"]["possible"]
