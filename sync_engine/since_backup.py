"""since backup: what a restored ledger has forgotten of the corrections of its invoices.

An amendment leaves no marker of its own, and no record says what a credit was chosen to settle.
Both follow from what the two sides say now: where they agree, people have decided it already.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from sync_engine.corrected import begin_application
from sync_engine.correcting import application, option, settles
from sync_engine.corrections import put_correction, standing_of
from sync_engine.done_already import take_done
from sync_engine.frozen import keep_plan
from sync_engine.ledger.journal import restored_from
from sync_engine.ledger.sqlite import Ledger
from sync_engine.ledger.store import Row, Writes
from sync_engine.pair import Pair
from sync_engine.saying import says
from sync_engine.standing import Choice, Standing, Way
from sync_engine.went_along import ADOPTED
from tieout.model.ref import Key

DOCUMENTS_AT_ONCE = 500


def take_corrected(ledger: Ledger, pair: Pair, now: datetime) -> None:
    """Take for settled what was corrected since the backup of a ledger that was restored.

    It is asked of each invoice that moved, until the pair has caught up. An invoice that a person
    wrote by hand what its deal says is settled as well: there is nothing left to ask.
    """
    if restored_from(ledger, pair.name) is None:
        return
    for row in _drifted(ledger, pair):
        with ledger.transaction() as tx:
            _take(tx, pair, row, now)


def _drifted(ledger: Ledger, pair: Pair) -> Iterator[Row]:
    after = ""
    while rows := ledger.all(
        "invoices_drifted", pair=pair.name, after=after, limit=DOCUMENTS_AT_ONCE
    ):
        yield from rows
        after = rows[-1]["key"]


def _take(tx: Writes, pair: Pair, invoice: Row, now: datetime) -> None:
    if not _lives(tx, pair, invoice):
        return
    stands = standing_of(tx, pair, invoice, now)
    is_open = stands.live and not stands.several and not stands.in_flight
    if is_open and not _take_amended(tx, pair, invoice, stands, now):
        _take_credited(tx, invoice, stands)


def _lives(tx: Writes, pair: Pair, invoice: Row) -> bool:
    """Whether the books have shown an invoice, and it lives; an answer may lack its record."""
    address = {"company": pair.books.company, "kind": "invoice", "id": invoice["posted_id"]}
    shown = tx.one("mirror_get", **address)
    return shown is not None and bool(shown["live"]) and not shown["gone"]


def _take_amended(tx: Writes, pair: Pair, invoice: Row, stands: Standing, now: datetime) -> bool:
    """Take an amendment for done that would be made if the books still said what they answered."""
    if not _agree(stands):
        return False
    answered = {**stands.invoice.fields, **stands.answered}
    before = replace(
        stands,
        invoice=replace(stands.invoice, fields=answered),
        preferences={**stands.preferences, "closed_through": None},  # it was made before that
        credits=(),
        gift=None,
    )
    found = option(before, Choice(Way.AMEND))
    if found.plan is None:
        return False
    put_correction(tx, pair, invoice, found, now, "")
    row = tx.one("document_get", key=found.plan.key)
    assert row is not None
    return take_done(tx, pair, invoice, row, Way.AMEND)


def _agree(stands: Standing) -> bool:
    """Whether an invoice in the books says exactly what its source says now."""
    fields, wanted = stands.invoice.fields, stands.wanted
    if wanted is None:
        return False
    told = ("customer", "date", "currency", "lines")
    figure = fields["total" if stands.inclusive else "net"]
    return figure == stands.now_net and all(says(fields[name], wanted.get(name)) for name in told)


def _take_credited(tx: Writes, invoice: Row, stands: Standing) -> None:
    """Let credits that were found in the books settle what is left, where the deal comes to it."""
    made = (row["key"] for row in tx.all("corrections_of", key=invoice["key"]))
    receipts = (tx.one("receipt_any", key=key) for key in made)
    is_found = any(held is not None and held["how"] == ADOPTED for held in receipts)
    is_settled = (
        bool(stands.credits) and stands.now_net is not None and settles(stands, stands.rest)
    )
    if is_found and is_settled:
        content = invoice["content"]
        tx.run("document_settled", key=invoice["key"], content=content, at=tx.now_text())
        tx.journal("tieout", "settled by credits", invoice["key"], {"left": str(stands.rest)})


def apply_found(ledger: Ledger, pair: Pair, now: datetime) -> None:
    """Let the credits follow their applications that a restored ledger found without.

    That a credit is in the books with our mark says that it was approved, and its application with
    it. It is asked once nothing of the ledger before can be on its way any more.
    """
    if restored_from(ledger, pair.name) is None:
        return
    for row in ledger.all("credits_without_application", pair=pair.name):
        with ledger.transaction() as tx:
            _apply(tx, pair, row, now)


def _apply(tx: Writes, pair: Pair, credit: Row, now: datetime) -> None:
    correction = tx.one("correction_get", key=credit["key"])
    assert correction is not None
    invoice = tx.one("document_get", key=correction["corrects"])
    assert invoice is not None
    if not _lives(tx, pair, invoice):
        return
    stands = standing_of(tx, pair, invoice, now)
    choice = Choice.of(json.loads(correction["choice"]))
    plan = application(stands, choice, Key.parse(credit["key"]))
    keep_plan(tx, pair, plan, now)
    tx.run("correction_followed", key=credit["key"], along_key=plan.key, along_hash=plan.hash)
    followed = tx.one("correction_get", key=credit["key"])
    assert followed is not None
    begin_application(tx, credit, followed)
    tx.journal("tieout", "application approved with its credit", plan.key, {"plan": plan.hash})
