"""A file comes as it is or not at all; a system that keeps none has nothing to try."""

from __future__ import annotations

from collections.abc import Callable

from tieout.conformance.bench import Bench
from tieout.conformance.wire import SILENCES, Fault
from tieout.model.contract import GivesFiles
from tieout.model.errors import NextStep, NotFound, TieoutError, Unsupported
from tieout.model.ref import Ref

PIECE_LIMIT_BYTES = 1024 * 1024  # the most of a file that is in memory at once
CONTENT = bytes(range(256)) * 6_000  # more than one piece, and no text
BROKEN_OFF = tuple(fault for fault in SILENCES if fault is not Fault.NOT_JSON)  # a file is no JSON


class Files:
    """What ``read_file`` gives of a record's files."""

    def test_a_file_comes_whole_in_its_order_and_in_pieces(self, bench: Bench) -> None:
        """A piece is at most a megabyte: a file may be larger than memory."""
        if isinstance(bench.connector, GivesFiles):
            taken: list[bytes] = []
            error = _refusal(bench.connector, bench.keep_file(CONTENT), taken.append)
            assert (error, b"".join(taken)) == (None, CONTENT)
            assert max(map(len, taken)) <= PIECE_LIMIT_BYTES

    def test_an_empty_file_has_no_bytes(self, bench: Bench) -> None:
        """It is read, and is no error: that it is empty is judged elsewhere."""
        if isinstance(bench.connector, GivesFiles):
            taken: list[bytes] = []
            error = _refusal(bench.connector, bench.keep_file(b""), taken.append)
            assert (error, b"".join(taken)) == (None, b"")

    def test_a_file_that_was_deleted_is_not_found(self, bench: Bench) -> None:
        """It is gone by the system's word, and is not asked for again and again."""
        if isinstance(bench.connector, GivesFiles):
            ref = bench.keep_file(CONTENT)
            bench.drop_file(ref)
            assert isinstance(_refusal(bench.connector, ref, len), NotFound)

    def test_a_file_that_breaks_off_is_never_taken_for_whole(self, bench: Bench) -> None:
        """Whatever comes instead of its bytes, it is asked for later."""
        if isinstance(bench.connector, GivesFiles):
            ref = bench.keep_file(CONTENT)
            steps = {}
            for fault in BROKEN_OFF:
                with bench.wire(bench.file_reads, fault):
                    error = _refusal(bench.connector, ref, len)
                steps[fault] = None if error is None else error.next_step
            assert steps == dict.fromkeys(BROKEN_OFF, NextStep.RETRY)

    def test_whoever_takes_a_file_can_stop_it(self, bench: Bench) -> None:
        """What the taker raises comes through, and the next call is answered as ever."""
        if isinstance(bench.connector, GivesFiles):
            ref = bench.keep_file(CONTENT)
            taken: list[bytes] = []
            assert isinstance(_refusal(bench.connector, ref, _stop), Unsupported)
            assert _refusal(bench.connector, ref, taken.append) is None
            assert b"".join(taken) == CONTENT


def _refusal(
    connector: GivesFiles, ref: Ref, take: Callable[[bytes], object]
) -> TieoutError | None:
    """Return the error that reading a file ends with, None where it ends well."""
    try:
        connector.read_file(ref, take)
    except TieoutError as error:
        return error
    return None


def _stop(_piece: bytes) -> None:
    raise Unsupported("It is too much.")
