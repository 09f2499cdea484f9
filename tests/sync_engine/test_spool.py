"""A file on its way: never whole in memory, the same bytes or none, and gone when it has arrived."""

import hashlib
import tracemalloc

import pytest

from sync_engine.spool import Spool, TooLarge
from tieout.model.contract import Enclosure
from tieout.model.errors import Rejected, Unavailable
from tieout.model.ref import Ref

MEGABYTE = 1024 * 1024
PIECE = b"0123456789abcdef" * 4096  # 64 KiB
FILE = Ref("hubspot:1", "file", "7")
LIMIT_BYTES = 100 * MEGABYTE


class Crm:
    """A CRM that gives one file, in pieces; it may break off."""

    def __init__(self, pieces, breaks=None):
        self.pieces, self.breaks = pieces, breaks

    def read_file(self, _ref, take):
        for _ in range(self.pieces):
            take(PIECE)
        if self.breaks is not None:
            raise self.breaks


@pytest.fixture
def spool(tmp_path):
    return Spool(tmp_path / "spool" / "main")


def test_twenty_megabytes_take_less_than_one_of_memory(spool):
    tracemalloc.start()
    spooled = spool.take(Crm(320), FILE, LIMIT_BYTES)
    with spool.opened(Crm(320), enclosure_of(spooled)) as content:
        while content.read(len(PIECE)):
            pass
    _, most_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (spooled.size_bytes, most_bytes < MEGABYTE) == (20 * MEGABYTE, True)
    assert spooled.sha256 == hashlib.sha256(PIECE * 320).hexdigest()


def test_a_file_that_is_too_large_is_not_read_to_its_end_and_leaves_nothing(spool):
    with pytest.raises(TooLarge):
        spool.take(Crm(10_000), FILE, 3 * len(PIECE))
    assert list(spool.folder.iterdir()) == []


def test_a_file_that_breaks_off_leaves_nothing(spool):
    with pytest.raises(Unavailable):
        spool.take(Crm(2, Unavailable()), FILE, LIMIT_BYTES)
    assert list(spool.folder.iterdir()) == []


def test_a_file_lies_there_for_its_owner_alone(spool):
    spooled = spool.take(Crm(1), FILE, LIMIT_BYTES)
    assert (spool.folder / spooled.sha256).stat().st_mode & 0o777 == 0o600


def test_what_was_lost_from_the_spool_is_read_again(spool):
    spooled = spool.take(Crm(2), FILE, LIMIT_BYTES)
    spool.drop(spooled.sha256)
    with spool.opened(Crm(2), enclosure_of(spooled)) as content:
        assert content.read() == PIECE * 2


@pytest.mark.parametrize(
    "lying", [b"", PIECE, bytes(2 * len(PIECE)), PIECE * 3], ids=["none", "cut", "zeros", "longer"]
)
def test_what_a_power_cut_spoiled_in_the_spool_is_read_again(spool, lying):
    """The name came to the disk and not all of the bytes: else they would hang on an invoice."""
    spooled = spool.take(Crm(2), FILE, LIMIT_BYTES)
    (spool.folder / spooled.sha256).write_bytes(lying)
    with spool.opened(Crm(2), enclosure_of(spooled)) as content:
        assert content.read() == PIECE * 2


def test_other_bytes_are_not_sent_in_its_place(spool):
    spooled = spool.take(Crm(2), FILE, LIMIT_BYTES)
    spool.drop(spooled.sha256)
    with pytest.raises(Rejected), spool.opened(Crm(1), enclosure_of(spooled)):
        pass
    assert list(spool.folder.iterdir()) == []


def test_only_what_is_still_to_be_sent_is_kept(spool):
    kept, left = (spool.take(Crm(n), FILE, LIMIT_BYTES).sha256 for n in (1, 2))
    spool.keep_only({kept})
    assert [path.name for path in spool.folder.iterdir()] == [kept]
    assert left != kept


def enclosure_of(spooled):
    return Enclosure(FILE, spooled.sha256, spooled.size_bytes, 0)
