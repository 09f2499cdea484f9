"""Keeps a company in a file between two lives of the simulator."""

import os
from dataclasses import fields
from datetime import date, datetime
from pathlib import Path

from tieout.simulator import jsonwire
from tieout.simulator.clock import Now
from tieout.simulator.quickbooks.company import QuickBooksCompany
from tieout.simulator.quickbooks.oauth import Authority
from tieout.simulator.quickbooks.payments import links_of
from tieout.simulator.quickbooks.records import Gone, Record, references_in
from tieout.simulator.quickbooks.refusals import Json

FORMAT = 1


def save(company: QuickBooksCompany, path: Path) -> None:
    """Write the company's whole state; the file is replaced at once or not at all."""
    with company.lock:
        content = jsonwire.dumps(_state(company))
    _replace(path, content)


def save_authority(authority: Authority, path: Path) -> None:
    """Write who is connected, so that tokens outlive the simulator's process."""
    _replace(path, jsonwire.dumps({"format": FORMAT, **authority.state()}))


def load_authority(path: Path, now: Now) -> Authority:
    """Return the authority that `save_authority` wrote.

    Raises:
        ValueError: the file is not one of ours, or of another format.
    """
    return Authority.from_state(_read(path), now)


def load(path: Path, now: Now) -> QuickBooksCompany:
    """Return the company that `save` wrote, on another clock.

    Raises:
        ValueError: the file is not one of ours, or of another format.
    """
    state = _read(path)
    settings = state["settings"]
    settings["custom_fields"] = tuple(settings["custom_fields"])
    if settings["book_close_date"] is not None:
        settings["book_close_date"] = date.fromisoformat(settings["book_close_date"])
    company = QuickBooksCompany(now=now, **settings)
    company.rates = state["rates"]
    company.contents = state.get("contents", {})
    company.next_ids = state["next_ids"]
    company.next_number = state["next_number"]
    company.preferences_token = state["preferences_token"]
    company.born = datetime.fromisoformat(state["born"])
    company.preferences_updated = datetime.fromisoformat(state["preferences_updated"])
    for request_id, answer in state["replay"]:
        company.replay.remember(request_id, answer.encode())
    for kind, kept in state["tables"].items():
        company.restore(kind, map(_record, kept["rows"]), map(_gone, kept["gone"]))
        company.tables[kind].reorder(kept["recent"])
    for kind in company.tables:
        for record in company.tables[kind].rows.values():
            _relink(company, kind, record.body)
    for payment in company.tables["Payment"].rows.values():
        for target, amount in links_of(payment.body).items():
            company.applied.setdefault(target, {})[payment.id] = amount
    return company


def _read(path: Path) -> Json:
    state = jsonwire.loads(path.read_bytes())
    if not isinstance(state, dict) or state.get("format") != FORMAT:
        raise ValueError(f"{path} is not a simulator's state of format {FORMAT}")
    return state


def _replace(path: Path, content: bytes) -> None:
    beside = path.with_name(f"{path.name}.new")
    beside.write_bytes(content)
    os.replace(beside, path)  # noqa: PTH105 - the name says that it is atomic


def _state(company: QuickBooksCompany) -> Json:
    settings = {
        one.name: getattr(company, one.name)
        for one in fields(company)
        if one.init and one.name != "now"
    }
    if company.book_close_date is not None:
        settings["book_close_date"] = company.book_close_date.isoformat()
    return {
        "format": FORMAT,
        "settings": settings,
        "rates": company.rates,
        "contents": company.contents,
        "next_ids": company.next_ids,
        "next_number": company.next_number,
        "preferences_token": company.preferences_token,
        "born": company.born.isoformat(),
        "preferences_updated": company.preferences_updated.isoformat(),
        "replay": [[one, answer.decode()] for one, answer in company.replay.answers.items()],
        "tables": {
            kind: {
                "rows": [_row(record) for record in table.rows.values()],
                "gone": [
                    {**_row(gone.record), "at": gone.at.isoformat()} for gone in table.gone.values()
                ],
                "recent": table.order_of_change(),
            }
            for kind, table in company.tables.items()
        },
    }


def _row(record: Record) -> Json:
    return {
        "id": record.id,
        "body": record.body,
        "created": record.created.isoformat(),
        "updated": record.updated.isoformat(),
        "token": record.token,
        "voided": record.voided,
        "deposited": record.deposited,
        "by_hand": record.by_hand,
    }


def _record(row: Json) -> Record:
    return Record(
        id=row["id"],
        body=row["body"],
        created=datetime.fromisoformat(row["created"]),
        updated=datetime.fromisoformat(row["updated"]),
        token=row["token"],
        voided=row["voided"],
        deposited=row["deposited"],
        by_hand=row["by_hand"],
    )


def _gone(row: Json) -> Gone:
    return Gone(_record(row), datetime.fromisoformat(row["at"]))


def _relink(company: QuickBooksCompany, kind: str, body: Json) -> None:
    """Let references share their record's name again, so that a rename shows everywhere."""
    if "CurrencyRef" in body:
        body["CurrencyRef"] = company.currency(body["CurrencyRef"]["value"])
    for holder, name, other in list(references_in(kind, body)):
        record = company.tables[other].rows.get(holder[name]["value"])
        if record is not None:
            holder[name] = record.ref
