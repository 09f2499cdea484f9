"""An installation to be killed: a simulated world, a configuration, and ``tieout`` run in processes."""

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kill_places import Place, read_places
from simulated_world import CUTOVER, MAPPINGS, NAMES, REALM, ZONE, World, buy, seller

from tieout.app.cli.exits import Exit

QUIET_SECS = 1
KILLED = -9
BUYER = "Stammkunde AG"
CONFIGURATION = """\
companies:
  crm:
    system: hubspot
    id: "{portal}"
    url: {crm}
    token: file:crm-token
    time_zone: {zone}
    options: {{searches_per_sec: 1000, overlap_secs: 5}}
  books:
    system: quickbooks
    id: "{realm}"
    url: {books}
    urls:
      tokens: {books}/oauth2/v1/tokens/bearer
      authorise: {books}/connect/oauth2
    client_id: file:client-id
    client_secret: file:client-secret
    quiet_secs: {quiet}
pairs:
  main:
    from: crm
    to: books
    mappings: [{mappings}]
    cutover_date: {cutover}
    approve: {approve}
"""


@dataclass(frozen=True)
class Ended:
    """How a command ended, the places that it came to, and what it printed."""

    code: int
    places: list[Place]
    printed: str

    @property
    def values(self) -> Any:
        return json.loads(self.printed)


@dataclass
class Installation:
    """A world with a configuration, in which ``tieout`` runs and is killed."""

    world: World
    ask: Callable[..., int]
    approve: str = "automatic"
    payments: int = 0
    sells: Callable[..., str] = field(init=False)

    def __post_init__(self) -> None:
        self.sells = seller(self.world)
        self.buyer = buy(self.world, BUYER)
        config = self.path / "config"
        (config / "mappings").mkdir(parents=True)
        for name in NAMES:
            shutil.copy(MAPPINGS / f"{name}.yaml", config / "mappings")
        world = self.world
        assert world.authority is not None
        secrets = {
            "crm-token": world.portal.token,
            "client-id": world.authority.client_id,
            "client-secret": world.authority.client_secret,
        }
        for name, secret in secrets.items():
            (config / name).write_text(secret)
            (config / name).chmod(0o600)
        (config / "tieout.yaml").write_text(
            CONFIGURATION.format(
                portal=world.portal.portal_id,
                crm=world.crm_url,
                zone=ZONE,
                realm=REALM,
                books=world.books_url,
                quiet=QUIET_SECS,
                mappings=", ".join(NAMES),
                cutover=CUTOVER,
                approve=self.approve,
            )
        )

    @property
    def path(self) -> Path:
        return self.world.path

    @property
    def ledger(self) -> Path:
        return self.path / "state" / "ledger.db"

    def tieout(self, *args: str, **order: Any) -> Ended:
        """Run a command in a process of its own, and say how it ended."""
        trace = self.path / "trace"
        code = self.ask({"run": list(args), "trace": str(trace), **order})
        return Ended(code, read_places(trace), (self.path / "out").read_text())

    def must(self, *args: str, code: Exit = Exit.DONE, **order: Any) -> Ended:
        """Run a command that has to end as it should."""
        ended = self.tieout(*args, **order)
        said = (self.path / "log").read_text()
        assert ended.code == code, f"{args} ended with {ended.code}: {ended.printed}{said}"
        return ended

    def settle(self) -> None:
        """Let a round end everything: nothing is unknown, no task is open."""
        self.must("run", "--once", "--wait")

    def sell(self, **deal: Any) -> str:
        """Let a deal be won by the one buyer who is known."""
        return self.sells(company=self.buyer, **deal)

    def pay(self, deal: str) -> None:
        """Let a deal be paid in the CRM, tax and all."""
        self.payments += 1
        paid = {"hs_initial_amount": "357.00", "hs_reference_number": f"R-{self.payments}"}
        self.world.crm("add_payment", deal, paid)

    def query(self, sql: str) -> list[Any]:
        """Return what the ledger holds; its file must be there."""
        with closing(sqlite3.connect(f"file:{self.ledger}?mode=ro", uri=True)) as ledger:
            return ledger.execute(sql).fetchall()

    def invoice_of(self, deal: str) -> str:
        """Return the id of the one live invoice of a deal."""
        number = self.world.deal(deal)["po_number"]
        (found,) = [one["id"] for one in self.world.invoices() if one["po_number"] == number]
        return str(found)
