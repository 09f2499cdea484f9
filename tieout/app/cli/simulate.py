"""``tieout simulate``: make-believe companies on this machine."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from typing import Any

import click

from tieout.app.cli.exits import Exit
from tieout.app.cli.verb import Answer, Caller, show, verb

SAVE_SECS = 10.0
PORT = click.IntRange(0, 65_535)


@click.command(name="simulate")
@click.option("--hubspot-port", default=8801, show_default=True, type=PORT, help="0: a free one.")
@click.option(
    "--quickbooks-port", default=8802, show_default=True, type=PORT, help="0: a free one."
)
@click.option("--state", type=click.Path(path_type=Path, file_okay=False), help="Remember here.")
@click.option(
    "--deals",
    default=500,
    show_default=True,
    type=click.IntRange(0, 200_000),
    help="How many are won in a new portal; some that are not come with them.",
)
@click.option("--seed", default=0, show_default=True, help="The same seed makes the same deals.")
@click.option(
    "--time-scale",
    default=1.0,
    show_default=True,
    type=click.FloatRange(1, 1000),
    help="10 makes a minute of the rate limits last six seconds.",
)
@click.option("--fresh", is_flag=True, help="Forget what --state remembers and start over.")
@verb
def command(caller: Caller, **wishes: Any) -> Exit:
    """Serve a make-believe CRM and books on this machine.

    A HubSpot portal full of won deals and a QuickBooks company, as strict as the vendors' own, at
    the addresses that the starter configuration names. It serves until Ctrl-C or SIGTERM.

    Both have doors that no vendor has: GET /__truth tells what is really there, POST /__faults
    breaks things, POST /__deeds plays a person.

    Examples:
      tieout simulate
      tieout simulate --state state/simulators --deals 50
      tieout simulate --state state/simulators --fresh

    JSON, when they are ready: {"hubspot", "quickbooks": addresses, "portal_id", "realm_id",
    "deals": number, "kept": whether the state was found}
    """
    from tieout.app import logs  # noqa: PLC0415 (imported when used)
    from tieout.app.simulated import town  # noqa: PLC0415 (imported when used)

    logs.configure(level="warning")
    ended = threading.Event()
    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, lambda *_: ended.set())
    try:
        with town(**wishes) as served:
            deals = len(served.portal.shelves["deals"].records)
            values = {
                "hubspot": served.hubspot.url,
                "quickbooks": served.quickbooks.url,
                "portal_id": str(served.portal.portal_id),
                "realm_id": served.company.realm_id,
                "deals": deals,
                "kept": served.kept,
            }
            lines = [
                f"HubSpot    portal {served.portal.portal_id}  {served.hubspot.url}",
                f"QuickBooks company {served.company.realm_id}  {served.quickbooks.url}",
                f"{deals} deals{' (as they were left)' if served.kept else ''}; Ctrl-C ends it.",
            ]
            show(Answer(values, lines), as_json=caller.as_json)
            while not ended.wait(SAVE_SECS):
                served.save()
    except OSError as wrong:
        raise click.ClickException(f"The companies cannot be served: {wrong}.") from wrong
    except ValueError as wrong:
        raise click.ClickException(f"{wrong}; --fresh starts over.") from wrong
    return Exit.DONE
