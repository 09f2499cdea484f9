"""What must exist in a CRM before Tieout can write to it: looked for, made, or told to a person.

It goes through the connector's own questions: find by name, prepare, apply. Asking twice makes
nothing twice, so nothing of it is kept in the ledger.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from tieout.model.canonical import Values
from tieout.model.change import Create
from tieout.model.contract import Connector, Request
from tieout.model.errors import Duplicate, OutcomeUnknown, Rejected, Unauthorized
from tieout.model.lookup import Found, Lookup, NotKnown


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
    for create in wanted:
        try:
            is_there = _is_there(connector, create)
        except (Rejected, Unauthorized) as refused:
            yield Provided(create.kind, create.values, "by hand", str(refused))
            continue
        if is_there:
            yield Provided(create.kind, create.values, "there")
        elif dry:
            yield Provided(create.kind, create.values, "by hand")
        else:
            yield _made(connector, create)


def _made(connector: Connector, create: Create) -> Provided:
    request = Request(_name(create), create, str(create.values["label"]))
    try:
        parcels = connector.prepare([request])
    except Rejected as refused:  # what a system's connector leaves to people
        return Provided(create.kind, create.values, "by hand", str(refused))
    for parcel in parcels:
        for outcome in connector.apply(parcel):
            error = outcome.error
            if isinstance(error, OutcomeUnknown) and _is_there(connector, create):
                error = None
            if isinstance(error, Duplicate):  # also one that a list does not show, or just made
                return Provided(create.kind, create.values, "there")
            if error is not None:
                return Provided(create.kind, create.values, "by hand", str(error))
    return Provided(create.kind, create.values, "made")


def _is_there(connector: Connector, create: Create) -> bool:
    (answer,) = connector.find(create.kind, [Lookup(create.kind, "name", _name(create))])
    if isinstance(answer, NotKnown):
        raise answer.error
    return isinstance(answer, Found)


def _name(create: Create) -> str:
    return f"{create.values['object']}.{create.values['name']}"


def _words(held: object) -> str:
    if isinstance(held, Mapping):
        held = list(held.values())
    if isinstance(held, list | tuple):
        return "/".join(map(str, held))
    return "yes" if held is True else str(held)
