"""What must exist in a CRM before Tieout can write to it: looked for, made, or told to a person.

It goes through the connector's own questions: find by name, prepare, apply. Asking twice makes
nothing twice, so nothing of it is kept in the ledger.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, runtime_checkable

from tieout.model.canonical import Values
from tieout.model.change import Create
from tieout.model.contract import Connector, Request
from tieout.model.errors import Duplicate, OutcomeUnknown, Rejected, Unauthorized
from tieout.model.lookup import Found, Lookup, NotKnown

OURS = "tieout"  # what is called so is nobody else's
UNCLEAR = "No answer came, and it is not found: run `tieout provision` again."
BORNE = ("label", "help", "group")  # by one of them a field under another name is known


@runtime_checkable
class Provisions(Protocol):
    """A connector whose system needs fields of ours."""

    def provisions(self) -> Sequence[Create]:
        """Return what must exist, in the order in which it can be made.

        Where a field is there whose list lacks a choice of ours, that choice must exist too.

        Raises:
            TieoutError: the system does not answer.
        """
        ...


@dataclass(frozen=True, slots=True)
class Provided:
    """One thing that must exist: it was there, was made, or must be made by hand, and why."""

    kind: str
    values: Values
    state: Literal["there", "made", "by hand"]
    why: str = ""

    @property
    def instruction(self) -> str:
        """What a person does where Tieout may not."""
        said = ", ".join(
            f"{name} {_words(held)}"
            for name, held in self.values.items()
            if name not in {"object", "name", "label", "kept"} and held not in (None, "", False)
        )
        kind = self.kind.replace("_", " ")
        about = f"for {self.values['object']}s, internal name {self.values['name']}"
        return f"{kind} “{self.values['label']}” {about}" + (f" ({said})" if said else "")


def provide(connector: Connector, *, dry: bool = False) -> Iterator[Provided]:
    """Make what is missing; with ``dry`` only say what that is.

    Where Tieout may not ask or make, it says what a person must look for and make, and why.

    Raises:
        TieoutError: the system does not answer.
    """
    wanted = connector.provisions() if isinstance(connector, Provisions) else ()
    doubtful: list[Create] = []
    peoples: dict[tuple[object, object], str] = {}  # fields that are not ours, and why
    for create in wanted:
        about = create.values["object"]
        field = create.values.get("column") or create.values["name"]
        if (about, field) in peoples:  # no right to it, key of it or choice in it
            yield Provided(create.kind, create.values, "by hand", peoples[about, field])
            continue
        try:
            found = _found(connector, create)
        except (Rejected, Unauthorized) as refused:
            yield Provided(create.kind, create.values, "by hand", str(refused))
            continue
        if found is not None:
            strange = _strange(create.values, found)
            if strange:
                peoples[about, field] = strange
            yield Provided(create.kind, create.values, "by hand" if strange else "there", strange)
        elif dry:
            yield Provided(create.kind, create.values, "by hand")
        else:
            provided = _made(connector, create)
            if provided is None:
                doubtful.append(create)
            else:
                yield provided
    for create in doubtful:  # a system may show a thing only once all is published
        if _found(connector, create) is not None:
            yield Provided(create.kind, create.values, "made")
        else:
            yield Provided(create.kind, create.values, "by hand", UNCLEAR)


def _made(connector: Connector, create: Create) -> Provided | None:
    """Make one thing; None where nobody can say yet whether it was made."""
    request = Request(_name(create), create, str(create.values["label"]))
    try:
        parcels = connector.prepare([request])
    except Rejected as refused:  # what a system's connector leaves to people
        return Provided(create.kind, create.values, "by hand", str(refused))
    for parcel in parcels:
        for outcome in connector.apply(parcel):
            error = outcome.error
            if isinstance(error, OutcomeUnknown):
                if _found(connector, create) is None:
                    return None
                error = None
            if isinstance(error, Duplicate):  # also one that a list does not show, or just made
                return Provided(create.kind, create.values, "there")
            if error is not None:
                return Provided(create.kind, create.values, "by hand", str(error))
    return Provided(create.kind, create.values, "made")


def _found(connector: Connector, create: Create) -> Found | None:
    (answer,) = connector.find(create.kind, [Lookup(create.kind, "name", _name(create))])
    if isinstance(answer, NotKnown):
        raise answer.error
    return answer if isinstance(answer, Found) else None


def _strange(wanted: Values, found: Found) -> str:
    """Return why a field of this name cannot be ours, empty where it can.

    Of what a company named itself it must bear our label, description or group: what people keep
    in a field of their own would be overwritten. Its label alone may be people's where the name is
    ours.

    ``found`` shows the types of ours that the field may have, whether it is unique, and what it
    bears, each where the system tells.
    """
    shown: Mapping[str, Any] = found.record.fields if found.record else {}
    if "type" not in wanted or not shown:
        return ""
    remedy = "Choose another name with the options field_…, or let this one be as it must."
    if wanted["type"] not in shown.get("types", [wanted["type"]]):
        return f"There is one of this name, of another type than {wanted['type']}. {remedy}"
    is_unique = bool(wanted.get("unique"))
    if shown.get("unique", is_unique) != is_unique:
        must = "must be unique" if is_unique else "must not be unique"
        return f"There is one of this name, and it {must}. {remedy}"
    ours = {wanted[name] for name in BORNE if wanted.get(name)}
    is_named_by_us = OURS in str(wanted["name"]).casefold()
    if not is_named_by_us and ours.isdisjoint(shown.get("bears", ours)):
        return f"There is one of this name that is not ours: its values would be lost. {remedy}"
    return ""


def _name(create: Create) -> str:
    return f"{create.values['object']}.{create.values['name']}"


def _words(held: object) -> str:
    if isinstance(held, Mapping):
        held = list(held.values())
    if isinstance(held, list | tuple):
        return "/".join(map(str, held))
    return "yes" if held is True else str(held)
