"""An open session with one Salesforce org."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, BinaryIO

from connectors.salesforce import prints
from connectors.salesforce.facts import (
    SYSTEM,
    chosen_names,
    facts,
    naming_options,
    our_fields,
)
from connectors.salesforce.feed import Feed, Place, one_kind
from connectors.salesforce.files import download
from connectors.salesforce.finding import find
from connectors.salesforce.guarding import advice
from connectors.salesforce.hints import parse_hint
from connectors.salesforce.login import App, Sessions
from connectors.salesforce.objects import OPTIONS, with_named
from connectors.salesforce.provisions import provisions
from connectors.salesforce.reading import Reading
from connectors.salesforce.relations import related
from connectors.salesforce.rights import rights
from connectors.salesforce.wire import Wire
from connectors.salesforce.writing import apply, prepare
from tieout.model.capability import Capabilities, FieldInfo
from tieout.model.change import Create
from tieout.model.contract import Identity, Opening, Outcome, Parcel, Request, Right
from tieout.model.errors import ConfigError
from tieout.model.lookup import Answer, Lookup
from tieout.model.record import Fetched, Page, Related
from tieout.model.ref import Cursor, Ref
from tieout.transport.door import refuse_plain_http

OVERLAP_SECS = 600  # a transaction shows its records when it ends, and may take ten minutes (R36)
LIMITS = {
    "share": (1, 100),
    "at_once": (1, 25),
    "page": (200, 2_000),
    "bulk_from": (2_000, 100_000_000),
}
APP = frozenset({"client_id", "client_secret", "private_key", "user"})


class Salesforce:
    """One org.

    Options: ``version`` of the API, ``overlap_secs`` of the feeds, ``share`` of the daily calls,
    ``at_once``, ``page``, ``bulk_from``, ``currency`` of an org with one currency that does not
    tell it, and what ``connectors.salesforce.objects`` takes.
    """

    parse_hint = staticmethod(parse_hint)

    def __init__(
        self,
        reading: Reading,
        capabilities: Capabilities,
        overlap_secs: int,
        sessions: Sessions | None,
    ) -> None:
        self.capabilities = capabilities
        self.company = reading.company
        self._reading = reading
        self._overlap_secs = overlap_secs
        self._sessions = sessions
        self.field_names = our_fields()
        """What the org calls our fields, by our names."""

    @classmethod
    def open(
        cls,
        opening: Opening,
        *,
        urls: Mapping[str, str],
        credentials: Any,
        now: Callable[[], datetime],
        sleep: Callable[[float], None],
    ) -> Salesforce:
        """Open a session; nothing is asked yet. See ``tieout.model.contract.Opens``.

        Raises:
            ConfigError: an option is unknown or wrong, or an address is plain http elsewhere.
        """
        options = opening.options
        names = chosen_names(options)
        known = facts(names)
        rates = {
            name: _whole(options, name, default, *LIMITS[name])
            for name, default in known.rates.items()
        }
        overlap_secs = _whole(options, "overlap_secs", OVERLAP_SECS, 1, 86_400)
        version = _version(str(options.get("version", known.version)))
        own = {*rates, *OPTIONS, *naming_options(), "version", "overlap_secs", "currency"}
        _refuse_unknown(options, {*own, *APP})
        for url in urls.values():
            refuse_plain_http(url)
        app = App.of(options, urls.get("login") or urls.get("api") or known.login)
        sessions = None if app is None else Sessions(app, now=now, sleep=sleep)
        wire = Wire(
            _address(urls.get("api", ""), sessions),
            credentials if sessions is None else sessions,
            version,
            rates,
            now,
            sleep,
        )
        named = with_named(known, opening)
        reading = Reading(wire, f"{SYSTEM}:{opening.company_id}", opening, named)
        capabilities = replace(named.capabilities, rates=rates)
        opened = cls(reading, capabilities, overlap_secs, sessions)
        opened.field_names = our_fields(names)
        return opened

    def __repr__(self) -> str:
        return f"Salesforce({self.company!r})"

    def check(self) -> Identity:
        """Ask which org this is.

        Raises:
            Unauthorized: the session is not accepted.
            ConfigError: it is another org's.
            Unavailable: no answer.
        """
        org = self._reading.org(fresh=True)
        wanted = self._reading.opening.company_id
        if org.id != wanted:
            raise ConfigError(
                f"The session is of Salesforce org {org.id}, not of {wanted}.",
                remedy="Correct the company's id (18 letters), or use that org's app.",
            )
        return Identity(
            company=org.id,
            name=org.name,
            clock=self._reading.server_now(),
            currency=str(self._reading.opening.options.get("currency") or "") or None,
            time_zone=org.time_zone or None,
            until=self._reading.wire.until,
        )

    def changes(self, kinds: Sequence[str], since: Cursor | None) -> Iterator[Page]:
        """Tell what moved of one kind; see ``connectors.salesforce.feed``.

        Raises:
            Unsupported: not exactly one kind that has a feed.
            ValueRefused: the cursor is not of this feed.
            TieoutError: a page was refused, not answered or not whole.
        """
        kind = one_kind(kinds, self._reading.facts.kinds, self.capabilities.feeds)
        bulk_from_rows = self.capabilities.rates["bulk_from"]
        yield from Feed(self._reading, kind, self._overlap_secs, bulk_from_rows).pages(since)

    def rewound(
        self,
        kinds: Sequence[str],  # noqa: ARG002 - the cursor knows its feed
        since: Cursor,
        to: datetime,
    ) -> Cursor:
        """Return the cursor that reads a feed again from an instant, if that is earlier."""
        return Place.parse(since).back_to(to).text()

    def fetch(self, refs: Sequence[Ref]) -> Iterator[Fetched]:
        """Read records by address; exactly one answer for each asked."""
        return self._reading.fetch(refs)

    def find(self, kind: str, wanted: Sequence[Lookup]) -> Sequence[Answer]:
        """Answer each question in its order."""
        return find(self._reading, kind, wanted)

    def related(self, refs: Sequence[Ref], role: str) -> Iterator[Related]:
        """Read the whole set in a role for each ref."""
        return related(self._reading, refs, role)

    def read_file(self, ref: Ref, take: Callable[[bytes], object]) -> None:
        """Read a file's bytes, a piece at a time; see ``connectors.salesforce.files``."""
        download(self._reading, ref, take)

    def prepare(self, requests: Sequence[Request]) -> Sequence[Parcel]:
        """Pack changes into calls. Pure."""
        return prepare(self._reading, requests)

    def apply(self, parcel: Parcel) -> Sequence[Outcome]:
        """Send exactly these bytes, once; answer for every item."""
        return apply(self._reading, parcel)

    def apply_enclosing(self, parcel: Parcel, content: BinaryIO) -> Sequence[Outcome]:
        """Send a parcel's bytes with the file's between them, once; see ``prints``."""
        return prints.send(self._reading, parcel, content)

    def forget_fields(self) -> None:
        """Ask anew which fields there are; see ``tieout.model.contract.NamesFields``."""
        self._reading.schema.forget()

    def describe(self, kind: str) -> Mapping[str, FieldInfo]:
        """Return the fields of a kind by the names that mappings use."""
        return self._reading.schema.describe(kind)

    def rights(self) -> Sequence[Right]:
        """Return the least rights that the mappings need, and which of them the user has."""
        return list(rights(self._reading))

    def provisions(self) -> Sequence[Create]:
        """Return what must exist in the org before its deals can be told anything."""
        return provisions(self._reading)

    def advice(self) -> Sequence[Right]:
        """Return what is done by hand so that people see our fields and leave them alone."""
        return tuple(advice(self._reading))

    @property
    def calls(self) -> Mapping[str, int]:
        """How many calls were made, by kind of call."""
        logins = self._sessions.door.calls if self._sessions is not None else {}
        return {**self._reading.wire.door.calls, **logins}

    def close(self) -> None:
        """Give back connections."""
        self._reading.wire.close()
        if self._sessions is not None:
            self._sessions.close()


def _address(configured: str, sessions: Sessions | None) -> Callable[[], str]:
    """Return what says where the org is: the configuration, else the login."""
    if configured:
        return lambda: configured
    if sessions is not None:
        return lambda: sessions.address
    return _nowhere


def _nowhere() -> str:
    raise ConfigError(
        "It is not said where the org is.",
        remedy="Set the company's url to its My Domain, as https://acme.my.salesforce.com.",
    )


def _version(text: str) -> str:
    whole, _, rest = text.partition(".")
    if not (whole.isdecimal() and rest in ("", "0")):
        raise ConfigError(f"The option version is written as 66.0, not {text!r}.")
    return f"{whole}.0"


def _whole(options: Mapping[str, Any], name: str, default: int, least: int, most: int) -> int:
    value = options.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise ConfigError(
            f"The option {name} takes a whole number from {least} to {most}, not {value!r}."
        )
    return value


def _refuse_unknown(options: Mapping[str, Any], known: set[str]) -> None:
    unknown = sorted(options.keys() - known)
    if unknown:
        named = ", ".join(sorted(known - APP))
        raise ConfigError(f"Salesforce has no option {', '.join(unknown)}; there are {named}.")
