"""Connectors that give files otherwise than they are, each with the test that catches it."""

import contextlib

from connectors.hubspot import HubSpot
from tieout.model.errors import NotFound, TieoutError, Unavailable


class HoldsAFileInMemory(HubSpot):
    def read_file(self, ref, take):
        held = []
        super().read_file(ref, held.append)
        take(b"".join(held))


class CallsAnEmptyFileMissing(HubSpot):
    def read_file(self, ref, take):
        taken = []
        super().read_file(ref, lambda piece: (taken.append(len(piece)), take(piece)))
        if not taken:
            raise NotFound


class AsksForADeletedFileForEver(HubSpot):
    def read_file(self, ref, take):
        try:
            super().read_file(ref, take)
        except NotFound as missing:
            raise Unavailable from missing


class TakesWhatCameForAll(HubSpot):
    def read_file(self, ref, take):
        with contextlib.suppress(Unavailable):
            super().read_file(ref, take)


class GoesOnWhateverIsSaid(HubSpot):
    def read_file(self, ref, take):
        def taken(piece):
            with contextlib.suppress(TieoutError):
                take(piece)

        super().read_file(ref, taken)


CAUGHT = {
    HoldsAFileInMemory: "test_a_file_comes_whole_in_its_order_and_in_pieces",
    CallsAnEmptyFileMissing: "test_an_empty_file_has_no_bytes",
    AsksForADeletedFileForEver: "test_a_file_that_was_deleted_is_not_found",
    TakesWhatCameForAll: "test_a_file_that_breaks_off_is_never_taken_for_whole",
    GoesOnWhateverIsSaid: "test_whoever_takes_a_file_can_stop_it",
}
