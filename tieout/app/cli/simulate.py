"""``tieout simulate``: make-believe companies on this machine."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tieout.app.cli.exits import Exit
from tieout.app.cli.verb import Answer, Caller, show, verb
from tieout.app.crms import CHOICES, CRMS, USUAL, chosen

if TYPE_CHECKING:
    from tieout.app.simulated import Town

SAVE_SECS = 10.0
PORT = click.IntRange(0, 65_535)


@click.command(name="simulate")
@click.option(
    "--crm",
    default=USUAL,
    show_default=True,
    type=click.Choice(CHOICES),
    help="Which CRM, or all of them.",
)
@click.option(
    "--hubspot-port",
    default=CRMS["hubspot"].port,
    show_default=True,
    type=PORT,
    help="0: a free one.",
)
@click.option(
    "--salesforce-port",
    default=CRMS["salesforce"].port,
    show_default=True,
    type=PORT,
    help="0: a free one.",
)
@click.option(
    "--dynamics365-port",
    default=CRMS["dynamics365"].port,
    show_default=True,
    type=PORT,
    help="0: a free one.",
)
@click.option(
    "--quickbooks-port", default=8802, show_default=True, type=PORT, help="0: a free one."
)
@click.option("--state", type=click.Path(path_type=Path, file_okay=False), help="Remember here.")
@click.option(
    "--deals",
    default=500,
    show_default=True,
    type=click.IntRange(0, 200_000),
    help="How many are won in each new CRM; some that are not come with them.",
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
def command(caller: Caller, *, crm: str, **wishes: Any) -> Exit:
    """Serve a make-believe CRM and books on this machine.

    A CRM full of won deals and a QuickBooks company, as strict as the vendors' own, at the
    addresses that the starter configuration names. It serves until Ctrl-C or SIGTERM.

    All have doors that no vendor has: GET /__truth tells what is really there, POST /__faults
    breaks things, POST /__deeds plays a person.

    Examples:
      tieout simulate
      tieout simulate --crm salesforce --state state/simulators --deals 50
      tieout simulate --state state/simulators --fresh

    JSON, when they are ready: {"hubspot", "salesforce", "dynamics365", "quickbooks": addresses of
    what is served, "portal_id", "org_id", "organization_id", "realm_id": their ids, "deals":
    number, "kept": whether the state was found}
    """
    from tieout.app import logs  # noqa: PLC0415 (imported when used)
    from tieout.app.simulated import town  # noqa: PLC0415 (imported when used)

    logs.configure(level="warning")
    ended = threading.Event()
    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, lambda *_: ended.set())
    try:
        with town(crms=[one.system for one in chosen(crm)], **wishes) as served:
            show(Answer(_values(served), list(_lines(served))), as_json=caller.as_json)
            while not ended.wait(SAVE_SECS):
                served.save()
    except OSError as wrong:
        raise click.ClickException(f"The companies cannot be served: {wrong}.") from wrong
    except ValueError as wrong:
        raise click.ClickException(f"{wrong}; --fresh starts over.") from wrong
    return Exit.DONE


def _values(town: Town) -> dict[str, Any]:
    return {
        **{name: one.served.url for name, one in town.crms.items()},
        "quickbooks": town.quickbooks.url,
        **{f"{CRMS[name].site}_id": CRMS[name].company_id for name in town.crms},
        "realm_id": town.company.realm_id,
        "deals": town.deals,
        "kept": town.kept,
    }


def _lines(town: Town) -> Iterator[str]:
    served = {CRMS[name].title: one.served.url for name, one in town.crms.items()}
    sites = [(CRMS[name].site, CRMS[name].company_id) for name in town.crms]
    rows = [
        *zip(served, sites, served.values(), strict=True),
        ("QuickBooks", ("company", town.company.realm_id), town.quickbooks.url),
    ]
    width = max(len(title) for title, *_ in rows)
    for title, (site, company_id), url in rows:
        yield f"{title:<{width}} {site} {company_id}  {url}"
    yield f"{town.deals} deals{' (as they were left)' if town.kept else ''}; Ctrl-C ends it."
