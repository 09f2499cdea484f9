"""Where the demo plays: its directory, and the two companies served by a process of their own."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tieout.app.cli.init import copied
from tieout.app.companies import Site
from tieout.app.demo.doors import Doors
from tieout.app.settings import load
from tieout.app.simulated import HUBSPOT_PORT, PORTAL_ID, QUICKBOOKS_PORT, REALM_ID
from tieout.app.starter import starter
from tieout.model.errors import ConfigError
from tieout.simulator.serving import LOOPBACK

PAIR: Final = "main"
CRM: Final = "crm"
BOOKS: Final = "books"
START_SECS = 60
STOP_SECS = 30


@dataclass(frozen=True, slots=True)
class Home:
    """The demo's directory: configuration, ledger, the companies' state, and how far it came."""

    directory: Path

    @property
    def config(self) -> Path:
        """What ``--config`` names in the commands to try."""
        return self.directory / "config"

    @property
    def simulators(self) -> Path:
        """What ``tieout simulate --state`` names."""
        return self.directory / "simulators"

    @property
    def story_file(self) -> Path:
        """How far the demo came; it also tells that the directory is a demo's."""
        return self.directory / "story.json"

    def clear(self) -> None:
        """Remove all that an earlier demo left, and nothing else.

        Raises:
            ConfigError: the directory holds things that no demo put there.
        """
        if not self.directory.exists():
            return
        if any(self.directory.iterdir()) and not self.story_file.exists():
            raise ConfigError(
                f"{self.directory} is not a demo's directory; nothing was removed.",
                remedy="Name another one: tieout demo DIRECTORY.",
            )
        for made in (self.config, self.directory / "state", self.simulators):
            shutil.rmtree(made, ignore_errors=True)
        self.story_file.unlink(missing_ok=True)

    def site(self) -> Site:
        """Read the configuration.

        Raises:
            Mistakes: it was edited, and is wrong.
        """
        return Site(self.config, load(self.config))


@dataclass(slots=True)
class Story:
    """What has happened so far, kept between two demos.

    Attributes:
        deals: how many won deals the sales team left.
        acts: the names of the acts that are over.
        orders: each purchase order number and the deal that first carried it: a merge leaves the
            order of one of its deals on an invoice, and on no deal.
    """

    deals: int
    acts: list[str] = field(default_factory=list)
    orders: dict[str, str] = field(default_factory=dict)

    def save(self, home: Home) -> None:
        """Write it down."""
        told = {"deals": self.deals, "acts": self.acts, "orders": self.orders}
        part = home.story_file.with_suffix(".part")
        part.write_text(json.dumps(told), "utf-8")
        part.replace(home.story_file)


def begun(home: Home, deals: int, *, default_ports: bool) -> Story:
    """Return the story so far; at its beginning write the starter configuration.

    Raises:
        ConfigError: the directory holds something else.
    """
    if home.story_file.exists():
        return Story(**json.loads(home.story_file.read_text("utf-8")))
    home.clear()
    home.directory.mkdir(parents=True, exist_ok=True)
    story = Story(deals)
    story.save(home)
    copied(starter(), home.config)
    _choose_ports(home.config / "tieout.yaml", default_ports=default_ports)
    return story


@dataclass(frozen=True, slots=True)
class Companies:
    """Both companies while they are served, and their doors that no vendor has."""

    crm: Doors
    books: Doors
    command: str  # what serves them again


@contextmanager
def served(home: Home, site: Site, deals: int) -> Iterator[Companies]:
    """Serve both companies at the addresses that the configuration names.

    Companies that ``tieout simulate`` already serves there are used as they are.

    Raises:
        ConfigError: something else answers at an address, or they cannot be served.
    """
    addresses = {name: site.company(name).addresses["api"] for name in (CRM, BOOKS)}
    ports = {name: int(address.rpartition(":")[2]) for name, address in addresses.items()}
    options = ["simulate", "--state", str(home.simulators)]
    for option, name, usual in (
        ("--hubspot-port", CRM, HUBSPOT_PORT),
        ("--quickbooks-port", BOOKS, QUICKBOOKS_PORT),
    ):
        options += [option, str(ports[name])] if ports[name] != usual else []
    command = " ".join(["tieout", *options])
    companies = Companies(Doors(addresses[CRM]), Doors(addresses[BOOKS]), command)
    if all(_free(port) for port in ports.values()):
        with _simulating([*options, "--deals", str(deals), "--json"]):
            yield companies
    elif _are_ours(companies):
        yield companies
    else:
        raise ConfigError(
            f"Another program listens at {' or '.join(addresses.values())}.",
            remedy="End it, or start over on other ports: make demo FRESH=1.",
        )


def is_served(site: Site) -> bool:
    """Whether somebody answers at an address of the configuration."""
    addresses = (site.company(name).addresses["api"] for name in (CRM, BOOKS))
    return not all(_free(int(address.rpartition(":")[2])) for address in addresses)


@contextmanager
def _simulating(options: list[str]) -> Iterator[None]:
    command = [sys.executable, "-m", "tieout.app", *options]
    process = subprocess.Popen(  # noqa: S603 (our own program, with our own words)
        command, stdout=subprocess.PIPE, start_new_session=True
    )
    try:
        assert process.stdout is not None
        if not process.stdout.readline():
            raise ConfigError(
                f"The companies could not be served (exit code {process.wait(START_SECS)}).",
                remedy="Its own words stand above; make demo FRESH=1 starts over.",
            )
        yield
    finally:
        process.terminate()
        process.wait(STOP_SECS)
        if process.stdout is not None:
            process.stdout.close()


def _are_ours(companies: Companies) -> bool:
    try:
        portal = companies.crm.truth()["portal"]["id"]
        realm = companies.books.truth()["realm_id"]
    except (OSError, ValueError, KeyError):
        return False
    return (str(portal), realm) == (str(PORTAL_ID), REALM_ID)


def _choose_ports(file: Path, *, default_ports: bool) -> None:
    """Write free ports into the configuration where the usual ones are taken."""
    text = file.read_text("utf-8")
    for usual in (HUBSPOT_PORT, QUICKBOOKS_PORT):
        if not (default_ports and _free(usual)):
            text = text.replace(f"{LOOPBACK}:{usual}", f"{LOOPBACK}:{_any_free_port()}")
    file.write_text(text, "utf-8")


def _free(port: int) -> bool:
    try:
        socket.create_server((LOOPBACK, port)).close()
    except OSError:
        return False
    return True


def _any_free_port() -> int:
    with socket.create_server((LOOPBACK, 0)) as listener:
        return int(listener.getsockname()[1])
