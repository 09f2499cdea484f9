"""What is measured of a company's rounds, and the least that the vendors' batches allow."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from math import ceil
from pathlib import Path
from typing import Any

import worker
from town import BOOKS_TOKEN, CUTOVER, OVERLAP_SECS, REALM_ID, Town, open_town
from vendors import UNLIMITED, Vendor
from worker import Where, order_of

BEHIND_SECS = 7_200.0  # the town begins so long ago, so that its overlaps pass and it ends today
BOOKS_FREE = {
    "per_minute": UNLIMITED,
    "per_second": UNLIMITED,
    "batches_per_minute": UNLIMITED,
    "twin_days": 45,
}
FIRST = "first"
IDLE_ROUNDS = 5  # the median of so many is told


@dataclass(frozen=True, slots=True)
class Measured:
    """One round; ``least`` is the fewest calls that it can take, None where none is known.

    Of its calls ``crm_calls`` went to the CRM, of which ``start_calls`` are those of a start.
    ``peak_mb`` is None for a process that starts and ends: the system counts its parent's in.
    """

    name: str
    calls: int
    least: int | None
    commits: int
    parcels: int
    cpu_secs: float
    wall_secs: float
    passed_secs: float
    peak_mb: float | None
    crm: str = ""
    crm_calls: int = 0
    start_calls: int = 0
    calls_by_name: dict[str, int] = field(default_factory=dict)
    profile: dict[str, dict[str, float]] | None = None


Rounds = Callable[..., Measured]


def story(folder: Path, deals: int, vendor: Vendor, *, profile: bool = False) -> list[Measured]:
    """Work a company's first round, its echo, idle rounds, and two with a hundredth changed."""
    with open_town(folder, deals, vendor, ahead_secs=-BEHIND_SECS) as town:
        with working(folder, town) as round_of:
            rows = [round_of(FIRST, least_first(town), profile=profile)]
            demand_posted(town, deals)
            changed, shown = town.changed, town.deals_shown()
            posted = deals + town.companies
            told = ceil((deals + changed) / vendor.page)
            echo = vendor.watched - 1 + told + ceil(posted / 500)
            rows.append(round_of("echo of our own writes", echo))
            town.clock.advance(OVERLAP_SECS)
            round_of("the overlaps have passed", None)
            town.clock.advance(OVERLAP_SECS)
            least = vendor.watched + 1
            idle = [round_of("no-op, resident", least) for _ in range(IDLE_ROUNDS)]
            rows.append(sorted(idle, key=lambda row: row.cpu_secs)[IDLE_ROUNDS // 2])
            town.let([vendor.win(one["id"]) for one in shown if not one["is_won"]])
            town.clock.advance(OVERLAP_SECS)
            rows.append(round_of("1 % newly won", least + least_won(town, changed)))
            won = [one["id"] for one in shown if one["is_won"]][:changed]
            town.let([vendor.edit(deal) for deal in won])
            town.clock.advance(OVERLAP_SECS)
            rows.append(round_of("1 % edited after", None))
            demand_posted(town, deals + changed)
        town.clock.set_ahead(0)
        rows.append(cold_start(folder, town))
    return rows


@contextmanager
def working(folder: Path, town: Town, **options: dict[str, Any]) -> Iterator[Rounds]:
    """Give a function that works one round in a process of its own, which lives on between."""
    with subprocess.Popen(
        order_of(_where(folder, town, **options)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        orders, answers = process.stdin, process.stdout
        json.loads(answers.readline())

        def round_of(name: str, least: int | None, *, profile: bool = False) -> Measured:
            orders.write(json.dumps({"profile": profile}) + "\n")
            orders.flush()
            return _measured(town.vendor, name, least, json.loads(answers.readline()))

        yield round_of
        orders.close()


def cold_start(folder: Path, town: Town) -> Measured:
    """Work an idle round by the command line, in a process that starts for it."""
    config = _configuration(folder, town)
    command = [sys.executable, "-m", "tieout.app", "run", "--once", "--json"]
    process = subprocess.Popen(
        [*command, "--config", str(config)], stdout=subprocess.PIPE, cwd=worker.ROOT
    )
    assert process.stdout is not None
    with process.stdout as said:
        told = json.loads(said.read())
    _, code, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(code)
    done = told["rounds"][0]
    if done["error"]:
        raise RuntimeError(done["error"])
    return Measured(
        name="no-op, cold start of `run --once`",
        calls=sum(done["calls"].values()),
        least=town.vendor.watched + 1,
        commits=0,
        parcels=0,
        cpu_secs=used.ru_utime + used.ru_stime,
        wall_secs=0,
        passed_secs=0,
        peak_mb=None,
        **_of_the_crm(town.vendor, done["calls"]),
    )


def least_first(town: Town) -> int:
    """Return the fewest calls for new deals that share companies, all told."""
    deals, companies, vendor = town.deals, town.companies, town.vendor
    made = ceil(companies / 30) + ceil(deals / 30)
    return vendor.reads(deals, companies) + made + vendor.tells(deals)


def least_won(town: Town, deals: int) -> int:
    """Return the fewest calls for deals newly won, whose companies are known."""
    return town.vendor.reads_won(deals) + ceil(deals / 30) + town.vendor.tells(deals)


def demand_posted(town: Town, deals: int) -> None:
    """See that the books really hold what was to be posted: no figure is told of a wrong run.

    Raises:
        RuntimeError: they do not.
    """
    books = town.books_truth()
    found = len(books["invoices"])
    if found != deals or books["throttled"]:
        raise RuntimeError(f"{found} invoices of {deals}, {books['throttled']} calls throttled")


def _measured(vendor: Vendor, name: str, least: int | None, told: dict[str, Any]) -> Measured:
    return Measured(
        name=name,
        calls=sum(told["calls"].values()),
        least=least,
        commits=told["commits"],
        parcels=told["calls_sent"],
        cpu_secs=told["cpu_secs"],
        wall_secs=told["wall_secs"],
        passed_secs=told["passed_secs"],
        peak_mb=told["peak_mb"],
        profile=told["profile"],
        **_of_the_crm(vendor, told["calls"]),
    )


def _of_the_crm(vendor: Vendor, calls: dict[str, int]) -> dict[str, Any]:
    return {
        "crm": vendor.system,
        "crm_calls": vendor.its_own(calls),
        "start_calls": vendor.starting(calls),
        "calls_by_name": calls,
    }


def _where(folder: Path, town: Town, **options: dict[str, Any]) -> Where:
    still_at, vendor = town.still_at, town.vendor
    return Where(
        system=vendor.system,
        mappings=list(vendor.mappings),
        crm_url=town.crm_url,
        crm_id=vendor.company_id,
        crm_token=str(_token(folder, "crm", vendor.token)),
        books_url=town.books_url,
        books_id=REALM_ID,
        books_token=str(_token(folder, "books", BOOKS_TOKEN)),
        ledger=str(folder / "ledger.db"),
        cutover=CUTOVER.isoformat(),
        clock=str(town.clock_file),
        still_at=None if still_at is None else still_at.isoformat(),
        **{"crm_options": dict(vendor.unlimited), "books_options": BOOKS_FREE, **options},
    )


def _token(folder: Path, name: str, token: str) -> Path:
    file = folder / f"{name}-token"
    file.write_text(token)
    file.chmod(0o600)
    return file


def _configuration(folder: Path, town: Town) -> Path:
    """Write what the command line works on: the same ledger, between the same addresses."""
    where = asdict(_where(folder, town))
    config = folder / "config"
    config.mkdir()
    (config / "mappings").symlink_to(worker.MAPPINGS)
    (config / "tieout.yaml").write_text(
        f"""\
companies:
  crm:
    system: {where["system"]}
    id: "{where["crm_id"]}"
    url: {where["crm_url"]}
    token: file:{where["crm_token"]}
    time_zone: {worker.ZONE}
  books:
    system: quickbooks
    id: "{where["books_id"]}"
    url: {where["books_url"]}
    token: file:{where["books_token"]}
pairs:
  {worker.PAIR}:
    from: crm
    to: books
    mappings: [{", ".join(where["mappings"])}]
    cutover_date: {where["cutover"]}
    approve: automatic
ledger: {where["ledger"]}
log: {{level: error}}
"""
    )
    return config
