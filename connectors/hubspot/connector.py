"""An open session with one HubSpot portal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, BinaryIO

from connectors.hubspot import prints
from connectors.hubspot.consents import APP, Consents
from connectors.hubspot.facts import (
    SYSTEM,
    chosen_names,
    facts,
    naming_options,
    our_fields,
)
from connectors.hubspot.feed import Feed, Place, one_kind
from connectors.hubspot.finding import find
from connectors.hubspot.guarding import guarded
from connectors.hubspot.hints import parse_hint
from connectors.hubspot.objects import OPTIONS, with_named
from connectors.hubspot.provisions import provisions
from connectors.hubspot.reading import Reading
from connectors.hubspot.relations import related
from connectors.hubspot.rights import groups_of, needed, rights
from connectors.hubspot.wire import Wire
from connectors.hubspot.writing import apply, prepare
from tieout.model.capability import Capabilities, FieldInfo
from tieout.model.change import Create
from tieout.model.contract import Identity, Opening, Outcome, Parcel, Request, Right
from tieout.model.errors import ConfigError
from tieout.model.lookup import Answer, Lookup
from tieout.model.record import Fetched, Page, Related
from tieout.model.ref import Cursor, Ref
from tieout.transport.door import refuse_plain_http

OVERLAP_SECS = 120  # search shows a change seconds after it was made (R41, sdk.md 3)


class HubSpot:
    """One portal.

    Options: ``version`` of the API, ``overlap_secs`` of the feeds, the rates, and what
    ``connectors.hubspot.objects`` takes.

    A deal that was archived is in no feed: search does not show it, and the list of archived deals
    has no order in time. Whoever must know asks ``fetch`` for the deals that it keeps, a hundred in
    a call; a merge shows in the feed, since the record that it makes lists the old ids.
    """

    parse_hint = staticmethod(parse_hint)

    def __init__(
        self, reading: Reading, capabilities: Capabilities, overlap_secs: int, consents: Consents
    ) -> None:
        self.capabilities = capabilities
        self.company = reading.company
        self._reading = reading
        self._overlap_secs = overlap_secs
        self._consents = consents
        self.field_names = our_fields()
        """What the portal calls our fields, by our names."""

    @classmethod
    def open(
        cls,
        opening: Opening,
        *,
        urls: Mapping[str, str],
        credentials: Any,
        now: Callable[[], datetime],
        sleep: Callable[[float], None],
    ) -> HubSpot:
        """Open a session; nothing is asked yet. See ``tieout.model.contract.Opens``.

        Raises:
            ConfigError: an option is unknown or wrong, or the address is plain http elsewhere.
        """
        names = chosen_names(opening.options)
        known = facts(names)
        consents = Consents(opening, urls, credentials, now, sleep)
        rates = {
            name: _whole(opening, name, default)
            for name, default in consents.rates(known.rates).items()
        }
        version = str(opening.options.get("version", known.version))
        overlap_secs = _whole(opening, "overlap_secs", OVERLAP_SECS)
        options = {*rates, *OPTIONS, *naming_options(), "version", "overlap_secs"}
        _refuse_unknown(opening, options)
        for address in urls.values():
            refuse_plain_http(address)
        wire = Wire(urls.get("api") or known.api, consents.credentials, rates, now, sleep)
        company = f"{SYSTEM}:{opening.company_id}"
        named = with_named(known, opening)
        reading = Reading(wire, company, opening, named, version)
        opened = cls(reading, replace(named.capabilities, rates=rates), overlap_secs, consents)
        opened.field_names = our_fields(names)
        return opened

    def check(self) -> Identity:
        """Ask which portal this is.

        Raises:
            Unauthorized: the key is not accepted.
            ConfigError: it is another portal's.
            Unavailable: no answer.
        """
        account = self._reading.account(fresh=True)
        wanted = self._reading.opening.company_id
        if account.portal_id != wanted:
            raise ConfigError(
                f"The key is of HubSpot portal {account.portal_id}, not of {wanted}.",
                remedy="Correct the company's id, or use that portal's key.",
            )
        return Identity(
            company=account.portal_id,
            name=f"HubSpot {account.portal_id}",
            clock=self._reading.server_now(),
            currency=account.currency,
            time_zone=account.time_zone,
            until=self._reading.wire.until,
        )

    def rights(self) -> Sequence[Right]:
        """Return the scopes that the mappings need; see ``connectors.hubspot.rights``.

        Raises:
            Unauthorized: the key is not accepted.
            Unavailable: no answer.
        """
        return (*rights(self._reading), *self.advice())

    def changes(self, kinds: Sequence[str], since: Cursor | None) -> Iterator[Page]:
        """Tell what moved of one kind; see ``connectors.hubspot.feed``.

        Raises:
            Unsupported: not exactly one kind that has a feed.
            ValueRefused: the cursor is not of this feed.
            TieoutError: a page was refused, not answered or not whole.
        """
        kind = one_kind(kinds, self._reading.facts.kinds, self.capabilities.feeds)
        yield from Feed(self._reading, kind, self._overlap_secs).pages(since)

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
        """Read a file's bytes, a piece at a time; see ``connectors.hubspot.files``."""
        self._reading.files.download(ref, take)

    def prepare(self, requests: Sequence[Request]) -> Sequence[Parcel]:
        """Pack changes into calls. Pure."""
        return prepare(self._reading, requests)

    def apply(self, parcel: Parcel) -> Sequence[Outcome]:
        """Send exactly these bytes, once; answer for every item."""
        return apply(self._reading, parcel)

    def apply_enclosing(self, parcel: Parcel, content: BinaryIO) -> Sequence[Outcome]:
        """Send a parcel's file and its note, once each; see ``prints``."""
        return prints.send(self._reading, parcel, content)

    def forget_fields(self) -> None:
        """Ask anew which fields there are; see ``tieout.model.contract.NamesFields``."""
        self._reading.forget_descriptions()

    def describe(self, kind: str) -> Mapping[str, FieldInfo]:
        """Return the fields of a kind by the names that mappings use."""
        return self._reading.describe(kind)

    def provisions(self) -> Sequence[Create]:
        """Return what must exist in the portal before its records can be told anything."""
        return provisions(self._reading)

    def advice(self) -> Sequence[Right]:
        """Return what is done by hand so that people leave our properties alone."""
        return (guarded(groups_of(self._reading)),)

    def authorise_url(self, state: str, redirect_uri: str) -> str:
        """Return the page where a person consents to the least scopes that the mappings need."""
        return self._consents.oauth.authorise_url(needed(self._reading), state, redirect_uri)

    def exchange(self, code: str, redirect_uri: str, company_id: str) -> None:
        """Change the code of the redirect into tokens and store them, sealed.

        Raises:
            ConfigError: the person chose another portal, or the tokens are not ours to keep.
            Unauthorized: the code is not accepted.
        """
        self._consents.exchange(code, redirect_uri, company_id)

    def consent_until(self) -> datetime | None:
        """Return when a person must consent again: HubSpot names no such day."""
        return self._reading.wire.until

    @property
    def calls(self) -> Mapping[str, int]:
        """How many calls were made, by kind of call."""
        return {**self._reading.wire.door.calls, **self._consents.oauth.door.calls}

    def close(self) -> None:
        """Give back connections."""
        self._reading.wire.close()
        self._consents.close()


def _whole(opening: Opening, name: str, default: int) -> int:
    value = opening.options.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ConfigError(f"The option {name} takes a whole number above 0, not {value!r}.")
    return value


def _refuse_unknown(opening: Opening, known: set[str]) -> None:
    unknown = sorted(opening.options.keys() - known - APP)
    if unknown:
        raise ConfigError(
            f"HubSpot has no option {', '.join(unknown)}; there are {', '.join(sorted(known))}."
        )
