"""What a sales team does after the sale, and what makes middleware wrong about it.

Each deed is a function here and a name for `POST /__deeds`:
`{"deed": "edit_line", "line": "1000000004", "properties": {"quantity": "3"}}`. A deed goes the
same way as a write through the API, so that it moves the same times of change.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from tieout.simulator.hubspot import own_objects
from tieout.simulator.hubspot.errors import not_found
from tieout.simulator.hubspot.keys import Token
from tieout.simulator.hubspot.links import PRIMARY
from tieout.simulator.hubspot.oauth import app_of
from tieout.simulator.hubspot.own_objects import OwnObject
from tieout.simulator.hubspot.portal import HubSpotPortal
from tieout.simulator.hubspot.records import Record
from tieout.simulator.hubspot.schema import custom

P = ParamSpec("P")
Deed = Callable[Concatenate[HubSpotPortal, P], Any]
DEEDS: dict[str, Deed[...]] = {}


def play(portal: HubSpotPortal, told: Mapping[str, Any]) -> Any:
    """Do one deed by its name; returns what it made: an id, or nothing.

    Raises:
        KeyError: there is no such deed.
        TypeError: the deed needs other words.
        Refusal: the portal does not take it.
    """
    words = dict(told)
    return DEEDS[words.pop("deed")](portal, **words)


def deed(function: Deed[P]) -> Deed[P]:
    """Let a function be played by its name, with the portal locked meanwhile."""

    @wraps(function)
    def locked(portal: HubSpotPortal, /, *args: P.args, **kwargs: P.kwargs) -> Any:
        with portal.lock:
            return function(portal, *args, **kwargs)

    DEEDS[locked.__name__] = locked
    return locked


@deed
def edit_deal(portal: HubSpotPortal, deal: str, properties: Mapping[str, Any]) -> None:
    """Change a deal's amount, close date, purchase order number, ..."""
    portal.update("deals", record_of(portal, "deals", deal), properties)


@deed
def edit_line(portal: HubSpotPortal, line: str, properties: Mapping[str, Any]) -> None:
    """Change a line; its deal's time of change does not move (R41)."""
    portal.update("line_items", record_of(portal, "line_items", line), properties)


@deed
def add_line(portal: HubSpotPortal, deal: str, properties: Mapping[str, Any]) -> str:
    """Add a line to a deal; returns its id."""
    parent = record_of(portal, "deals", deal)
    currency = parent.values.get("deal_currency_code")
    given = {"hs_line_item_currency_code": currency, "quantity": "1", **properties}
    line = portal.create("line_items", given)
    portal.link(("line_items", "deals"), line.id, parent.id)
    return str(line.id)


@deed
def remove_line(portal: HubSpotPortal, line: str) -> None:
    """Remove a line: it is archived, and no search shows it any more."""
    portal.archive("line_items", record_of(portal, "line_items", line))


@deed
def reopen(portal: HubSpotPortal, deal: str) -> None:
    """Move a closed deal back to its pipeline's first stage."""
    _move(portal, deal, "open")


@deed
def win(portal: HubSpotPortal, deal: str) -> None:
    """Move a deal to its pipeline's won stage, (again) on the date that it has."""
    _move(portal, deal, "won")


@deed
def lose(portal: HubSpotPortal, deal: str) -> None:
    """Move a deal to its pipeline's lost stage."""
    _move(portal, deal, "lost")


@deed
def clone(portal: HubSpotPortal, deal: str, changes: Mapping[str, Any] | None = None) -> str:
    """Copy a deal with its lines and links; unique values stay behind. Returns the new id.

    ``changes`` are what a person makes otherwise before it is saved.
    """
    source = record_of(portal, "deals", deal)
    made = portal.create("deals", {**copied(portal, "deals", source), **(changes or {})})
    for target_kind in ("companies", "contacts"):
        pair = ("deals", target_kind)
        for target, types in portal.links.of(pair, source.id).items():
            primary = portal.links.primary_type(pair) in types
            portal.link(pair, made.id, target, primary=primary, types=types)
    for line_id in list(portal.links.of(("deals", "line_items"), source.id)):
        line = portal.find("line_items", line_id)
        if line is not None:
            copy = portal.create("line_items", copied(portal, "line_items", line))
            portal.link(("line_items", "deals"), copy.id, made.id)
    return str(made.id)


@deed
def merge(portal: HubSpotPortal, kind: str, primary: str, other: str) -> str:
    """Merge two deals, companies or contacts; returns the new id (R41)."""
    records = [record_of(portal, kind, one) for one in (primary, other)]
    return str(portal.merge(kind, *records).id)


@deed
def archive(portal: HubSpotPortal, kind: str, id: str) -> None:  # noqa: A002 - the wire's word
    """Archive a record."""
    portal.archive(kind, record_of(portal, kind, id))


@deed
def restore(portal: HubSpotPortal, kind: str, id: str) -> None:  # noqa: A002 - the wire's word
    """Bring an archived record back."""
    found = portal.find(kind, id, archived=True)
    if found is None:
        raise not_found()
    portal.restore(kind, found)


@deed
def edit_company(portal: HubSpotPortal, company: str, properties: Mapping[str, Any]) -> None:
    """Rename a company, move it, give it other terms; its deals' times do not move (R41)."""
    portal.update("companies", record_of(portal, "companies", company), properties)


@deed
def add_payment(portal: HubSpotPortal, deal: str, properties: Mapping[str, Any]) -> str:
    """Record a payment of a deal, succeeded and today unless told; returns its id."""
    parent = record_of(portal, "deals", deal)
    given = {
        "hs_currency_code": parent.values.get("deal_currency_code"),
        "hs_latest_status": "succeeded",
        "hs_initiated_date": portal.present(),
        **properties,
    }
    payment = portal.create("commerce_payments", given)
    portal.link(("commerce_payments", "deals"), payment.id, parent.id)
    return str(payment.id)


@deed
def edit_payment(portal: HubSpotPortal, payment: str, properties: Mapping[str, Any]) -> None:
    """Change a payment's amount, date or status (a refund)."""
    portal.update("commerce_payments", record_of(portal, "commerce_payments", payment), properties)


@deed
def define_object(
    portal: HubSpotPortal,
    name: str,
    properties: Mapping[str, str],
    associated: list[str],
) -> str:
    """Define a (custom) object: the types of its properties by their names, the first is shown.

    Returns its full name.
    """
    field_types = {"date": "date", "datetime": "date", "number": "number", "enumeration": "select"}
    told = OwnObject(
        name, name, f"{name}s", next(iter(properties)), tuple(associated), portal.present()
    )
    made = [
        custom(name=each, label=each, type=type_, field_type=field_types.get(type_, "text"))
        for each, type_ in properties.items()
    ]
    return own_objects.define(portal, told, made).name


@deed
def create(
    portal: HubSpotPortal,
    kind: str,
    properties: Mapping[str, Any],
    links: Mapping[str, list[str]] | None = None,
) -> str:
    """Make a record, linked with others: their ids by their kinds. Returns its id."""
    made = portal.create(kind, properties)
    for other, ids in (links or {}).items():
        for one in ids:
            portal.link((kind, other), made.id, int(one))
    return str(made.id)


@deed
def edit(portal: HubSpotPortal, kind: str, id: str, properties: Mapping[str, Any]) -> None:  # noqa: A002 - the wire's word
    """Change a record of any kind."""
    portal.update(kind, record_of(portal, kind, id), properties)


@deed
def define_label(
    portal: HubSpotPortal, kind: str, to: str, label: str, back: str | None = None
) -> int:
    """Let associations of two kinds have a label; ``back`` is its word from the other side."""
    return portal.links.define((kind, to), label, back)


@deed
def label(portal: HubSpotPortal, kind: str, id: str, to: str, target: str, label: str) -> None:  # noqa: A002 - the wire's word
    """Link two records with a label that is defined, which may be the primary one."""
    known = portal.links.labels[kind, to]
    types = [type_id for type_id, named in known.items() if named == label]
    if not types:
        raise not_found(f"There is no label {label} from {kind} to {to}")
    portal.link((kind, to), int(id), int(target), primary=label == PRIMARY, types=types)


@deed
def part(portal: HubSpotPortal, kind: str, id: str, to: str, target: str) -> None:  # noqa: A002 - the wire's word
    """Part two records."""
    portal.links.unlink((kind, to), int(id), int(target))


@deed
def attach_file(
    portal: HubSpotPortal,
    deal: str,
    name: str,
    content: str | bytes = "",
    size: int | None = None,
) -> str:
    """Put a file on a deal, by a note; returns the file's id.

    A text is its bytes in UTF-8. ``size`` stands for bytes that nobody wants to hold in memory.
    """
    parent = record_of(portal, "deals", deal)
    given = content.encode() if isinstance(content, str) else content
    stored = portal.files.keep(name, given, portal.present(), size)
    words = {"hs_timestamp": portal.present(), "hs_attachment_ids": str(stored.id)}
    note = portal.create("notes", words)
    portal.link(("notes", "deals"), note.id, parent.id)
    portal.note_activity("deals", parent)
    return str(stored.id)


@deed
def replace_file(portal: HubSpotPortal, file: str, content: str) -> None:
    """Put other bytes under a file's id."""
    stored = portal.files.held[int(file)]
    stored.content, stored.size = content.encode(), len(content.encode())
    stored.updated = max(portal.present(), stored.updated + 1)


@deed
def delete_file(portal: HubSpotPortal, file: str) -> None:
    """Delete a file; the note still names it."""
    portal.files.held[int(file)].archived = True


@deed
def grant_token(
    portal: HubSpotPortal,
    token: str,
    scopes: list[str] | None = None,
    expires_at: str | None = None,
) -> None:
    """Make a token, with some scopes or all, for ever or until an instant in ISO 8601."""
    portal.tokens[token] = Token(
        None if scopes is None else frozenset(scopes),
        None if expires_at is None else datetime.fromisoformat(expires_at),
    )


@deed
def revoke_token(portal: HubSpotPortal, token: str) -> None:
    """Take a token out of force at once."""
    portal.tokens[token] = Token(revoked=True)


@deed
def uninstall_app(portal: HubSpotPortal) -> None:
    """Take back all that the portal gave its OAuth app."""
    app_of(portal).uninstall()


def _move(portal: HubSpotPortal, deal: str, where: str) -> None:
    record = record_of(portal, "deals", deal)
    pipeline = next(one for one in portal.pipelines if one.id == record.values["pipeline"])
    stage = {
        "open": pipeline.stages[0],
        "won": pipeline.won_stage,
        "lost": next(one for one in pipeline.stages if one.closed and not one.won),
    }[where]
    portal.update("deals", record, {"dealstage": stage.id})


def copied(portal: HubSpotPortal, kind: str, source: Record) -> dict[str, str]:
    """Return what a clone of a record begins with: neither unique nor computed values."""
    properties = portal.properties[kind]
    return {
        name: value
        for name, value in source.values.items()
        if not (properties[name].unique or properties[name].read_only)
    }


def record_of(portal: HubSpotPortal, kind: str, record_id: str) -> Record:
    """Find a record that a deed is about.

    Raises:
        Refusal: 404, it is not there.
    """
    record = portal.find(kind, record_id)
    if record is None:
        raise not_found(f"No {portal.kinds[kind].singular} with ID {record_id} exists")
    return record
