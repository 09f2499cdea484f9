"""linking: which invoice that a person made is which deal's. Pure, and each side is read once.

Clues are tried from the strongest on. A clue counts where it finds one record for one document and
that record for no other document: everything else is a question, and is never taken by itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Final, TypeAlias

CERTAIN_DAYS = 7  # so close to the deal's day an invoice of its customer and amount is certain

BY_ID: Final = "id"
BY_NUMBER: Final = "number"
BY_REFERENCE: Final = "reference"
BY_AMOUNT: Final = "customer, amount and date"
BY_PERSON: Final = "a person"
APART: Final = ", days apart"


@dataclass(frozen=True, slots=True)
class Unlinked:
    """A document that was never sent, as far as it tells which record it may be.

    ``customer`` is an id of the books, None while it is not known there; ``words`` are its order
    number and custom fields; ``ids`` and ``numbers`` what the CRM kept of an earlier invoice.
    """

    key: str
    customer: str | None = None
    day: date | None = None
    currency: str | None = None
    net: Decimal | None = None
    words: frozenset[str] = frozenset()
    ids: frozenset[str] = frozenset()
    numbers: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class ByHand:
    """A living record of the books that a person made and that is no document's yet.

    ``amounts`` are the figures that compare with a deal's; ``others`` find it too, as people write
    prices with and without the tax, and contradict it.
    """

    id: str
    number: str | None
    customer: str | None
    day: date | None
    currency: str | None
    amounts: frozenset[Decimal]
    words: frozenset[str] = frozenset()
    others: frozenset[Decimal] = frozenset()


@dataclass(frozen=True, slots=True)
class Link:
    """A document and the only record that a clue finds for it."""

    key: str
    record: str
    by: str
    differences: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """A document for which several records come into question, or one that others claim too."""

    key: str
    records: tuple[str, ...]
    by: str


@dataclass(slots=True)
class Links:
    """What was found: certain and likely links, questions, and what is on one side only."""

    certain: list[Link] = field(default_factory=list)
    likely: list[Link] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)
    documents: list[str] = field(default_factory=list)
    """Keys for which no record was found."""
    records: list[str] = field(default_factory=list)
    """Ids that no document was found for."""

    def unconfirmed(self) -> list[str]:
        """Return the keys of the documents for which a record was found, alone or among several."""
        links = [one.key for one in (*self.certain, *self.likely)]
        return [*links, *(one.key for one in self.questions)]

    def leave(self, keys: Collection[str]) -> set[str]:
        """Leave out these documents; return the ids of the records that are theirs alone."""
        links = [*self.certain, *self.likely]
        theirs = {one.record for one in links if one.key in keys}
        theirs |= {one for each in self.questions if each.key in keys for one in each.records}
        self.certain = [one for one in self.certain if one.key not in keys]
        self.likely = [one for one in self.likely if one.key not in keys]
        self.questions = [one for one in self.questions if one.key not in keys]
        self.documents = [key for key in self.documents if key not in keys]
        return theirs - {one for each in self.questions for one in each.records}

    def take(self, key: str, record: str) -> None:
        """Add a link that a person has confirmed."""
        self.certain.append(Link(key, record, BY_PERSON))


Clue: TypeAlias = Callable[[Unlinked], Iterable[ByHand]]


def links(
    documents: Sequence[Unlinked],
    records: Sequence[ByHand],
    *,
    days: int,
    certain_days: int = CERTAIN_DAYS,
) -> Links:
    """Return which record each document is, and what is missing on either side.

    A link is certain when an id, a number or a reference found it and nothing contradicts, or when
    the customer, the amount, the currency and, within ``certain_days``, the day agree. It is likely
    when something contradicts, or the day is up to ``days`` away; of a reference further: the order
    number of a frame contract stands on the sales of years.

    Args:
        documents: what waits on our side, in the order of the answer.
        records: what people made on the other side.
        days: how far apart the days of the same sale may lie.
        certain_days: and how far where it is certain.
    """
    found = Links()
    open_documents = {one.key: one for one in documents}
    open_records = {one.id: one for one in records}
    asked: dict[str, Question] = {}
    in_question: set[str] = set()
    for by, clue in _clues(records, min(days, certain_days), days):
        claims = _claims(open_documents, open_records, clue)
        claimed: dict[str, list[str]] = defaultdict(list)
        for key, some in claims.items():
            for record in some:
                claimed[record.id].append(key)
        alone = {
            key: some[0]
            for key, some in claims.items()
            if len(some) == 1 and len(claimed[some[0].id]) == 1
        }
        for key, alike in alone.items():
            doubted = key in asked or alike.id in in_question
            document, record = open_documents.pop(key), open_records.pop(alike.id)
            apart = by.endswith(APART) or (
                by == BY_REFERENCE and _is_apart(document.day, record.day, days)
            )
            _take(found, document, record, by, doubted=doubted, apart=apart)
            asked.pop(key, None)
        for key in claims.keys() - alone.keys():
            ids = tuple(record.id for record in claims[key])
            asked.setdefault(key, Question(key, ids, by.removesuffix(APART)))
            in_question.update(ids)
    _settle(found, documents, open_records, asked)
    return found


def contradictions(document: Unlinked, record: ByHand) -> tuple[str, ...]:
    """Return what a document and a record say differently, of what tells one sale from another."""
    return tuple(
        name
        for name, differs in (
            ("customer", document.customer != record.customer),
            ("currency", document.currency != record.currency),
            ("amount", document.net not in record.amounts),
        )
        if differs
    )


def _take(
    found: Links, document: Unlinked, record: ByHand, by: str, *, doubted: bool, apart: bool
) -> None:
    """Link a document; what a stronger clue left in question is likely at most."""
    differences = contradictions(document, record)
    if apart:
        differences = (*differences, "date")
    link = Link(document.key, record.id, by.removesuffix(APART), differences)
    (found.likely if differences or doubted else found.certain).append(link)


def _settle(
    found: Links,
    documents: Sequence[Unlinked],
    records: Mapping[str, ByHand],
    asked: Mapping[str, Question],
) -> None:
    """Sort what no clue linked: questions that still have a record, and what nothing was found for.

    Everything is in the order in which the documents came.
    """
    place = {one.key: n for n, one in enumerate(documents)}
    linked = {one.key for one in (*found.certain, *found.likely)}
    for some in (found.certain, found.likely):
        some.sort(key=lambda link: place[link.key])
    for one in documents:
        question = asked.get(one.key)
        left = () if question is None else tuple(id_ for id_ in question.records if id_ in records)
        if question is not None and left:
            found.questions.append(Question(one.key, left, question.by))
        elif one.key not in linked:
            found.documents.append(one.key)
    in_question = {number for one in found.questions for number in one.records}
    found.records = [number for number in records if number not in in_question]


def _claims(
    documents: Mapping[str, Unlinked], records: Mapping[str, ByHand], clue: Clue
) -> dict[str, list[ByHand]]:
    """Return for each document the open records that one clue finds; those with any."""
    claims = {
        key: [record for record in clue(document) if record.id in records]
        for key, document in documents.items()
    }
    return {key: some for key, some in claims.items() if some}


def _clues(records: Sequence[ByHand], near: int, far: int) -> Iterator[tuple[str, Clue]]:
    """Yield each clue with the index that it looks into, the strongest first."""
    by_id = _index(records, lambda one: [one.id])
    by_number = _index(records, lambda one: [one.number] if one.number else [])
    by_words = _index(records, lambda one: one.words)
    sales = _index(
        records,
        lambda one: [(one.customer, one.currency, amount) for amount in one.amounts | one.others],
    )

    def sold(document: Unlinked, days: int) -> list[ByHand]:
        if document.customer is None or document.day is None:
            return []
        same = sales.get((document.customer, document.currency, document.net), [])
        return [one for one in same if _is_within(document.day, one.day, days)]

    yield BY_ID, lambda document: _all_of(by_id, document.ids)
    yield BY_NUMBER, lambda document: _all_of(by_number, document.numbers)
    yield BY_REFERENCE, lambda document: _all_of(by_words, document.words)
    yield BY_AMOUNT, lambda document: sold(document, near)
    yield BY_AMOUNT + APART, lambda document: sold(document, far)


def _index(
    records: Sequence[ByHand], of: Callable[[ByHand], Iterable[object]]
) -> Mapping[object, list[ByHand]]:
    index: dict[object, list[ByHand]] = defaultdict(list)
    for record in records:
        for name in of(record):
            index[name].append(record)
    return index


def _all_of(index: Mapping[object, list[ByHand]], names: Iterable[str]) -> list[ByHand]:
    """Return the records that any of the names finds, each once."""
    found = {record.id: record for name in sorted(names) for record in index.get(name, ())}
    return list(found.values())


def _is_apart(day: date | None, other: date | None, days: int) -> bool:
    return day is not None and not _is_within(day, other, days)


def _is_within(day: date, other: date | None, days: int) -> bool:
    return other is not None and abs(day - other) <= timedelta(days=days)
