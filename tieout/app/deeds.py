"""What people ask of the engine, by name: done at once by a command, or later by the daemon.

Each takes the engine, plain arguments and who asks, and returns plain values: the shape that
``--json`` prints, and that a wish's outcome carries.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final, TypeAlias

from sync_engine.engine import Engine
from sync_engine.standing import Choice, Way
from tieout.model.crediting import Extent
from tieout.model.dates import parse_day
from tieout.model.errors import InvariantError, NotFound, Rejected

Args: TypeAlias = Mapping[str, Any]
Values: TypeAlias = dict[str, Any]
Deed: TypeAlias = Callable[[Engine, Args, str], Values]


def do(engine: Engine, deed: str, args: Args, who: str) -> Values:
    """Do it and return what came of it.

    Raises:
        TieoutError: what the engine met.
    """
    if deed not in DEEDS:
        raise InvariantError(f"There is no deed {deed}.")
    return DEEDS[deed](engine, args, who)


def work(engine: Engine, pairs: list[str], *, wait: bool = False) -> Values:
    """Work some pairs once each, and say how they are then."""
    rounds = [done.plain() for done in engine.rounds(pairs, wait=wait)]
    return {"rounds": rounds, **pairs_now(engine, pairs)}


def pairs_now(engine: Engine, pairs: list[str]) -> Values:
    """Return how pairs are: unknowns, open tasks, whether they stand still."""
    known = {each["pair"]: each for each in engine.status()["pairs"]}
    return {
        "pairs": [
            {
                "pair": name,
                "unknowns": known[name]["unknowns"],
                "tasks": sum(known[name]["tasks"].values()),
                "paused": known[name]["paused"],
            }
            for name in pairs
        ]
    }


def _plan(engine: Engine, args: Args, _who: str) -> Values:
    refs = tuple(args.get("refs", ()))
    plans = engine.plan(refs, look=args.get("look", True))
    sheets = {name: engine.sheet_hash(name) for name in engine.pairs}
    left_out = 0 if refs else engine.count_plans() - len(plans)
    return {
        "plans": plans,
        "left_out": left_out,
        "sheets": sheets,
        "shadow": engine.in_shadow(),
    }


def _approve(engine: Engine, args: Args, who: str) -> Values:
    return {"approved": engine.approve(args["hash"], who=who, reason=args["reason"])}


def _reject(engine: Engine, args: Args, who: str) -> Values:
    return {"rejected": engine.reject(args["hash"], who=who, reason=args["reason"])}


def _apply(engine: Engine, args: Args, _who: str) -> Values:
    """Send what is approved; with a hash, only if that very plan is approved and nothing moved."""
    wanted = args.get("hash")
    if wanted is not None:
        _demand_approved(engine, wanted)
    return work(engine, list(engine.pairs))


def _demand_approved(engine: Engine, wanted: str) -> None:
    engine.planned(wanted)  # a hash that names nothing is not worth a look
    engine.look()
    found = engine.planned(wanted)
    if not found:
        raise NotFound(
            f"No plan has the hash {wanted} any more: its world moved, or it was sent.",
            remedy="`tieout plan` shows the present plans and their hashes.",
        )
    if found[0]["state"] != "approved":
        raise Rejected(
            f"The plan {wanted} is {found[0]['state']}, not approved.",
            remedy=f"`tieout approve {wanted}` first; `tieout explain` says what is in its way.",
        )


def _answer(engine: Engine, args: Args, who: str) -> Values:
    engine.answer(args["task"], args["choice"], who=who, reason=args["reason"])
    return {"task": args["task"], "answer": args["choice"]}


def _resync(engine: Engine, args: Args, who: str) -> Values:
    done = engine.resync(args["ref"], who=who)
    return {"rounds": [done.plain()], **pairs_now(engine, [done.pair])}


def _reissue(engine: Engine, args: Args, who: str) -> Values:
    return {"key": engine.reissue(args["ref"], who=who, reason=args["reason"])}


def _corrections(engine: Engine, args: Args, _who: str) -> Values:
    return engine.corrections(args["ref"])


def _correct(engine: Engine, args: Args, who: str) -> Values:
    """Plan a correction, or leave the invoice as it is: that is the way ``ignore``."""
    if args["way"] == "ignore":
        ignored = engine.ignore_drift(args["ref"], who=who, reason=args["reason"])
        return {"ignored": ignored}
    extent = Extent.of(args["extent"])
    if args["to_deal"]:
        extent = replace(extent, to=engine.deal_lines(args["ref"]))
    day = args["day"]
    choice = Choice(
        Way(args["way"]),
        extent,
        reissue=args["reissue"],
        day=None if day is None else parse_day(day),
    )
    return engine.correct(
        args["ref"], choice, who=who, reason=args["reason"], asking=args["asking"]
    )


def _resume(engine: Engine, args: Args, who: str) -> Values:
    engine.resume(args["pair"], who=who, reason=args["reason"])
    return {"resumed": args["pair"]}


def _reconcile(engine: Engine, args: Args, _who: str) -> Values:
    names = [args["pair"]] if args.get("pair") else list(engine.pairs)
    rounds = [engine.reconcile(name).plain() for name in names]
    drift = [task for task in engine.tasks() if task["family"] in DRIFTING]
    return {"rounds": rounds, "drift": drift, **pairs_now(engine, names)}


def _look(engine: Engine, args: Args) -> None:
    """Read both sides unless it is not wanted; a side that was not read whole is no answer.

    Raises:
        TieoutError: what ended a round early.
    """
    if not args.get("look", True):
        return
    for done in engine.look():
        if done.error is not None and args.get("pair") in (None, done.pair):
            raise done.error


def _backfill(engine: Engine, args: Args, _who: str) -> Values:
    _look(engine, args)
    names = [args["pair"]] if args.get("pair") else list(engine.pairs)
    return {"pairs": [engine.backfill(name) for name in names]}


def _confirm_links(engine: Engine, args: Args, who: str) -> Values:
    return {"linked": engine.confirm_links(args["hash"], who=who, reason=args["reason"])}


def _link(engine: Engine, args: Args, who: str) -> Values:
    engine.link(args["ref"], args["record"], who=who, reason=args["reason"])
    return {"linked": 1}


def _shadow(engine: Engine, args: Args, _who: str) -> Values:
    _look(engine, args)
    since = parse_day(args["since"]) if args.get("since") else None
    names = [args["pair"]] if args.get("pair") else list(engine.pairs)
    return {"pairs": [engine.shadow(name, since) for name in names]}


def _go_live(engine: Engine, args: Args, who: str) -> Values:
    left_open = engine.go_live(
        args["pair"], who=who, reason=args["reason"], leave_open=args["leave_open"]
    )
    return {"live": args["pair"], "left_open": left_open}


def _tasks(engine: Engine, args: Args, _who: str) -> Values:
    tasks = engine.tasks(args.get("pair"))
    return {"tasks": tasks, "left_out": engine.count_tasks(args.get("pair")) - len(tasks)}


def _explain(engine: Engine, args: Args, _who: str) -> Values:
    return engine.explain(args["ref"], args.get("field"))


def _status(engine: Engine, _args: Args, _who: str) -> Values:
    return engine.status()


DRIFTING: Final = frozenset({"drift", "tie-out", "copied"})
DRAFTING: Final = frozenset({"explain", "backfill", "shadow"})  # look, and need the mappings
DEEDS: Final[Mapping[str, Deed]] = {
    "plan": _plan,
    "approve": _approve,
    "reject": _reject,
    "apply": _apply,
    "answer": _answer,
    "resync": _resync,
    "reissue": _reissue,
    "corrections": _corrections,
    "correct": _correct,
    "resume": _resume,
    "reconcile": _reconcile,
    "backfill": _backfill,
    "confirm_links": _confirm_links,
    "link": _link,
    "shadow": _shadow,
    "go_live": _go_live,
    "tasks": _tasks,
    "explain": _explain,
    "status": _status,
}
