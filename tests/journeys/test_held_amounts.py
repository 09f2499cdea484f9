"""What cannot be posted is held with its whole amount, and by its true reason."""

from simulated_world import buy


def test_a_deal_without_lines_is_held_with_its_own_amount(world, sold, ties_out):
    sold(lines=[], amount="990.00")
    world.round()
    assert "no-lines" in world.codes()
    ties_out(world)


def test_twins_of_a_customer_that_the_books_refuse_are_held_by_the_refusal(world, sold, ties_out):
    unknown_to_the_books = {"country": "KW", "deal_currency_code": "KWD"}
    for name in ("Silver Timber", "SILVER TIMBER"):
        company = buy(world, name, "KW")
        for _ in range(2):
            sold(company=company, **unknown_to_the_books)
    world.round(3)
    assert world.codes() == ["customer-refused"] * 4 + ["missing-reference"]
    ties_out(world)
