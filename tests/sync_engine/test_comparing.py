"""What differs between two invoices, and what of it weighs."""

from decimal import Decimal

from sync_engine.comparing import Line, Paper, Unlike, gross_of, nets_by_code, unlike

LINE = Line("Consulting", "10 hours", Decimal(10), Decimal(150), Decimal(1500), "S19")


def paper(*lines, **values):
    return Paper(values, lines or (LINE,))


def test_two_of_the_same_differ_in_nothing():
    assert list(unlike(paper(date="x", memo=""), paper(date="x", memo=None))) == []


def test_a_field_that_ours_does_not_set_is_not_compared():
    assert list(unlike(paper(), paper(due_date="2026-04-30"))) == []


def test_what_changes_whom_when_or_how_much_weighs_and_a_word_does_not():
    found = unlike(paper(customer="A", memo="x"), paper(customer="B", memo="y"))
    assert [(one.field, one.weighs) for one in found] == [("customer", True), ("memo", False)]


def test_lines_of_the_same_number_are_compared_one_by_one():
    other = Line("Consulting", "ten hours", None, None, Decimal(1500), "S7")
    found = {one.field: one.weighs for one in unlike(paper(LINE), paper(other))}
    assert found == {
        "lines[0].description": False,
        "lines[0].quantity": False,
        "lines[0].unit_price": False,
        "lines[0].tax_code": True,
    }


def test_lines_of_another_number_are_compared_by_what_each_tax_code_comes_to():
    halves = [Line(amount=Decimal(750), tax_code="S19")] * 2
    assert [one.field for one in unlike(paper(LINE), paper(*halves))] == ["lines"]
    split = [Line(amount=Decimal(1400), tax_code="S19"), Line(amount=Decimal(100))]
    assert list(unlike(paper(LINE), paper(*split)))[1:] == [
        Unlike("lines.S19", Decimal(1500), Decimal(1400), weighs=True),
        Unlike("lines.no tax", None, Decimal(100), weighs=True),
    ]


def test_the_gross_is_reckoned_code_by_code_and_not_known_without_a_rate():
    lines = [LINE, Line(amount=Decimal("0.33"), tax_code="S7")]
    rates = {"S19": Decimal(19), "S7": Decimal(7)}
    gross = gross_of(lines, rates.get, lambda tax: round(tax, 2))
    assert (nets_by_code(lines)["S7"], gross) == (Decimal("0.33"), Decimal("1785.35"))
    assert gross_of(lines, {}.get, round) is None
