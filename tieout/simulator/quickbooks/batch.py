"""Batches: up to thirty items in one call, each with an answer of its own (R22, R23)."""

from collections.abc import Callable

from tieout.simulator import jsonwire
from tieout.simulator.quickbooks import fields, query, refusals, replay, values, writing
from tieout.simulator.quickbooks.company import QuickBooksCompany
from tieout.simulator.quickbooks.records import KINDS
from tieout.simulator.quickbooks.refusals import Json, Refused

MAX_ITEMS = 30
MAX_BID = 50

_WRITES: dict[str, Callable[[QuickBooksCompany, str, Json], Json]] = {
    "create": writing.create,
    "update": writing.update,
    "delete": writing.delete,
    "void": writing.void,
}


def run(company: QuickBooksCompany, body: Json, request_id: str | None) -> list[Json]:
    """Answer each item; one item's refusal does not touch the others.

    Items run in their order, and none can refer to what an earlier one made. The order of the
    answers is the company's choice (`shuffle_batches`).

    Raises:
        Refused: 1040 more than thirty items, 2020 none, or one without a bId; 2010 another name.
    """
    fields.check_line_names(body, frozenset({"BatchItemRequest"}))
    items = values.listed(body, "BatchItemRequest")
    if not items:
        raise refusals.missing("BatchItemRequest")
    if len(items) > MAX_ITEMS:
        raise refusals.Refused(
            "1040",
            "Batch size exceeds allowed limit",
            f"The batch has {len(items)} items. The maximum is {MAX_ITEMS}.",
        )
    for item in items:
        if values.text(item, "bId", MAX_BID) is None:
            raise refusals.missing("bId")
    with company.blind_to_new():
        answers = [_item(company, item, request_id) for item in items]
    if company.shuffle_batches:
        company.dice.shuffle(answers)
    return answers


def _item(company: QuickBooksCompany, item: Json, request_id: str | None) -> Json:
    try:
        key = replay.batch_key(request_id, item)
        known = company.replay.recall(key, company.replay_answers)
        if known is not None:
            answer: Json = jsonwire.loads(known)
            return answer
        answer = _write(company, item)
    except Refused as refusal:
        answer = refusal.body()
    else:
        if "QueryResponse" not in answer:
            company.replay.remember(key, jsonwire.dumps({**answer, "bId": item.get("bId")}))
    return {**answer, "bId": item.get("bId")}


def _write(company: QuickBooksCompany, item: Json) -> Json:
    if "Query" in item:
        return {"QueryResponse": query.run(company, str(item["Query"]))}
    operation = str(item.get("operation", "")).lower()
    if operation == "update" and item.get("optionsData") == "void":
        operation = "void"
    write = _WRITES.get(operation)
    if write is None:
        raise refusals.unsupported(operation or "without a name")
    for kind in KINDS:
        if kind in item:
            return {kind: write(company, kind, values.nested(item, kind))}
    raise refusals.missing("an object")
