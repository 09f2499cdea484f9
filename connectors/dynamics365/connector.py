"""An open session with one organization of Dynamics 365."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from connectors.dynamics365 import prints
from connectors.dynamics365.batch import PARTS_LIMIT
from connectors.dynamics365.facts import (
    SYSTEM,
    chosen_names,
    facts,
    naming_options,
    our_fields,
)
from connectors.dynamics365.feed import Feed, Place, one_kind
from connectors.dynamics365.files import download
from connectors.dynamics365.finding import find
from connectors.dynamics365.guarding import guarded
from connectors.dynamics365.hints import parse_hint
from connectors.dynamics365.outcome import DEAL
from connectors.dynamics365.provisioning import provisions
from connectors.dynamics365.reading import CHILD, Reading
from connectors.dynamics365.relations import related
from connectors.dynamics365.rights import rights
from connectors.dynamics365.tokens import App, AppTokens
from connectors.dynamics365.wire import PAGE_ROWS, Wire
from connectors.dynamics365.writing import apply, prepare
from tieout.model.capability import Capabilities, FieldInfo
from tieout.model.change import Create
from tieout.model.contract import Identity, Opening, Outcome, Parcel, Request, Right
from tieout.model.errors import ConfigError
from tieout.model.lookup import MARKER, Answer, Lookup
from tieout.model.record import Fetched, Page, Related
from tieout.model.ref import Cursor, Ref
from tieout.transport.door import refuse_plain_http

APP = ("tenant", "client_id", "client_secret", "private_key", "thumbprint")
OPPORTUNITY = "opportunity"  # where outcomes are kept unless the option says child
PARTS = ("api", "authority", "resource")  # of the addresses


class Dynamics365:
    """One organization. Options: ``version``, ``page_rows``, ``batch``, the rates, and the app.

    ``outcome`` says where a deal is told: ``opportunity``, or ``child``, a table of our own.

    The app is ``tenant`` and ``client_id`` with ``client_secret`` or ``private_key`` (and the
    certificate's ``thumbprint``, where the certificate is not beside the key); without them calls
    are signed with the credentials that are given.
    """

    parse_hint = staticmethod(parse_hint)

    def __init__(
        self,
        reading: Reading,
        capabilities: Capabilities,
        tokens: AppTokens | None,
    ) -> None:
        self.capabilities = capabilities
        self.company = reading.company
        self._reading = reading
        self._tokens = tokens
        self.field_names = our_fields()
        """What the organization calls our columns, by our names."""
        self._wanted: dict[str, set[str]] = {}  # whom records in scope name, of a first read

    @classmethod
    def open(
        cls,
        opening: Opening,
        *,
        urls: Mapping[str, str],
        credentials: Any,
        now: Callable[[], datetime],
        sleep: Callable[[float], None] = time.sleep,
    ) -> Dynamics365:
        """Open a session; nothing is asked yet. See ``tieout.model.contract.Opens``.

        Raises:
            ConfigError: an option is unknown or wrong, or an address is plain http elsewhere.
        """
        names = chosen_names(opening.options)
        known = facts(names)
        rates = {name: _whole(opening, name, default) for name, default in known.rates.items()}
        batch = _whole(opening, "batch", PARTS_LIMIT, PARTS_LIMIT)
        page_rows = _whole(opening, "page_rows", PAGE_ROWS, PAGE_ROWS)
        version = str(opening.options.get("version", known.version))
        own = {*rates, *naming_options(), "version", "page_rows", "batch", "outcome"}
        _refuse_unknown("option", opening.options, {*own, *APP})
        _refuse_unknown("address", urls, PARTS)
        if opening.options.get("outcome", OPPORTUNITY) not in (OPPORTUNITY, CHILD):
            raise ConfigError(f"The option outcome is {OPPORTUNITY} or {CHILD}.")
        for url in urls.values():
            refuse_plain_http(url)
        api = urls.get("api", "")
        tokens = None
        if "client_id" in opening.options:
            authority = urls.get("authority") or known.authority
            resource = urls.get("resource") or _origin(api)
            tokens = AppTokens(_app(opening, authority, resource), now=now, sleep=sleep)
        wire = Wire(api, version, tokens or credentials, rates, now, sleep)
        reading = Reading(wire, f"{SYSTEM}:{opening.company_id}", opening, known, page_rows)
        opened = cls(reading, _capabilities(reading, rates, batch), tokens)
        opened.field_names = our_fields(names)
        return opened

    def check(self) -> Identity:
        """Ask which organization this is.

        Raises:
            Unauthorized: the application is not accepted.
            ConfigError: it is another organization, or its address is not known.
            Unavailable: no answer.
        """
        told = self._reading.organization()
        wanted = self._reading.opening.company_id
        if told.id.lower() != wanted.lower():
            raise ConfigError(
                f"The address is of organization {told.id} ({told.name}), not of {wanted}.",
                remedy="Correct the company's id, or its url.",
            )
        return Identity(
            company=wanted,
            name=told.name,
            clock=self._reading.server_now(),
            currency=self._reading.code(told.currency_id) if told.currency_id else None,
            time_zone=self._reading.opening.time_zone,
            until=self._reading.wire.until,
        )

    def rights(self) -> Sequence[Right]:
        """Return the rights that the mappings need; see ``connectors.dynamics365.rights``.

        Raises:
            Unauthorized: the credentials themselves are not accepted.
            Unavailable: no answer.
        """
        return (*rights(self._reading), guarded(self._reading))

    def changes(self, kinds: Sequence[str], since: Cursor | None) -> Iterator[Page]:
        """Tell what moved of one kind; see ``connectors.dynamics365.feed``.

        Raises:
            Unsupported: not exactly one kind that has a feed, or its table is not tracked.
            ValueRefused: the cursor is not of this feed.
            TieoutError: a page was refused, not answered or not whole.
        """
        kind = one_kind(kinds, self._reading.facts.kinds, self.capabilities.feeds)
        yield from Feed(self._reading, kind, self._wanted).pages(since)

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
        """Read a file's bytes, a piece at a time; see ``connectors.dynamics365.files``."""
        download(self._reading, ref, take)

    def prepare(self, requests: Sequence[Request]) -> Sequence[Parcel]:
        """Pack changes into calls. Pure, once the columns of custom fields are known."""
        batch = self.capabilities.kinds[DEAL].batch
        return prepare(self._reading, requests, batch)

    def apply(self, parcel: Parcel) -> Sequence[Outcome]:
        """Send exactly these bytes, once; answer for every item."""
        return apply(self._reading, parcel)

    def apply_enclosing(self, parcel: Parcel, content: BinaryIO) -> Sequence[Outcome]:
        """Send a parcel's bytes with the file's between them, once; see ``prints``."""
        return prints.send(self._reading, parcel, content)

    def forget_fields(self) -> None:
        """Ask anew which fields there are; see ``tieout.model.contract.NamesFields``."""
        self._reading.forget_descriptions()

    def describe(self, kind: str) -> Mapping[str, FieldInfo]:
        """Return the fields of a kind by the names that mappings use."""
        return self._reading.describing.describe(kind)

    def provisions(self) -> Sequence[Create]:
        """Return what must exist in the organization before its deals can be told anything."""
        return provisions(self._reading)

    def advice(self) -> Sequence[Right]:
        """Return what is done by hand so that people see our columns and leave them alone."""
        right = guarded(self._reading)
        forms = Right(
            "Forms",
            "people see the Tieout columns",
            said="In Power Apps, put the columns on the forms of the table, each as read-only.",
        )
        return (forms,) if right.held else (right, forms)

    @property
    def calls(self) -> Mapping[str, int]:
        """How many calls were made, by kind of call."""
        tokens = {} if self._tokens is None else self._tokens.door.calls
        return {**self._reading.wire.door.calls, **tokens}

    def close(self) -> None:
        """Give back connections."""
        self._reading.wire.close()
        if self._tokens is not None:
            self._tokens.close()


def _capabilities(reading: Reading, rates: Mapping[str, int], batch: int) -> Capabilities:
    """Return what can be done; without columns of ours a deal has no mark."""
    kinds = {
        name: replace(kind, batch=batch) if kind.batch > 1 else kind
        for name, kind in reading.facts.capabilities.kinds.items()
    }
    known = replace(reading.facts.capabilities, kinds=kinds, rates=rates)
    if reading.outcomes is None:
        return known
    deal = known.kinds[DEAL]
    fields = {name: type_ for name, type_ in deal.fields.items() if name != deal.marker}
    found_by = deal.found_by - {MARKER}
    unmarked = replace(deal, marker="", found_by=found_by, fields=fields)
    return replace(known, kinds={**kinds, DEAL: unmarked})


def _app(opening: Opening, authority: str, resource: str) -> App:
    said = {name: str(opening.options.get(name) or "") for name in APP}
    if bool(said["client_secret"]) == bool(said["private_key"]):
        raise ConfigError(
            "An application of Dynamics' proves who it is with a secret or with a certificate.",
            remedy="Set client_secret or private_key for this company, and not both.",
        )
    return App(
        authority=authority,
        tenant=said["tenant"],
        client_id=said["client_id"],
        secret=said["client_secret"],
        private_key=said["private_key"],
        thumbprint=said["thumbprint"],
        resource=resource,
    )


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _whole(opening: Opening, name: str, default: int, most: int | None = None) -> int:
    value = opening.options.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ConfigError(f"The option {name} takes a whole number above 0, not {value!r}.")
    if most is not None and value > most:
        raise ConfigError(f"The option {name} is at most {most}, not {value}.")
    return value


def _refuse_unknown(what: str, given: Mapping[str, Any], known: Any) -> None:
    unknown = sorted(given.keys() - set(known))
    if unknown:
        raise ConfigError(
            f"Dynamics has no {what} {', '.join(unknown)}; there are {', '.join(sorted(known))}."
        )
