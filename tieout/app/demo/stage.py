"""Where the demo plays: its directory, and the companies served by a process of their own."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

from tieout.app.cli.init import copied
from tieout.app.companies import Site
from tieout.app.crms import CRMS, USUAL, Crm, chosen, titles
from tieout.app.demo.doors import Doors
from tieout.app.settings import load
from tieout.app.simulated import QUICKBOOKS_PORT
from tieout.app.starter import names_of, starter
from tieout.model.errors import ConfigError
from tieout.simulator.serving import LOOPBACK

BOOKS: Final = "books"
QUICKBOOKS: Final = "quickbooks"
TIME_SCALE: Final = 10  # the rate limits' windows are shorter; they are met as often
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
        born: the words on what was made by hand in these books, by which they are known again.
        acts: the names of the acts that are over.
        orders: each purchase order number and the deal that first carried it: a merge leaves the
            order of one of its deals on an invoice, and on no deal.
        crm: which CRM it plays with, or all.
    """

    deals: int
    born: str
    acts: list[str] = field(default_factory=list)
    orders: dict[str, str] = field(default_factory=dict)
    crm: str = USUAL

    @property
    def crms(self) -> tuple[Crm, ...]:
        """The CRMs that it plays with."""
        return chosen(self.crm)

    @property
    def pairs(self) -> list[str]:
        """The names of its pairs."""
        return [pair for _, pair in names_of(self.crms).values()]

    def save(self, home: Home) -> None:
        """Write it down."""
        part = home.story_file.with_suffix(".part")
        part.write_text(json.dumps(asdict(self)), "utf-8")
        part.replace(home.story_file)


def begun(home: Home, crm: str, deals: int, new_id: Callable[[], str]) -> Story:
    """Return the story so far; at its beginning write the starter configuration.

    Raises:
        ConfigError: the directory holds something else, or another CRM's story, or the story
            cannot be read.
    """
    if home.story_file.exists():
        return _of(crm, home)
    home.clear()
    home.directory.mkdir(parents=True, exist_ok=True)
    story = Story(deals, f"by hand, demo {new_id()}", crm=crm)
    story.save(home)
    copied(starter(), home.config, story.crms)
    return story


def _of(crm: str, home: Home) -> Story:
    story = _told(home)
    if story.crm != crm:
        raise ConfigError(
            f"{home.directory} is a demo with {titles(story.crms)}.",
            remedy="Name another directory, or start over with `--fresh`.",
        )
    return story


def start_over(home: Home) -> None:
    """Remove what an earlier demo left, readable or not.

    Raises:
        ConfigError: its companies are being served, or the directory is not a demo's.
    """
    if _is_served(home):
        raise ConfigError(
            "The companies of the earlier demo are still served.",
            remedy="End that `tieout simulate` (Ctrl-C), then start over.",
        )
    home.clear()


def _is_served(home: Home) -> bool:
    try:
        return home.story_file.exists() and companies_of(home, _told(home)).are_of(_told(home))
    except ConfigError:
        return False  # what cannot be read can be served by nobody


def _told(home: Home) -> Story:
    try:
        story = Story(**json.loads(home.story_file.read_text("utf-8")))
        chosen(story.crm)  # whose CRM there is not is no story of this demo either
    except (ValueError, TypeError, KeyError) as wrong:
        raise ConfigError(
            f"{home.story_file} is not a story of this demo: {wrong}.",
            remedy="Start over with `--fresh`.",
        ) from wrong
    return story


@dataclass(frozen=True, slots=True)
class Companies:
    """The companies while they are served, and their doors that no vendor has; CRMs by system."""

    crms: Mapping[str, Doors]
    books: Doors
    ports: Mapping[str, int]

    def are_of(self, story: Story) -> bool:
        """Whether the companies that answer are those of this story."""
        try:
            invoices = self.books.truth()["invoices"]
        except (OSError, ValueError, KeyError):
            return False
        return any(one["private_note"] == story.born for one in invoices)


def companies_of(home: Home, story: Story) -> Companies:
    """Return the companies at the addresses that the configuration names."""
    site = home.site()
    names = {system: company for system, (company, _) in names_of(story.crms).items()}
    addresses = {
        system: site.company(name).addresses["api"]
        for system, name in (*names.items(), (QUICKBOOKS, BOOKS))
    }
    ports = {system: int(address.rpartition(":")[2]) for system, address in addresses.items()}
    crms = {system: Doors(addresses[system]) for system in names}
    return Companies(crms, Doors(addresses[QUICKBOOKS]), ports)


@contextmanager
def served(home: Home, story: Story, *, any_ports: bool = False) -> Iterator[Companies]:
    """Serve the companies, on other ports where something else listens on theirs.

    Companies that ``tieout simulate`` already serves from this directory are used as they are.

    Args:
        home: the demo's directory; its configuration names the addresses, and is changed with them.
        story: how far the demo came.
        any_ports: take free ports, whatever the configuration names.

    Raises:
        ConfigError: they cannot be served.
    """
    companies = companies_of(home, story)
    if companies.are_of(story):
        yield companies
        return
    if any_ports or not all(_is_free(port) for port in companies.ports.values()):
        _move(home.config / "tieout.yaml", companies.ports)
        companies = companies_of(home, story)
    options = simulate_options(home, story, companies.ports)
    options += ["--deals", str(story.deals), "--time-scale", str(TIME_SCALE), "--json"]
    with _simulating(options):
        yield companies


def simulate_options(home: Home, story: Story, ports: Mapping[str, int]) -> list[str]:
    """Return the words after ``tieout`` that serve the companies of a demo."""
    options = ["simulate", "--state", str(home.simulators)]
    options += ["--crm", story.crm] if story.crm != USUAL else []
    usual = {crm.system: crm.port for crm in CRMS.values()} | {QUICKBOOKS: QUICKBOOKS_PORT}
    for system, port in ports.items():
        options += [f"--{system}-port", str(port)] if port != usual[system] else []
    return options


@contextmanager
def _simulating(options: list[str]) -> Iterator[None]:
    command = [sys.executable, "-m", "tieout.app", *options]
    process = subprocess.Popen(  # noqa: S603 (our own program, with our own words)
        command, stdout=subprocess.PIPE, start_new_session=True
    )
    try:
        assert process.stdout is not None
        if b'"quickbooks"' not in process.stdout.readline():
            raise ConfigError(
                f"The companies could not be served: {' '.join(['tieout', *options])} failed.",
                remedy="Its own words stand above; `--fresh` starts over.",
            )
        yield
    finally:
        process.terminate()
        process.wait(STOP_SECS)
        if process.stdout is not None:
            process.stdout.close()


def _move(file: Path, ports: Mapping[str, int]) -> None:
    """Write free ports into the configuration in place of those that are taken."""
    text = file.read_text("utf-8")
    for port in ports.values():
        text = text.replace(f"{LOOPBACK}:{port}", f"{LOOPBACK}:{_free_port()}")
    file.write_text(text, "utf-8")


def _is_free(port: int) -> bool:
    try:
        socket.create_server((LOOPBACK, port)).close()
    except OSError:
        return False
    return True


def _free_port() -> int:
    with socket.create_server((LOOPBACK, 0)) as listener:
        return int(listener.getsockname()[1])
