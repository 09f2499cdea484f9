"""unread: records of the books that could not be read, each a task until it can be or is ignored.

A feed that stopped at such a record would stop for ever, and its cursor does not show it twice. So
its page is taken without it, and it is asked for by its address in each round. A document that
cannot be read may be one of ours, or a twin: until a person has looked, nothing is sent.
"""

from __future__ import annotations

from collections.abc import Iterable

from sync_engine.feeds import FETCHED_AT_ONCE, runs
from sync_engine.ledger.sqlite import Ledger
from sync_engine.ledger.store import Reads, Writes
from sync_engine.mirror import DOCUMENTS, mirror_fetched
from sync_engine.pair import Pair
from sync_engine.states import LEFT_ALONE
from sync_engine.tasks import UNREAD, Wanted, answers, keep
from tieout.model.record import Unreadable
from tieout.model.ref import Ref

CODE = "unread-record"


def keep_unread(tx: Writes, pair: Pair, unread: Iterable[Unreadable]) -> None:
    """Open a task for each, in the commit of the page that showed it; an ignored one stays so."""
    for answer in unread:
        answered = answers(tx, _subject(pair, answer.ref)).get(CODE)
        if answered is None or answered["answer"] != LEFT_ALONE:
            _keep(tx, pair, answer.ref, [_wanted(answer)])


def read_again(ledger: Ledger, pair: Pair) -> None:
    """Ask again for what is unread; the task of what can be read now closes."""
    for some in runs(_unread(ledger, pair), FETCHED_AT_ONCE):
        fetched = list(pair.books.fetch(some))
        with ledger.transaction() as tx:
            moved = [mirror_fetched(tx, pair, answer) for answer in fetched]
            if any(moved):
                tx.run("pending_everywhere")
            for answer in fetched:
                if isinstance(answer, Unreadable):
                    _keep(tx, pair, answer.ref, [_wanted(answer)])
                else:
                    _keep(tx, pair, answer.ref, [])


def holds_back(ledger: Reads, pair: Pair) -> bool:
    """Whether a document of the books is unread, so that nothing may be sent."""
    return any(ref.kind in DOCUMENTS for ref in _unread(ledger, pair))


def _unread(ledger: Reads, pair: Pair) -> list[Ref]:
    company = pair.books.company
    rows = ledger.all("tasks_unread", pair=pair.name, company=company)
    return [Ref(company, row["source_kind"], row["source_id"]) for row in rows]


def _keep(tx: Writes, pair: Pair, ref: Ref, wanted: list[Wanted]) -> None:
    subject = _subject(pair, ref)
    keep(tx, pair=pair.name, family=UNREAD, subject=subject, source=ref, wanted=wanted)


def _wanted(answer: Unreadable) -> Wanted:
    ref, error = answer.ref, answer.error
    held = (
        "Nothing is sent meanwhile: it may be one of ours, or made by hand for a deal. Look at it "
        "in the books; `ignore` if it is neither."
        if ref.kind in DOCUMENTS
        else "`ignore` if it may be left out."
    )
    return Wanted(
        CODE,
        f"The books' {ref.kind} {ref.id} cannot be read",
        f"{ref.kind} {ref.id}: {error.what}",
        f"It is asked for again in each round. {held}",
        choices=(LEFT_ALONE,),
    )


def _subject(pair: Pair, ref: Ref) -> str:
    """Return what a task is about: a pair's record, for each pair of the same books is held."""
    return f"{pair.name}: {ref.company} {ref}"
