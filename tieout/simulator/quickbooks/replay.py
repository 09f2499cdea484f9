"""What the books remember of request ids (R22).

A request id is remembered with the answer it got, for as long as the memory reaches; in a batch
the pair of request id and bId is one. Refusals are not remembered: nothing was written.
"""

from collections import OrderedDict

from tieout.simulator.quickbooks import refusals
from tieout.simulator.quickbooks.refusals import Json

MAX_REQUEST_ID = 50
MAX_BATCH_REQUEST_ID = 36
MAX_BATCH_ITEM_ID = 10
"""Of a batch's request id and of each item's bId: the books join the two."""

ANSWERS = frozenset({"replay", "6000", "600"})


class Replay:
    """The last answers by request id."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.answers: OrderedDict[str, bytes] = OrderedDict()

    def recall(self, request_id: str | None, how: str) -> bytes | None:
        """Return the remembered answer, or None if the request is new.

        Raises:
            Refused: the id is too long; or it is remembered and `how` is 6000 or 600.
        """
        if request_id is None:
            return None
        if len(request_id) > MAX_REQUEST_ID:
            raise _too_long("request_id", request_id, MAX_REQUEST_ID)
        found = self.answers.get(request_id)
        if found is None or how == "replay":
            return found
        if how == "600":
            raise refusals.Refused(
                "600",
                "Duplicate Request ID",
                f"RequestId {request_id} already exists in the system, duplicate request is "
                "detected",
            )
        raise refusals.business(refusals.UNEXPECTED)

    def remember(self, request_id: str | None, answer: bytes) -> None:
        """Keep an answer, and let the oldest go."""
        if request_id is None or self.size == 0:
            return
        self.answers[request_id] = answer
        while len(self.answers) > self.size:
            self.answers.popitem(last=False)


def batch_key(request_id: str | None, item: Json) -> str | None:
    """Return the id under which an item of a batch is remembered.

    Raises:
        Refused: 6000, one of the two ids is longer than a batch's may be.
    """
    if request_id is None:
        return None
    item_id = str(item.get("bId", ""))
    if len(request_id) > MAX_BATCH_REQUEST_ID:
        raise _too_long("request_id", request_id, MAX_BATCH_REQUEST_ID)
    if len(item_id) > MAX_BATCH_ITEM_ID:
        raise _too_long("bId", item_id, MAX_BATCH_ITEM_ID)
    return f"{request_id}{item_id}"


def _too_long(name: str, given: str, limit: int) -> refusals.Refused:
    return refusals.business(
        f"You cannot enter more than {limit} characters in the {name} field. "
        f"You tried entering {given[:10]}..., which is {len(given)} characters."
    )
