"""The states of a document that several stages ask about, and the answers that decide one."""

from __future__ import annotations

IN_THE_BOOKS = frozenset({"posted", "voided", "deleted"})
ASKED = IN_THE_BOOKS | {"sending", "unknown"}  # something was sent: never planned again
DECIDED = frozenset({"planned", "waiting", "approved", "rejected", "refused"})
OVERRULED = "create"  # the answer that says: it is no twin, go on
LEFT_ALONE = "ignore"
