"""A process that is killed with a file on its way: nothing is there twice, and nothing is lost.

A real SIGKILL, at each of the moments between the spool and the receipt.
"""

import multiprocessing
import os
import signal
import time
from contextlib import ExitStack
from functools import partial

import pytest
from crm_files import CRMS, open_filing

PDF = b"%PDF-1.7 a signed contract"
RULES = '\npdf: once\nfiles:\n  for: file in files\n  names: ["*.pdf"]\n'
CALLS = ("intended", "sent")  # what stands before and behind the call, which each CRM has its own
MOMENTS = ("spooled", "planned", *CALLS)
DIES_SECS = 60


def dying_round(filing, moment, nth):
    """Work a round that kills itself when it comes to a moment for the nth time."""
    from sync_engine import enclosing, push, spool

    left = [nth]

    def dies(function, after):
        def called(*args, **named):
            if not after:
                kill(left)
            result = function(*args, **named)
            if after:
                kill(left)
            return result

        return called

    match moment:
        case "spooled":
            spool.Spool.take = dies(spool.Spool.take, after=True)
        case "planned":
            enclosing._approve = dies(enclosing._approve, after=True)
        case "intended":
            push._apply = when_enclosed(push._apply, left, after=False)
        case _:
            push._apply = when_enclosed(push._apply, left, after=True)
    filing.world.working = None
    filing.world.opened = ExitStack()
    filing.world.round()


def when_enclosed(function, left, *, after):
    """Die before, or after, a parcel with a file is sent."""

    def called(pair, spool, parcel):
        if parcel.enclosure is not None and not after:
            kill(left)
        result = function(pair, spool, parcel)
        if parcel.enclosure is not None and after:
            kill(left)
        return result

    return called


def kill(left):
    left[0] -= 1
    if left[0] == 0:
        os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.slow
@pytest.mark.parametrize("nth", [1, 2], ids=["the file", "the invoice's PDF"])
@pytest.mark.parametrize(
    ("crm", "moment"),
    [*(("hubspot", one) for one in MOMENTS), *((one, two) for one in CRMS[1:] for two in CALLS)],
)
def test_nothing_is_there_twice_after_a_kill(tmp_path, crm, moment, nth):
    with open_filing(crm, tmp_path, RULES) as filing:
        deal = filing.sold()
        filing.put(deal, "Contract.pdf", PDF)
        filing.world.engine()  # what `provision` makes is there
        filing.world.opened.close()
        filing.keep_session()
        dying = multiprocessing.get_context("fork").Process(
            target=partial(dying_round, filing, moment, nth)
        )
        dying.start()
        dying.join(DIES_SECS)
        assert dying.exitcode == -signal.SIGKILL
        filing.world.restart()
        filing.world.round()
        time.sleep(filing.world.quiet_secs)
        filing.world.round(2)
        assert filing.names() == ["Contract.pdf"]
        assert len(filing.printed(deal)) == 1
        assert filing.world.codes() == []
        assert not (filing.world.path / "spool" / "main").exists()
