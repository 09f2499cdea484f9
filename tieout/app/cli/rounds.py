"""How rounds are told, by ``run``, ``apply``, ``resync`` and ``reconcile``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tieout.app.cli.exits import Exit

TROUBLE_FIRST = (Exit.PAUSED, Exit.UNKNOWNS, Exit.TROUBLE)


def round_lines(values: Mapping[str, Any]) -> Iterator[str]:
    """Yield what rounds did and how their pairs are then, a few lines a pair."""
    now = {each["pair"]: each for each in values["pairs"]}
    for done in values["rounds"]:
        calls = sum(done["calls"].values())
        yield (
            f"{done['pair']}: {done['events'] + done['books_events']} signs, "
            f"{done['drafted']} drafted, {done['done']} sent, {done['told']} told, "
            f"{done['compared']} compared, {calls} calls"
        )
        if done["shadow"]:
            yield "  in the shadow: nothing is sent, and the CRM is told nothing"
        if done["refused"]:
            yield f"  {done['refused']} refused: `tieout tasks` says why"
        if done["unreadable"]:
            yield f"  {done['unreadable']} could not be read; they are read again"
        if done["held_until"]:
            yield (
                f"  nothing is sent before {done['held_until']}: this ledger was restored or begun "
                "anew, and what the one before it sent may still arrive"
            )
        if done["error"]:
            yield f"  ended early: {done['error']['message']}"
        yield from _now_lines(now[done["pair"]])


def round_exit(values: Mapping[str, Any]) -> Exit:
    """Return the exit code: what hinders most counts."""
    found = set()
    for pair in values["pairs"]:
        if pair["paused"]:
            found.add(Exit.PAUSED)
        if pair["unknowns"]:
            found.add(Exit.UNKNOWNS)
        if pair["tasks"]:
            found.add(Exit.TROUBLE)
    if any(done["error"] for done in values.get("rounds", ())):
        found.add(Exit.TROUBLE)
    return next((code for code in TROUBLE_FIRST if code in found), Exit.DONE)


def _now_lines(pair: Mapping[str, Any]) -> Iterator[str]:
    if pair["paused"]:
        yield f"  stands still: {pair['paused']['reason']}"
    if pair["unknowns"]:
        yield f"  {pair['unknowns']} unanswered: they are looked up before anything is asked again"
    if pair["tasks"]:
        wait = "1 task waits" if pair["tasks"] == 1 else f"{pair['tasks']} tasks wait"
        yield f"  {wait} for a person: `tieout tasks`"
    if not (pair["paused"] or pair["unknowns"] or pair["tasks"]):
        yield "  nothing waits for a person, nothing is unanswered"
