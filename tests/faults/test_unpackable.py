"""A change that no call can carry is refused by itself, and the others go."""

from dataclasses import replace

from tieout.model.errors import InvalidField


class Picky:
    """A connector that packs as ever, but finds what preflight should have caught in one invoice."""

    def __init__(self, real):
        self.real = real

    def __getattr__(self, name):
        return getattr(self.real, name)

    def prepare(self, requests):
        if any("Order 2" in request.about for request in requests):
            raise InvalidField("Its memo holds what no call can carry.", record="Order 2")
        return self.real.prepare(requests)


def test_one_change_that_cannot_be_packed_is_a_task_and_the_others_are_posted(world, sold):
    for _ in range(3):
        sold()
    engine = world.restart()
    pair = engine.pairs["main"]
    engine.pairs = {"main": replace(pair, books=Picky(pair.books))}
    world.round()
    assert (len(world.invoices()), world.codes()) == (2, ["invalid-field"])
