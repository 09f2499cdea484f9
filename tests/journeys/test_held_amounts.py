"""What cannot be posted is held with its whole amount, and by its true reason."""

from simulated_world import buy


def test_a_currency_that_the_books_do_not_keep_is_held_before_approval(world, sold, ties_out):
    currencies = world.company.tables["CompanyCurrency"].rows.values()
    [no_more] = [one.id for one in currencies if one.body["Code"] == "NOK"]
    world.books("inactivate", kind="CompanyCurrency", id=no_more)
    for name in ("Silver Timber", "SILVER TIMBER"):
        company = buy(world, name)
        for _ in range(2):
            sold(company=company, deal_currency_code="NOK")
    world.round(3)
    assert world.codes() == ["currency"] * 4
    ties_out(world)


def test_an_amount_with_more_decimals_than_the_books_take_is_held_before_approval(
    world, sold, ties_out
):
    """KWD has three decimals; the books keep two for every currency but those without any."""
    sold(country="KW", deal_currency_code="KWD", price="351.741", quantity="1")
    sold(country="KW", deal_currency_code="KWD", price="351.740", quantity="1")
    world.round()
    assert (len(world.invoices()), world.codes()) == (1, ["too-many-decimals"])
    ties_out(world)
