"""One request as the operations see it, and the answer that they give."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote

from tieout.simulator import jsonwire
from tieout.simulator.dynamics365.org import DynamicsOrg, Grant
from tieout.simulator.dynamics365.refusals import ODATA, Refusal, bad_query, no_privilege
from tieout.simulator.dynamics365.schema import Table

BYPASS = "prvBypassCustomPlugins"
_PREFERENCE = re.compile(r'\s*([\w.-]+)\s*(?:=\s*("[^"]*"|[^,;\s]*))?\s*')
_SEGMENT = re.compile(r"([^(]+)(?:\((.*)\))?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Segment:
    """One step of a path: its name, and what stands in its brackets, still encoded."""

    name: str
    inside: str | None = None


@dataclass(slots=True)
class Call:
    """One request of the Web API, alone or a part of a batch."""

    org: DynamicsOrg
    method: str
    segments: Sequence[Segment]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    base: str
    """The Web API's own address, as links in answers begin."""
    grant: Grant
    references: Mapping[str, str] = field(default_factory=dict)
    """In a change set: what earlier parts made, by their Content-ID."""

    @property
    def preferences(self) -> Mapping[str, str]:
        """What the Prefer header asks for, by name in lower case."""
        found: dict[str, str] = {}
        for match in _PREFERENCE.finditer(self.headers.get("prefer", "")):
            found[match[1].lower()] = (match[2] or "").strip('"')
        return found

    def json(self) -> Any:
        """Return the body, read.

        Raises:
            Refusal: 400 it is no object, 415 it is not said to be JSON.
        """
        said = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        if said != "application/json":
            raise Refusal(415, ODATA, f"The content type '{said}' is not supported.")
        try:
            told = jsonwire.loads(self.body)
        except ValueError as error:
            raise bad_query(f"Invalid JSON: {error}") from error
        if not isinstance(told, dict):
            raise bad_query("The request body is not an object.")
        return told

    def bypasses_plug_ins(self) -> bool:
        """Tell whether the caller passes the organization's plug-ins by, which is a privilege.

        Raises:
            Refusal: 403, the caller lacks it.
        """
        if self.headers.get("mscrm.bypasscustompluginexecution", "").lower() != "true":
            return False
        held = self.grant.privileges
        if held is not None and BYPASS not in held:
            raise no_privilege(self.org.user_id, BYPASS, "sdkmessage", 4_606)
        return True

    def demand(self, verb: str, table: Table) -> None:
        """Refuse a user without the privilege `prv{verb}{table}`.

        Raises:
            Refusal: 403, naming it.
        """
        privilege = f"prv{verb}{table.schema}"
        held = self.grant.privileges
        if held is not None and privilege not in held:
            raise no_privilege(self.org.user_id, privilege, table.name, table.type_code)


@dataclass(slots=True)
class Reply:
    """An answer: no content is 204 unless told otherwise."""

    content: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


def split_path(path: str) -> list[Segment]:
    """Split an encoded path at the slashes outside of quotes.

    Raises:
        Refusal: 400, a segment's brackets or quotes do not end.
    """
    parts, start, quoted = [], 0, False
    for place, sign in enumerate(path):
        if sign == "'":
            quoted = not quoted
        elif sign == "/" and not quoted:
            parts.append(path[start:place])
            start = place + 1
    parts.append(path[start:])
    segments = []
    for part in parts:
        match = _SEGMENT.fullmatch(part)
        if match is None or quoted:
            raise bad_query("Bad Request - Error in query syntax.")
        segments.append(Segment(unquote(match[1]), match[2]))
    return segments


def read_query(text: str) -> dict[str, str]:
    """Read the query options, decoded."""
    return dict(parse_qsl(text, keep_blank_values=True))
