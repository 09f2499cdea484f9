"""A batch in which each item fares otherwise: each is settled by its own answer."""

import json
from dataclasses import replace

import pytest

from tieout.model.contract import Outcome
from tieout.model.errors import OutcomeUnknown, QuotaExhausted, RateLimited

DONE, SILENT, LATER, PAUSED = "done", "silent", "later", "paused"
LOST = "lost"  # not done, and nobody says so
LEFT_OUT = "left out"  # done, and not a word of it in the answer
ERRORS = {LATER: RateLimited(after_secs=0.0), PAUSED: QuotaExhausted(), SILENT: OutcomeUnknown()}
ERRORS[LOST] = ERRORS[SILENT]


class Partial:
    """Books that do a part of the next batch of invoices, and say of each item what was asked."""

    def __init__(self, books, fates) -> None:
        self._books = books
        self._fates = list(fates)

    def __getattr__(self, name):
        return getattr(self._books, name)

    def apply(self, parcel):
        if len(parcel.items) != len(self._fates) or parcel.items[0].kind != "invoice":
            return self._books.apply(parcel)
        fates, self._fates = self._fates, []
        body = json.loads(parcel.body)
        body["BatchItemRequest"] = [
            item
            for item, fate in zip(body["BatchItemRequest"], fates, strict=True)
            if fate in (DONE, SILENT, LEFT_OUT)
        ]
        answers = {
            each.item_id: each
            for each in self._books.apply(replace(parcel, body=json.dumps(body).encode()))
        }
        return [
            answers[item.item_id]
            if fate == DONE
            else Outcome(item.key, item.item_id, error=ERRORS[fate])
            for item, fate in zip(parcel.items, fates, strict=True)
            if fate != LEFT_OUT
        ]


@pytest.mark.parametrize(
    "fates",
    [
        (DONE, LATER, DONE),
        (DONE, SILENT, LATER),
        (SILENT, LATER, LATER),
        (LATER, LATER, LATER),
        (DONE, PAUSED, SILENT),
        (PAUSED, PAUSED, LATER),
        (DONE, PAUSED, DONE),
        (DONE, LEFT_OUT, DONE),
        (SILENT, LOST, DONE),
        (LOST, LEFT_OUT, LOST),
        (LOST, LOST, LOST),
        (LEFT_OUT, LATER, LEFT_OUT),
    ],
    ids="-".join,
)
def test_each_item_of_a_batch_is_done_once_whatever_becomes_of_its_neighbours(
    world, sold, settled, once_each, fates
):
    world.company.replay.size = 0
    for _ in fates:
        sold()
    engine = world.restart()
    pair = engine.pairs["main"]
    engine.pairs = {"main": replace(pair, books=Partial(pair.books, fates))}
    pushed = world.round().pushed
    unanswered = [fate for fate in fates if fate in (SILENT, LOST, LEFT_OUT)]
    assert (pushed.unknown, pushed.refused) == (len(unanswered), 0)
    if PAUSED in fates:
        engine.resume("main", who="ann", reason="the allowance is there again")
    settled()
    once_each(len(fates))
    assert world.codes() == []
