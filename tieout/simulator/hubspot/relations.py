"""Associations on the wire: read in batches that page for each record, made and removed.

Source: developers.hubspot.com/docs/api-reference/2026-03/crm/associations. At most 1,000 ids in a
read and 2,000 in a write; `paging` stands in a row only if that row has more. A record with no
association has no row but an error: NO_ASSOCIATIONS_FOUND.
"""

from collections.abc import Mapping
from typing import Any

from tieout.simulator.hubspot.call import Call, Reply, batch
from tieout.simulator.hubspot.errors import Refusal, bad_request, not_found
from tieout.simulator.hubspot.links import PRIMARY, Pair

MAX_READ = 1_000
MAX_WRITTEN = 2_000


def read_batch(call: Call) -> Reply:
    """Answer `POST /{from}/{to}/batch/read`."""
    pair = _pair(call)
    rows: list[dict[str, Any]] = []
    errors: list[Mapping[str, Any]] = []
    for one in call.inputs(MAX_READ):
        asked = str(one.get("id", ""))
        row = _row(call, pair, asked, str(one.get("after") or ""))
        if row is None:
            errors.append(_nothing(call, asked).batch_error(None))
        else:
            rows.append(row)
    return batch(call, rows, errors)


def read_of_one(call: Call) -> Reply:
    """Answer `GET /crm/objects/{from}/{id}/associations/{to}`."""
    pair = _pair(call)
    if call.portal.find(pair[0], call.words["id"]) is None:
        raise not_found()
    row = _row(call, pair, call.words["id"], call.query.get("after", "")) or {"to": []}
    content = {"results": row["to"]}
    if "paging" in row:
        content["paging"] = row["paging"]
    return Reply(content)


def create_batch(call: Call) -> Reply:
    """Answer `POST /{from}/{to}/batch/create`."""
    pair = _pair(call)
    results: list[dict[str, Any]] = []
    errors: list[Mapping[str, Any]] = []
    known = call.portal.links.labels[pair]
    for one in call.inputs(MAX_WRITTEN):
        source, target = (str(one.get(end, {}).get("id", "")) for end in ("from", "to"))
        types = [told.get("associationTypeId") for told in one.get("types") or ()]
        try:
            _link(call, pair, source, target, types)
        except Refusal as refusal:
            errors.append(refusal.batch_error(None))
            continue
        results.append(
            {
                "fromObjectTypeId": call.kind("kind").type_id,
                "fromObjectId": source,
                "toObjectTypeId": call.kind("to").type_id,
                "toObjectId": target,
                "labels": [known[one] for one in types if known[one]],
            }
        )
    return batch(call, results, errors, 201)


def create_defaults(call: Call) -> Reply:
    """Answer `POST /{from}/{to}/batch/associate/default`."""
    pair = _pair(call)
    results: list[dict[str, Any]] = []
    errors: list[Mapping[str, Any]] = []
    for one in call.inputs(MAX_WRITTEN):
        try:
            results.append(_link_by_default(call, pair, one["from"]["id"], one["to"]["id"]))
        except Refusal as refusal:
            errors.append(refusal.batch_error(None))
    return batch(call, results, errors)


def create_default(call: Call) -> Reply:
    """Answer `PUT /crm/objects/{from}/{id}/associations/default/{to}/{target}`."""
    made = _link_by_default(call, _pair(call), call.words["id"], call.words["target"])
    return batch(call, [made])


def archive_batch(call: Call) -> Reply:
    """Answer `POST /{from}/{to}/batch/archive`: the dated versions 200, v4 204."""
    pair = _pair(call)
    for one in call.inputs(MAX_WRITTEN):
        source = str(one.get("from", {}).get("id", ""))
        for told in one.get("to") or ():
            target = str(told.get("id", ""))
            if source.isdecimal() and target.isdecimal():
                call.portal.links.unlink(pair, int(source), int(target))
    return Reply(status=204) if call.version.startswith("v") else batch(call, [])


def labels(call: Call) -> Reply:
    """Answer `GET /{from}/{to}/labels`."""
    pair, links = _pair(call), call.portal.links
    return Reply({"results": links.types_shown(pair, links.labels[pair])})


def create_label(call: Call) -> Reply:
    """Answer `POST /{from}/{to}/labels`: a label of the portal's own, from both sides."""
    pair, links = _pair(call), call.portal.links
    label, back = str(call.body["label"]), call.body.get("inverseLabel")
    if label in links.labels[pair].values():
        raise Refusal(409, "OBJECT_ALREADY_EXISTS", f"There is a label {label} already")
    made = links.define(pair, label, back)
    told = links.types_shown(pair, [made])
    if back:
        told += links.types_shown(pair[::-1], [links.inverse[made]])
    return Reply({"results": told})


def _row(call: Call, pair: Pair, asked: str, after: str) -> dict[str, Any] | None:
    """Return a page of one record's associations; None if it has none."""
    portal = call.portal
    record = portal.find(pair[0], asked)
    if record is None:
        return None
    live = [
        (target, types)
        for target, types in portal.links.of(pair, record.id).items()
        if portal.find(pair[1], target) is not None
    ]
    if not live:
        return None
    start = int(after) if after.isdecimal() else 0
    page = live[start : start + portal.association_page]
    as_text = not call.version.startswith("v")  # v4 answers numbers, the dated versions texts
    row: dict[str, Any] = {
        "from": {"id": str(record.id)},
        "to": [
            {
                "toObjectId": str(target) if as_text else target,
                "associationTypes": portal.links.types_shown(pair, types),
            }
            for target, types in page
        ],
    }
    if start + len(page) < len(live):
        row["paging"] = {"next": {"after": str(start + len(page))}}
    return row


def _nothing(call: Call, asked: str) -> Refusal:
    source, target = call.kind("kind").singular, call.kind("to").singular
    return Refusal(
        404,
        "OBJECT_NOT_FOUND",
        f"No {target} is associated with {source} {asked}.",
        sub_category="crm.associations.NO_ASSOCIATIONS_FOUND",
        context={
            "fromObjectId": [asked],
            "fromObjectType": [source],
            "toObjectType": [target],
        },
    )


def _link(call: Call, pair: Pair, source: str, target: str, types: list[Any]) -> None:
    known = call.portal.links.labels[pair]
    if any(one not in known for one in types):
        raise bad_request(f"No association type {types} from {pair[0]} to {pair[1]}")
    if not (source.isdecimal() and target.isdecimal()):
        raise bad_request(f"{source} and {target} must be ids")
    primary = any(known[one] == PRIMARY for one in types)
    call.portal.link(pair, int(source), int(target), primary=primary, types=types)


def _link_by_default(call: Call, pair: Pair, source: str, target: str) -> dict[str, Any]:
    _link(call, pair, source, target, [])
    links = call.portal.links
    (shown,) = links.types_shown(pair, [links.default_type(pair)])
    spec = {"associationCategory": shown["category"], "associationTypeId": shown["typeId"]}
    return {"from": {"id": source}, "to": {"id": target}, "associationSpec": spec}


def _pair(call: Call) -> Pair:
    pair = (call.kind("kind").name, call.kind("to").name)
    if pair not in call.portal.links.labels:
        raise bad_request(f"{pair[0]} cannot be associated with {pair[1]}")
    return pair
