"""Two pairs of one CRM and one set of books: what one has seen, the other still sees."""

from dataclasses import replace

import pytest
from simulated_world import MAPPINGS

RULE = "when: =deal.is_won and deal.close_date >= cutover_date"


@pytest.fixture
def pairs(world):
    """Let ``main`` invoice one pipeline and ``other`` the other, in one process."""
    text = (MAPPINGS / "hubspot-deal-to-invoice.yaml").read_text("utf-8")
    head, _, _ = text.partition("\ntests:")
    files = []
    for name, pipeline in (("hubspot-deal-to-invoice", "default"), ("renewals", "renewals")):
        file = world.path / f"{name}.yaml"
        rules = head.replace("mapping: hubspot-deal-to-invoice", f"mapping: {name}")
        file.write_text(rules.replace(RULE, f'{RULE} and deal.pipeline == "{pipeline}"') + "\n")
        files.append(file)
    world.files = tuple(files)

    def start():
        engine = world.restart()
        both = engine.pairs["main"]
        main, other = both.mappings
        engine.pairs = {
            "main": replace(both, mappings=(main,)),
            "other": replace(both, name="other", mappings=(other,)),
        }
        return engine

    return start


def work(engine):
    for name in engine.pairs:
        assert engine.round(name).error is None


def renewal(sold):
    return sold(pipeline="renewals", dealstage="115002002")


def test_a_deal_that_another_pair_has_read_is_invoiced_by_its_own(world, sold, pairs, ties_out):
    engine = pairs()
    work(engine)
    sold()
    renewal(sold)
    work(engine)
    work(engine)
    assert len(world.invoices()) == 2
    ties_out(world)


def test_a_pair_that_comes_later_reads_what_was_known_before(world, sold, pairs, ties_out):
    engine = pairs()
    sold()
    renewal(sold)
    engine.round("main")
    work(engine)
    assert len(world.invoices()) == 2
    ties_out(world)


def test_a_lines_change_reaches_the_pair_that_reads_it_second(world, sold, pairs, ties_out):
    engine = pairs()
    deal = renewal(sold)
    work(engine)
    world.crm("edit_line", world.deal(deal)["lines"][0]["id"], {"quantity": "3"})
    work(engine)
    assert [task["code"] for task in engine.tasks()] == ["changed-in-crm"]
    ties_out(world)


def test_what_the_books_do_reaches_the_pair_that_reads_them_second(world, sold, pairs, ties_out):
    engine = pairs()
    sold()
    deal = renewal(sold)
    work(engine)
    for one in world.invoices():
        world.books("receive_payment", invoices={one["id"]: None})
    work(engine)
    assert world.told(deal, "invoice_status") == "paid"
    ties_out(world)


def test_a_person_s_word_about_a_deal_goes_to_the_pair_that_has_it(world, sold, pairs):
    engine = pairs()
    deal = renewal(sold)
    work(engine)
    told = engine.explain(f"deal:{deal}")
    assert [one["state"] for one in told["documents"]] == ["posted"]


class Watched:
    """The books, and from which instants their feed was read again."""

    def __init__(self, books):
        self.books = books
        self.instants = []

    def __getattr__(self, name):
        return getattr(self.books, name)

    def rewound(self, kinds, since, to):
        self.instants.append(to)
        return self.books.rewound(kinds, since, to)


def watched(engine):
    engine.pairs = {
        name: replace(pair, books=Watched(pair.books)) for name, pair in engine.pairs.items()
    }
    work(engine)
    return [pair.books.instants for pair in engine.pairs.values()]


def test_a_start_reads_again_for_each_pair_from_before_it(world, sold, pairs):
    """The lines that the first pair's round writes are not when the second was last read."""
    engine = pairs()
    work(engine)
    last = world.now()
    world.now.advance(3 * 24 * 3600)
    sold()
    renewal(sold)
    for instants in watched(pairs()):
        assert [(last - at).total_seconds() // 3600 for at in instants] == [1]
