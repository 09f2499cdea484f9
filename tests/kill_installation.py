"""An installation to be killed: a simulated world, a configuration, and ``tieout`` run in processes."""

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from kill_crms import Crm
from kill_judge import File, Judged, judge
from kill_places import Place, read_places
from simulated_world import CUTOVER, REALM, ZONE, World

from tieout.app.cli.exits import Exit

QUIET_SECS = 1
KILLED = -9
BUYER = "Stammkunde AG"
CONFIGURATION = """\
companies:
  crm:
    system: {system}
    url: {crm}
    time_zone: {zone}
{settings}
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
    """A CRM and books with a configuration, in which ``tieout`` runs and is killed."""

    crm: Crm
    ask: Callable[..., int]
    approve: str = "automatic"
    payments: int = 0
    each: int = 1
    """How many invoices a deal has."""
    files: list[File] = field(default_factory=list)
    """What people put on their deals."""

    def __post_init__(self) -> None:
        self.buyer = self.crm.buyer(BUYER)
        config, world = self.path / "config", self.world
        (config / "mappings").mkdir(parents=True)
        for file in self.crm.mappings:
            shutil.copy(file, config / "mappings")
        assert world.authority is not None
        secrets = {
            **self.crm.secrets(),
            "client-id": world.authority.client_id,
            "client-secret": world.authority.client_secret,
        }
        for name, secret in secrets.items():
            (config / name).write_text(secret)
            (config / name).chmod(0o600)
        (config / "tieout.yaml").write_text(
            CONFIGURATION.format(
                system=self.crm.system,
                crm=world.crm_url,
                settings="\n".join(
                    f"    {name}: {json.dumps(said)}" for name, said in self.crm.settings().items()
                ),
                zone=ZONE,
                realm=REALM,
                books=world.books_url,
                quiet=QUIET_SECS,
                mappings=", ".join(file.stem for file in self.crm.mappings),
                cutover=CUTOVER,
                approve=self.approve,
            )
        )

    @property
    def world(self) -> World:
        world: World = self.crm.world
        return world

    @property
    def path(self) -> Path:
        return self.world.path

    @property
    def ledger(self) -> Path:
        return self.path / "state" / "ledger.db"

    @property
    def mapping(self) -> Path:
        """The mapping that makes the invoices."""
        return self.path / "config" / "mappings" / self.crm.mappings[0].name

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

    def sell(self, *, won: bool = True) -> str:
        """Let a deal be won, or only offered, by the one buyer who is known."""
        return self.crm.sell(self.buyer, won=won)

    def pay(self, deal: str) -> None:
        """Let a deal that was invoiced be paid, tax and all."""
        self.payments += 1
        assert self.crm.pay(deal, f"R-{self.payments}")

    def sell_paid(self) -> None:
        """Let a deal be won, invoiced and paid."""
        deal = self.sell()
        self.settle()
        self.pay(deal)
        self.settle()

    def attach(self, deal: str, name: str, content: bytes) -> None:
        """Let a file be put on a deal."""
        self.crm.attach(deal, name, content)
        self.files.append(File(deal, sha256(content).hexdigest()))

    def judged(self) -> Judged:
        """Ask both systems what is really there, and the ledger whether its journal holds."""
        return judge(self.crm, self.ledger, self.payments, each=self.each, files=self.files)

    def query(self, sql: str) -> list[Any]:
        """Return what the ledger holds; its file must be there."""
        with closing(sqlite3.connect(f"file:{self.ledger}?mode=ro", uri=True)) as ledger:
            return ledger.execute(sql).fetchall()

    def order_of(self, deal: str) -> str:
        """Return the purchase order number by which a deal is known in the books."""
        return next(one.order for one in self.crm.deals() if one.id == deal)

    def invoice_of(self, deal: str) -> str:
        """Return the id of the one live invoice of a deal."""
        number = self.order_of(deal)
        (found,) = [one["id"] for one in self.world.invoices() if one["po_number"] == number]
        return str(found)
