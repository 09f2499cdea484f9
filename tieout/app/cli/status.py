"""``tieout status``: is it well?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import click

from tieout.app.cli.exits import Exit
from tieout.app.cli.rounds import round_exit
from tieout.app.cli.verb import Answer, Caller, verb

KINDS_SHOWN = 4
DOCUMENTS: Final = frozenset({"invoice", "payment"})  # a new customer or item waits with one


@click.command(name="status")
@verb
def command(caller: Caller) -> Answer:
    """Say how each company is, and that nothing is pending.

    Leaves with 1 also when a pair's last round ended early, or there was none: then nobody knows
    what is pending.

    Reads the ledger only, also while the daemon runs: how fresh each feed is, what is in which
    state, what is unanswered, when a daemon was last alive (it says so twice a minute), and the
    journal's head, to be noted elsewhere.

    Examples:
      tieout status
      tieout status --json

    JSON: {"journal": {"lines", "hash"}, "daemon_beat_at": instant or null, "pairs": [{"pair",
    "mode", "paused", "last_round_at", "last_good_at", "last_round", "feeds", "documents", "queue",
    "unknowns", "tasks": {code: n}}]}
    """
    from tieout.app.cli.asking import look  # noqa: PLC0415 (imported when used)

    values = look(caller, "status")
    lines = [line for pair in values["pairs"] for line in _pair_lines(pair)]
    if values["daemon_beat_at"]:
        lines.append(f"daemon: last alive {values['daemon_beat_at']}")
    head = values["journal"]
    lines.append(f"journal: {head['lines']} lines, head {head['hash']}")
    pairs = [{**pair, "tasks": sum(pair["tasks"].values())} for pair in values["pairs"]]
    code = round_exit({"pairs": pairs})
    if code is Exit.DONE and not all(map(_is_known, pairs)):
        code = Exit.TROUBLE
    if code is Exit.DONE and not any(map(_unsent, pairs)):
        lines.append("Nothing is pending.")
    return Answer(values, lines, code)


def _pair_lines(pair: Mapping[str, Any]) -> Iterator[str]:
    watches = "  (in the shadow: posts nothing until `tieout go-live`)"
    yield click.style(pair["pair"], bold=True) + (watches if pair["mode"] == "shadow" else "")
    if pair["paused"]:
        yield f"  stands still: {pair['paused']['reason']}"
        yield f"  when that is mended: `tieout resume {pair['pair']} --reason …`"
    yield f"  last round {pair['last_round_at'] or 'never'}"
    if pair["last_good_at"] != pair["last_round_at"]:
        yield f"  last good round {pair['last_good_at'] or 'never'}"
    early = pair["last_round"] and pair["last_round"]["error"]
    if early and early["message"] != (pair["paused"] or {}).get("reason"):
        yield f"  it ended early: {early['message']}"
    elif not early and pair["last_round_at"] and not _is_known(pair) and not pair["paused"]:
        yield "  it was told to stop before its end; the next start goes on"
    for feed in pair["feeds"]:
        yield f"  {feed['company']} {_kinds(feed['feed'])}: read up to {feed['as_of']}"
    by_kind: dict[str, list[str]] = {}
    for row in pair["documents"]:
        by_kind.setdefault(row["kind"], []).append(f"{row['n']} {row['state']}")
    yield from (f"  {kind}s: {', '.join(states)}" for kind, states in by_kind.items())
    if _unsent(pair):
        when = "planned, and not sent" if pair["mode"] == "shadow" else "for the next round"
        yield f"  {when}: {_unsent(pair)}"
    if pair["queue"].get("again"):
        yield f"  refused for now, and asked again: {pair['queue']['again']}"
    yield f"  unanswered: {pair['unknowns']}"
    for code, number in pair["tasks"].items():
        yield f"  task {code}: {number}"


def _is_known(pair: Mapping[str, Any]) -> bool:
    """Whether its last round was worked to the end."""
    return pair["last_round_at"] is not None and pair["last_good_at"] == pair["last_round_at"]


def _unsent(pair: Mapping[str, Any]) -> int:
    """Return how many documents are the next round's to send."""
    return sum(
        row["n"]
        for row in pair["documents"]
        if row["state"] == "approved" or (row["state"] == "planned" and row["kind"] in DOCUMENTS)
    )


def _kinds(feed: str) -> str:
    """Return the kinds of a feed, or how many when they are many."""
    kinds = feed.split("+")
    return ", ".join(kinds) if len(kinds) <= KINDS_SHOWN else f"{len(kinds)} kinds"
