"""Which corrections the books would take: the rules R11 and R32, and what is never proposed."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from sync_engine.correcting import option, options
from sync_engine.standing import Choice, Credit, Standing, Way
from tieout.model.capability import Capabilities, KindCapability
from tieout.model.change import Verb
from tieout.model.crediting import Extent
from tieout.model.record import Record
from tieout.model.ref import Key, Ref, Version

BOOKS = "quickbooks:9130"
LINE = {
    "item": "7",
    "description": "Consulting",
    "quantity": Decimal(2),
    "unit_price": Decimal(50),
    "amount": Decimal(100),
    "tax_code": "1",
}
FIELDS = {
    "number": "1001",
    "customer": "58",
    "currency": "EUR",
    "date": date(2026, 3, 31),
    "net": Decimal(100),
    "tax": Decimal(19),
    "total": Decimal(119),
    "balance": Decimal(119),
    "custom_fields": {"1": "PO-7"},
    "lines": [LINE],
}
SENT = {
    "customer": "58",
    "currency": "EUR",
    "date": "2026-03-31",
    "prices": "exclusive",
    "memo": "HubSpot deal 901",
    "lines": [{"item": "7", "quantity": "2", "unit_price": "50", "amount": "100", "tax_code": "1"}],
    "custom_fields": {"1": "PO-7"},
}
LESS = {"item": "7", "quantity": "1", "unit_price": "50", "amount": "50", "tax_code": "1"}
ALL = frozenset({Verb.CREATE, Verb.UPDATE, Verb.VOID})
CAN = Capabilities(
    "quickbooks",
    "QuickBooks",
    {
        "invoice": KindCapability(ALL),
        "credit_memo": KindCapability(frozenset({Verb.CREATE})),
        "payment": KindCapability(ALL),
    },
)
UNPAID = Standing(
    key=Key("0123456789ABCDEF"),
    source=Ref("hubspot:123", "deal", "901"),
    mapping=("deal-to-invoice", 1),
    title="deal 901",
    invoice=Record(Ref(BOOKS, "invoice", "145"), Version("3"), FIELDS),
    live=True,
    in_flight=False,
    inactive=(),
    credits=(),
    gift=None,
    wanted={**SENT, "lines": [LESS]},
    why_not="",
    sent=SENT,
    answered=FIELDS,
    agreed=None,
    now_net=Decimal(50),
    now_currency="EUR",
    now_lines=(Decimal(50),),
    inclusive=False,
    preferences={"country": "DE"},
    capabilities=CAN,
    today=date(2026, 5, 4),
    numbers={},
)
HALF = Credit(Decimal(50), Decimal("9.50"), Decimal("59.50"), (Decimal(50),))


def invoice(**fields):
    record = UNPAID.invoice
    return replace(UNPAID, invoice=replace(record, fields={**FIELDS, **fields}))


def possible(standing):
    return [one.choice.name for one in options(standing) if one.plan is not None]


@pytest.mark.parametrize(
    ("why", "standing", "expected"),
    [
        ("unpaid", UNPAID, ["amend", "void", "credit-to-deal", "credit", "credit-and-reissue"]),
        (
            "paid in part",
            invoice(balance=Decimal(19)),
            ["credit-to-deal", "credit", "credit-and-reissue"],
        ),
        (
            "closed",
            replace(UNPAID, preferences={"closed_through": date(2026, 3, 31)}),
            ["credit-to-deal", "credit", "credit-and-reissue"],
        ),
        (
            "another customer",
            replace(UNPAID, wanted={**SENT, "customer": "59"}),
            ["void", "credit-to-deal", "credit", "credit-and-reissue"],
        ),
        (
            "another currency",
            replace(UNPAID, wanted={**SENT, "currency": "USD"}),
            ["void", "credit-to-deal", "credit", "credit-and-reissue"],
        ),
        (
            "not won",
            replace(UNPAID, now_net=None, now_lines=(), wanted=None, why_not="It is not won."),
            ["void", "credit"],
        ),
        ("credited in part", replace(UNPAID, credits=(HALF,)), ["credit", "credit-and-reissue"]),
        ("credited whole", replace(UNPAID, credits=(HALF, HALF)), []),
        ("voided", replace(UNPAID, live=False), []),
        ("an inactive item", replace(UNPAID, inactive=("item 7",)), ["amend", "void"]),
        ("on its way", replace(UNPAID, in_flight=True), []),
        (
            "books without credit memos",
            replace(UNPAID, capabilities=replace(CAN, kinds={"invoice": KindCapability(ALL)})),
            ["amend", "void"],
        ),
    ],
)
def test_what_is_possible(why, standing, expected):
    assert possible(standing) == expected, why


def test_an_amendment_says_what_the_deal_changed_and_leaves_the_accountants_own():
    standing = invoice(date=date(2026, 4, 2))
    change = option(standing, Choice(Way.AMEND)).plan.change
    assert change.values == {"lines": [LESS], "prices": "exclusive"}
    assert change.before["lines"][0]["amount"] == "100"
    assert change.version == "3"


def test_nothing_that_an_invoice_says_already_is_amended():
    standing = replace(UNPAID, wanted=SENT)
    assert option(standing, Choice(Way.AMEND)).why == (
        "The deal says nothing else than its invoice does."
    )


def test_an_amendment_is_not_dated_into_a_closed_period():
    standing = replace(
        UNPAID,
        wanted={**SENT, "date": "2026-02-28"},
        preferences={"closed_through": date(2026, 2, 28)},
    )
    assert option(standing, Choice(Way.AMEND)).why == (
        "Its new date 2026-02-28 lies in a closed period."
    )


def test_the_hash_of_a_void_falls_when_the_invoice_comes_to_something_else():
    before = option(UNPAID, Choice(Way.VOID)).plan.hash
    renewed = replace(UNPAID.invoice, version=Version("4"))
    moved = invoice(net=Decimal(90), total=Decimal("107.1"), balance=Decimal("107.1"))
    assert option(replace(UNPAID, invoice=renewed), Choice(Way.VOID)).plan.hash == before
    assert option(moved, Choice(Way.VOID)).plan.hash != before


def test_a_credit_says_what_is_given_back_and_its_application_is_approved_with_it():
    found = option(UNPAID, Choice(Way.CREDIT))
    assert found.plan.change.values == {
        "customer": "58",
        "date": "2026-05-04",
        "currency": "EUR",
        "prices": "exclusive",
        "memo": "Credit of invoice 1001",
        "lines": [
            {
                "item": "7",
                "description": "Consulting",
                "quantity": "2",
                "unit_price": "50",
                "amount": "100",
                "tax_code": "1",
            }
        ],
        "custom_fields": {"1": "PO-7"},
    }
    assert found.plan.along == (found.along.hash,)
    assert found.along.needs == (found.plan.key,)
    assert [part["kind"] for part in found.along.change.values["allocations"]] == [
        "credit_memo",
        "invoice",
    ]


def test_a_part_of_a_line_is_one_of_that_part():
    line = option(UNPAID, Choice(Way.CREDIT, Extent(amount=Decimal(30)))).plan.change.values[
        "lines"
    ]
    assert [(one["quantity"], one["unit_price"], one["amount"]) for one in line] == [
        ("1", "30", "30")
    ]


def test_a_credit_is_of_the_first_open_day_and_never_before_its_invoice():
    closed = replace(UNPAID, preferences={"closed_through": date(2026, 5, 31)})
    early = replace(UNPAID, today=date(2026, 3, 1))
    days = [option(one, Choice(Way.CREDIT)).choice.day for one in (UNPAID, closed, early)]
    assert days == [date(2026, 5, 4), date(2026, 6, 1), date(2026, 3, 31)]
    assert "closed through" in option(closed, Choice(Way.CREDIT, day=date(2026, 5, 31))).why
    assert "before its invoice" in option(UNPAID, Choice(Way.CREDIT, day=date(2026, 3, 30))).why


def test_a_credit_takes_a_number_of_ours_where_the_books_give_none():
    ours = replace(UNPAID, preferences={"custom_numbers": True}, numbers={Way.CREDIT: 1})
    assert option(ours, Choice(Way.CREDIT)).plan.change.values["number"] == "1001-C2"


def test_the_credit_that_takes_the_rest_bears_the_rest_of_the_tax_where_the_books_take_our_word():
    american = replace(UNPAID, credits=(HALF,), preferences={"country": "US"})
    assert option(american, Choice(Way.CREDIT)).plan.change.values["tax"] == "9.5"
    at_once = replace(UNPAID, preferences={"country": "US"})
    assert option(at_once, Choice(Way.CREDIT)).plan.change.values["tax"] == "19"
    elsewhere = replace(UNPAID, credits=(HALF,))
    assert "tax" not in option(elsewhere, Choice(Way.CREDIT)).plan.change.values


@pytest.mark.parametrize(
    ("choice", "standing", "settles"),
    [
        (Choice(Way.CREDIT, Extent(to=(Decimal(50),))), UNPAID, True),
        (Choice(Way.CREDIT), UNPAID, False),
        (Choice(Way.CREDIT, reissue=True), UNPAID, True),
        (Choice(Way.CREDIT), replace(UNPAID, now_net=None), True),
        (Choice(Way.AMEND), UNPAID, True),
        (Choice(Way.VOID), UNPAID, False),
        (Choice(Way.VOID), replace(UNPAID, now_net=None), True),
    ],
)
def test_what_leaves_no_difference_settles(choice, standing, settles):
    assert option(standing, choice).settles is settles


def test_a_discount_of_the_whole_is_shared_among_the_lines_that_are_credited():
    off = {**dict.fromkeys(LINE), "amount": Decimal(-10)}
    standing = invoice(lines=[LINE, off], net=Decimal(90))
    assert option(standing, Choice(Way.CREDIT)).shares == (Decimal("90.00"),)


@pytest.mark.parametrize(
    "choice",
    [
        Choice(Way.VOID),
        Choice(Way.CREDIT, Extent(line=2, amount=Decimal("0.5")), reissue=True),
        Choice(Way.CREDIT, Extent(part=Decimal(25)), day=date(2026, 5, 4)),
    ],
)
def test_a_choice_is_read_back_as_it_was_written(choice):
    assert Choice.of(choice.plain()) == choice


def test_a_line_that_a_person_added_since_a_credit_leaves_its_sum_as_it_is():
    """What the credit took of which line is told by proportion then."""
    more = invoice(lines=[LINE, {**LINE, "amount": Decimal(100)}], net=Decimal(200))
    found = option(replace(more, credits=(HALF,)), Choice(Way.CREDIT))
    assert found.shares == (Decimal(75), Decimal(75))


def test_what_is_issued_again_beside_a_credit_by_hand_names_its_amount():
    gift = Credit(Decimal(10), Decimal("1.90"), Decimal("11.90"), ())
    standing = replace(UNPAID, gift=gift)
    assert "name an amount" in option(standing, Choice(Way.CREDIT, reissue=True)).why
    named = Choice(Way.CREDIT, Extent(amount=Decimal(100)), reissue=True)
    assert option(standing, named).shares == (Decimal(100),)


def test_what_is_credited_in_part_is_not_issued_again():
    """What is left of it and the next invoice would both be owed."""
    found = option(UNPAID, Choice(Way.CREDIT, Extent(part=Decimal(50)), reissue=True))
    assert (found.plan, found.why) == (None, "50.00 EUR of it would go on beside the next invoice.")


def test_what_both_the_deal_and_the_accountants_changed_is_not_overwritten():
    """Pain 7: what to keep of two changes of one field is for people to say."""
    added = {**LINE, "item": "9", "description": "Shipping", "amount": Decimal(5)}
    due = Decimal("124.95")
    standing = invoice(lines=[LINE, added], net=Decimal(105), total=due, balance=due)
    found = option(standing, Choice(Way.AMEND))
    why = (
        "Its lines were changed in the books too, and would be lost: change the lines there to "
        "what the deal says, or void or credit it and issue it again."
    )
    assert (found.plan, found.why) == (None, why)
    assert possible(standing) == ["void", "credit-to-deal", "credit", "credit-and-reissue"]


def test_what_the_accountants_made_of_it_that_the_deal_says_too_is_no_conflict():
    less = {**LINE, "quantity": Decimal(1), "amount": Decimal(50)}
    due = Decimal("59.5")
    standing = invoice(lines=[less], net=Decimal(50), total=due, balance=due)
    wanted = {**SENT, "lines": [LESS], "date": "2026-04-01"}
    change = option(replace(standing, wanted=wanted), Choice(Way.AMEND)).plan.change
    assert change.values == {"date": "2026-04-01"}


def test_a_day_that_both_changed_is_not_overwritten():
    standing = replace(invoice(date=date(2026, 4, 2)), wanted={**SENT, "date": "2026-05-01"})
    assert "Its date was changed in the books too" in option(standing, Choice(Way.AMEND)).why


def test_an_amendment_says_only_the_custom_fields_that_the_deal_changed():
    """The accountants changed one of two, the deal the other: each keeps its own."""
    two = {"1": "PO-7", "2": "North"}
    standing = replace(
        invoice(custom_fields={"1": "PO-7b", "2": "North"}),
        answered={**FIELDS, "custom_fields": two},
        sent={**SENT, "custom_fields": two},
        wanted={**SENT, "custom_fields": {"1": "PO-7", "2": "South"}},
    )
    change = option(standing, Choice(Way.AMEND)).plan.change
    assert change.values == {"custom_fields": {"1": "PO-7b", "2": "South"}}
    both = replace(standing, wanted={**SENT, "custom_fields": {"1": "PO-8", "2": "South"}})
    assert "custom fields were changed in the books too" in option(both, Choice(Way.AMEND)).why


def test_lines_of_a_linked_invoice_that_were_never_the_deal_s_are_not_overwritten():
    linked = replace(UNPAID, sent=None, agreed=(Decimal(100),))
    assert option(linked, Choice(Way.AMEND)).plan is not None
    parted = replace(linked, agreed=(Decimal(60), Decimal(40)))
    assert "Its lines in the books were never the deal's" in option(parted, Choice(Way.AMEND)).why


@pytest.mark.parametrize(
    ("name", "sent", "shown", "said"),
    [
        ("terms", "3", "3", "terms"),
        ("email", "ap@baer.example", "ap@baer.example", "email"),
        ("due_date", "2026-04-30", date(2026, 4, 30), "due date"),
        ("custom_fields", {"1": "PO-7"}, {"1": "PO-7"}, "custom field 1"),
    ],
)
def test_what_the_deal_has_no_longer_is_not_left_on_its_invoice_unsaid(name, sent, shown, said):
    """A sparse update leaves what it does not name: said, it is, until it was emptied."""
    wanted = {key: value for key, value in UNPAID.wanted.items() if key != name}
    standing = replace(
        invoice(**{name: shown}),
        sent={**SENT, name: sent},
        answered={**FIELDS, name: shown},
        wanted=wanted,
    )
    why = f"The deal has no longer what its invoice says: {said}."
    assert why in option(standing, Choice(Way.AMEND)).why
    for emptied in ("somebody's own", None if name != "custom_fields" else {}):
        there = {**standing.invoice.fields, name: emptied}
        theirs = replace(standing, invoice=replace(standing.invoice, fields=there))
        assert set(option(theirs, Choice(Way.AMEND)).plan.change.values) == {"lines", "prices"}


def test_a_description_that_a_line_has_no_longer_is_taken_off_with_its_lines():
    sold = {**SENT["lines"][0], "description": "Consulting"}
    standing = replace(UNPAID, sent={**SENT, "lines": [sold]}, wanted=SENT)
    assert option(standing, Choice(Way.AMEND)).plan.change.values["lines"] == SENT["lines"]


@pytest.mark.parametrize(
    ("day", "why"),
    [
        (date(2027, 5, 5), ""),
        (date(2027, 5, 6), "366 days after 2026-05-04, the first day it may be of."),
        (date(9999, 12, 31), "366 days after 2026-05-04, the first day it may be of."),
    ],
)
def test_a_credit_is_not_dated_further_ahead_than_a_year(day, why):
    """A slip of the hand in the year would leave it open for ever."""
    said = option(UNPAID, Choice(Way.CREDIT, day=day)).why
    assert said == (why and f"The credit would be of {day}, more than {why}")


def test_the_first_open_day_of_a_credit_may_lie_as_far_ahead_as_the_books_are_closed():
    closed = replace(UNPAID, preferences={"closed_through": date(2029, 12, 31)})
    assert option(closed, Choice(Way.CREDIT)).choice.day == date(2030, 1, 1)
