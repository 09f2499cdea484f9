"""Which operation answers a call: by its path's first segment and its method."""

from tieout.simulator.dynamics365 import metadata, reading, writing
from tieout.simulator.dynamics365.actions import ACTIONS
from tieout.simulator.dynamics365.call import Call, Reply
from tieout.simulator.dynamics365.refusals import Refusal, no_resource
from tieout.simulator.dynamics365.schema import Table

MAX_URL_CHARS = 32_768
"""Longer addresses are refused; a $batch takes them."""
MAX_BATCH_URL_CHARS = 65_536


def answer(call: Call) -> Reply:
    """Answer one request of the Web API.

    Raises:
        Refusal: it is not taken.
    """
    first = call.segments[0]
    action = ACTIONS.get((call.method, first.name))
    if action is not None:
        return action(call)
    if first.name in metadata.ROOTS:
        return metadata.answer(call)
    table = call.org.by_set(first.name)
    if table is None:
        raise no_resource(first.name)
    of_one = first.inside is not None
    return _one(call, table) if of_one else _many(call, table)


def _many(call: Call, table: Table) -> Reply:
    match call.method, [one.name for one in call.segments[1:]]:
        case "GET", ["$count"]:
            return reading.count_table(call, table)
        case "GET", []:
            return reading.read_table(call, table)
        case "POST", []:
            return writing.create(call, table)
    raise not_allowed(call)


def _one(call: Call, table: Table) -> Reply:
    match call.method, call.segments[1:]:
        case "GET", _:
            return reading.read_one(call, table)
        case "PATCH", []:
            return writing.update(call, table)
        case "DELETE", []:
            return writing.delete(call, table)
    raise not_allowed(call)


def not_allowed(call: Call) -> Refusal:
    """Return the 405 of a method that the resource does not know."""
    return Refusal(
        405,
        "0x80060888",
        f"The requested resource does not support http method '{call.method}'.",
    )
