"""answer: what a person says to a task, taken with all that follows from it in one commit."""

from __future__ import annotations

import json

from sync_engine.addresses import source_of
from sync_engine.draft import draft_source, setting_of
from sync_engine.ledger.sqlite import Ledger
from sync_engine.ledger.store import Reads, Row, Writes
from sync_engine.pair import Pair
from sync_engine.receipts import link
from sync_engine.resolve import ANY_ID
from sync_engine.standing import Way
from sync_engine.tasks import WRITE_BACK
from tieout.model.errors import NotFound, Rejected


def open_task(ledger: Reads, number: int) -> Row:
    """Return an open task.

    Raises:
        NotFound: no such open task.
    """
    row = ledger.one("task_get", id=number)
    if row is None or row["state"] != "open":
        raise NotFound(f"There is no open task {number}.", remedy="`tieout tasks` lists them.")
    return row


def take_answer(
    ledger: Ledger, pair: Pair, number: int, choice: str, *, who: str, reason: str
) -> None:
    """Take an answer down, and have what it concerns planned, told and compared again.

    Raises:
        NotFound: no such open task; its cause may have gone meanwhile.
        Rejected: the choice is none of its choices.
    """
    task = open_task(ledger, number)
    _demand_choice(ledger, pair, task, choice)
    subject = task["subject"]
    with ledger.transaction() as tx:
        tx.run("task_answer", id=number, answer=choice, who=who, reason=reason, at=tx.now_text())
        tx.journal(who, "answered", subject, {"task": number, "answer": choice, "reason": reason})
        if choice == "retry":
            tx.run("document_retry", key=subject, at=tx.now_text())
            _go_on(tx, subject)
            if subject.startswith(WRITE_BACK):
                tx.run("documents_tell_again", pair=pair.name)
        tx.run("document_look_at", key=subject)
        tx.run("touch_document", pair=pair.name, key=subject)
        tx.run("dependants_again", pair=pair.name, need=subject)
        if choice.startswith("link:"):
            _link(tx, pair, task, choice.removeprefix("link:"))


def _go_on(tx: Writes, key: str) -> None:
    """Let a credit's application go again as it was approved with its credit."""
    correction = tx.one("correction_get", key=key)
    if correction is not None and correction["way"] == Way.APPLY:
        tx.run("document_state", key=key, state="approved", reason=None, at=tx.now_text())


def _demand_choice(ledger: Reads, pair: Pair, task: Row, choice: str) -> None:
    choices = json.loads(task["choices"])
    if choice in choices or (ANY_ID in choices and _is_id(ledger, pair, task, choice)):
        return
    listed = ", ".join(choices) or "none: mend its cause and it closes by itself"
    raise Rejected(f"{choice!r} is no answer to task {task['id']}.", remedy=f"Choices: {listed}.")


def _is_id(ledger: Reads, pair: Pair, task: Row, choice: str) -> bool:
    """Whether an answer is the id of a record of the kind that the task asks for."""
    kind = task["code"].split("-")[1]
    row = ledger.one("mirror_get", company=pair.books.company, kind=kind, id=choice)
    return row is not None and not row["gone"]


def bind(tx: Writes, pair: Pair, document: Row, record_id: str) -> None:
    """Take a record of the books for what a document is, as a person says.

    Raises:
        NotFound: the books were never seen to have it.
        Rejected: it is another document's already.
    """
    address = {"company": pair.books.company, "kind": document["kind"], "id": record_id}
    row = tx.one("mirror_get", **address)
    if row is None:
        raise NotFound(f"The books' {document['kind']} {record_id} is not in the mirror.")
    owner = tx.one("document_of_record", **address)
    if owner is not None and owner["key"] != document["key"]:
        raise Rejected(
            f"The books' {document['kind']} {record_id} is linked to {owner['title']} already.",
            remedy="One record is one deal's: answer `create` or `ignore` here.",
        )
    mapping = next(held for held in pair.mappings if held.identity == document["mapping"])
    sketch = draft_source(
        tx, pair, mapping, source_of(document), setting_of(tx, pair), document["part"]
    )
    link(tx, pair, sketch, row, how="linked")


def _link(tx: Writes, pair: Pair, task: Row, record_id: str) -> None:
    """Bind the document that a task is about."""
    document = tx.one("document_get", key=task["subject"])
    if document is None:
        raise NotFound(f"There is no document {task['subject']}.")
    bind(tx, pair, document, record_id)
    tx.run("pending_everywhere")  # others may have asked whether it is theirs
