"""QuickBooks Online behind the connector contract: each question finds its file from here.

Read ``feed`` for what moved, ``search`` for fetch and find, ``parcels`` for prepare and apply,
``bodies`` and ``records`` for the translation, ``wire`` for the calls.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Any, BinaryIO, Final

import structlog

from connectors.quickbooks import feed, parcels, search, uploading
from connectors.quickbooks.facts import Facts, Kind, facts
from connectors.quickbooks.hints import parse_hint
from connectors.quickbooks.oauth import SCOPE, App, OAuth
from connectors.quickbooks.outcomes import failed
from connectors.quickbooks.reading import rows_or_raise
from connectors.quickbooks.records import Reader
from connectors.quickbooks.settings import Settings, settings_of
from connectors.quickbooks.wire import Row, Rows, Wire
from tieout.credentials import CompanyTokens, Credentials, secret
from tieout.model.capability import Capabilities, FieldInfo
from tieout.model.contract import Identity, Opening, Outcome, Parcel, Request, Right
from tieout.model.errors import (
    ConfigError,
    NotFound,
    Rejected,
    TieoutError,
    Unauthorized,
    Unavailable,
    Unsupported,
)
from tieout.model.lookup import Answer, Lookup, NotKnown
from tieout.model.money import currency
from tieout.model.record import Fetched, Gone, Page, Related, Unreadable
from tieout.model.ref import Cursor, Ref
from tieout.transport import understood
from tieout.transport.door import refuse_plain_http

URLS: Final[Mapping[str, str]] = {
    "api": "https://quickbooks.api.intuit.com",
    "app": "https://app.qbo.intuit.com",
    "authorise": "https://appcenter.intuit.com/connect/oauth2",
    "tokens": "https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer",
}
BATCH = 30  # recommended; an older page of the vendor says 10 (sdk.md 7)
BATCH_MAX = 30
TWIN_DAYS = 45
FRESH_SECS = 300  # settings read so lately need not be read again for a first read

_SETTINGS_QUERIES = (
    "SELECT * FROM CompanyInfo",
    "SELECT * FROM Preferences",
    "SELECT * FROM TaxCode WHERE Active IN (true, false) STARTPOSITION 1 MAXRESULTS 1000",
    "SELECT * FROM TaxRate WHERE Active IN (true, false) STARTPOSITION 1 MAXRESULTS 1000",
    "SELECT * FROM CompanyCurrency STARTPOSITION 1 MAXRESULTS 1000",
)


class QuickBooks:
    """An open session with one company (realm) of QuickBooks Online.

    Options: ``batch`` (30), ``mode`` (``few_calls``, ``fast``), ``twin_days`` (45), ``client_id``
    and ``client_secret`` (``env:NAME`` or ``file:PATH``), and the rates of ``quickbooks.yaml``.
    """

    parse_hint = staticmethod(parse_hint)

    @classmethod
    def open(
        cls,
        opening: Opening,
        *,
        urls: Mapping[str, str],
        credentials: Credentials,
        now: Callable[[], datetime],
        sleep: Callable[[float], None] = time.sleep,
    ) -> QuickBooks:
        """Open a session; nothing is asked yet.

        Args:
            opening: the company and its options.
            urls: other addresses than the vendor's: ``api``, ``app``, ``authorise``, ``tokens``.
            credentials: sealed tokens, or a token that somebody else renews.
            now: our clock, timezone-aware.
            sleep: waits so many seconds.

        Raises:
            ConfigError: an option or address is unknown or cannot be used.
        """
        known = {"batch", "mode", "twin_days", "client_id", "client_secret", *facts().rates}
        _refuse_unknown("option", opening.options, known)
        _refuse_unknown("address", urls, set(URLS))
        addresses = {name: urls.get(name) or vendors for name, vendors in URLS.items()}
        for url in addresses.values():
            refuse_plain_http(url)
        return cls(opening, addresses, credentials, now, sleep)

    def __init__(
        self,
        opening: Opening,
        urls: Mapping[str, str],
        credentials: Credentials,
        now: Callable[[], datetime],
        sleep: Callable[[float], None],
    ) -> None:
        self._opening = opening
        self._urls = urls
        self._now = now
        self._facts: Facts = facts()
        self._batch = _whole(opening.options, "batch", BATCH, BATCH_MAX)
        self._twin_days = _whole(opening.options, "twin_days", TWIN_DAYS, 366)
        rates = {
            name: _whole(opening.options, name, rate, 1_000_000)
            for name, rate in self._facts.rates.items()
        }
        fast = _word(opening.options, "mode", ("few_calls", "fast")) == "fast"
        self._singles_a_batch = parcels.singles_a_batch(rates) if fast else Fraction(0)
        self._capabilities = self._facts.capabilities(batch=self._batch, rates=rates)
        self._oauth = OAuth(self._app, now=now, sleep=sleep)
        if isinstance(credentials, CompanyTokens):
            credentials = credentials.renewed_by(self._oauth.renew)
        self._credentials = credentials
        self._wire = Wire(
            opening.company_id,
            url=urls["api"],
            credentials=credentials,
            rates=rates,
            now=now,
            sleep=sleep,
        )
        self._settings: Settings | None = None

    def __repr__(self) -> str:
        return f"QuickBooks({self._opening.company_id!r})"

    @property
    def capabilities(self) -> Capabilities:
        """What QuickBooks Online, through this connector, can do."""
        return self._capabilities

    @property
    def company(self) -> str:
        """The company's identity as it stands in every Ref: ``quickbooks:913``."""
        return f"quickbooks:{self._opening.company_id}"

    @property
    def calls(self) -> Mapping[str, int]:
        """How many calls were made, by kind of call."""
        return {**self._wire.door.calls, **self._oauth.door.calls}

    def check(self) -> Identity:
        """Ask who we are there: one call, for the company, its preferences and its taxes.

        The realm is part of every address, and a token of another realm is refused with 3100.

        Raises:
            Unauthorized: the credentials are not accepted.
            ConfigError: they are another company's.
            Unavailable: no answer.
        """
        try:
            settings = self._read_settings()
        except Unauthorized as refused:
            if refused.vendor_code.endswith("3100"):
                raise ConfigError(
                    f"The tokens are not those of company {self._opening.company_id}.",
                    remedy="Correct the company's id, or run `tieout connect COMPANY` again.",
                    vendor_code=refused.vendor_code,
                    vendor_words=refused.vendor_words,
                ) from refused
            raise
        return Identity(
            company=self._opening.company_id,
            name=settings.name,
            clock=settings.read_at,
            currency=settings.home_currency,
            country=settings.country,
            until=self._credentials.until,
        )

    def rights(self) -> Sequence[Right]:
        """Return the one scope that the accounting API has, held where it answers.

        What it allows is what the person may do who consented; only a write tells whether a lapsed
        subscription refuses it (R30).

        Raises:
            Unauthorized: the credentials are not accepted.
            Unavailable: no answer.
        """
        self.check()
        return (
            Right(SCOPE, "to read the books and to post to them", held=True),
            Right("company administrator", "whoever agrees on Intuit's page must be one"),
        )

    def changes(self, kinds: Sequence[str], since: Cursor | None) -> Iterator[Page]:
        """Tell what moved; see ``feed``.

        Without a cursor, and with one that is older than the vendor's feed reaches (30 days, R24),
        all lists and the transactions since ``twin_days`` before the cutover are read. What was
        deleted longer ago than the feed reaches is then only seen when the record itself is read.
        """
        wanted = [self._kind(name) for name in kinds]
        place = feed.Place() if since is None else feed.Place.of(since)
        if place.is_too_old(self._now()):
            if place.at is not None:
                _log().warning("feed-too-old", company=self.company, since=place.at.isoformat())
            self._read_settings(fresh_secs=FRESH_SECS)
            yield from feed.first_read(self._wire, self._reader, wanted, self._first_day())
            return
        if place.settings_due(self._now()):
            self._read_settings()
        told = place.has_not_told(self._reader.settings)
        yield from feed.changes_since(self._wire, self._reader, wanted, place, settings_told=told)

    def rewound(self, kinds: Sequence[str], since: Cursor, to: datetime) -> Cursor:  # noqa: ARG002 - all kinds share one feed
        """Return the cursor that reads the feed again from an instant, if that is earlier."""
        return feed.Place.of(since).back_to(to).cursor()

    def fetch(self, refs: Sequence[Ref]) -> Iterator[Fetched]:
        """Read records by address; settings are read anew, in one call for all."""
        known = self._facts.kinds
        unknown = Unsupported("QuickBooks' connector knows no such kind.")
        answers: dict[Ref, Fetched] = {
            ref: Unreadable(ref, unknown) for ref in refs if ref.kind not in known
        }
        settings = [ref for ref in refs if ref.kind in known and known[ref.kind].is_setting]
        others = [ref for ref in refs if ref.kind in known and not known[ref.kind].is_setting]
        for asked, read in ((settings, self._fetch_settings), (others, self._fetch_records)):
            try:
                answers.update(zip(asked, read(asked), strict=True))
            except TieoutError as error:  # the settings, without which nothing is understood
                answers.update((ref, Unreadable(ref, error)) for ref in asked)
        yield from (answers[ref] for ref in refs)

    def find(self, kind: str, wanted: Sequence[Lookup]) -> Sequence[Answer]:
        """Answer questions of one kind in their order; see ``search``."""
        try:
            return search.find(self._wire, self._reader, self._kind(kind), wanted)
        except TieoutError as error:  # an unknown kind, or the settings cannot be read
            return [NotKnown(error) for _ in wanted]

    def related(self, refs: Sequence[Ref], role: str) -> Iterator[Related]:
        """Say that the books have no roles: what belongs to a record is in the record."""
        for ref in refs:
            yield Related(ref, role, error=Unsupported(f"QuickBooks has no role {role}."))

    def prepare(self, requests: Sequence[Request]) -> Sequence[Parcel]:
        """Pack changes into calls; see ``parcels``. The company's settings decide the bodies.

        Raises:
            InvalidField: a value that no body can carry.
        """
        if not requests:
            return ()
        return tuple(
            parcels.prepare(
                requests,
                company=self.company,
                settings=self._reader.settings,
                batch=min(self._batch, self._wire.batch_most),
                singles_a_batch=self._singles_a_batch,
            )
        )

    def apply(self, parcel: Parcel) -> Sequence[Outcome]:
        """Send exactly these bytes, once; after a 401, which did nothing, once more."""
        try:
            reader = self._reader
        except TieoutError as error:  # the settings cannot be read, so nothing was sent
            return failed(parcel, error)
        return parcels.send(self._wire, parcel, reader)

    def apply_enclosing(self, parcel: Parcel, content: BinaryIO) -> Sequence[Outcome]:
        """Send a parcel's bytes with the file's between them, once; see ``uploading``."""
        try:
            reader = self._reader
        except TieoutError as error:  # the settings cannot be read, so nothing was sent
            return failed(parcel, error)
        return uploading.send(self._wire, parcel, reader, content)

    def print_invoice(self, ref: Ref, take: Callable[[bytes], object]) -> None:
        """Read an invoice's PDF, a piece at a time (page "Invoice", "Get an invoice as PDF").

        Raises:
            NotFound: it was deleted, or is no id of QuickBooks'.
            TieoutError: it was refused, or not answered to its end.
        """
        if not ref.id.isdecimal():
            raise NotFound("No id of QuickBooks' has this form.", record=str(ref))
        self._wire.download(f"invoice/{ref.id}/pdf", "application/pdf", take)

    def describe(self, kind: str) -> Mapping[str, FieldInfo]:
        """Return the fields of a kind; an invoice's custom ones are this company's own."""
        found = dict(self._facts.fields[kind]) if kind in self._facts.fields else {}
        if kind == "invoice":
            for custom in self._reader.settings.custom_fields:
                found[custom.name] = FieldInfo(
                    custom.name,
                    "text",
                    label=custom.name,
                    vendor_name=f"CustomField {custom.id}",
                    custom=True,
                )
        return found

    def authorise_url(self, state: str, redirect_uri: str) -> str:
        """Return the page where a person consents."""
        return self._oauth.authorise_url(state, redirect_uri)

    def exchange(self, code: str, redirect_uri: str, company_id: str) -> None:
        """Change the code of the redirect into tokens and store them, sealed.

        Raises:
            ConfigError: the person chose another company, or the tokens are not ours to keep.
            Unauthorized: the code is not accepted.
        """
        if company_id != self._opening.company_id:
            raise ConfigError(
                f"The person chose company {company_id}, not {self._opening.company_id}.",
                remedy="Choose the right company, or correct its id in the configuration.",
            )
        if not isinstance(self._credentials, CompanyTokens):
            raise ConfigError(f"The tokens of {self.company} are kept elsewhere.")
        self._credentials.store(self._oauth.exchange(code, redirect_uri))

    def consent_until(self) -> datetime | None:
        """Return when the refresh token ends unless it is used, or consent does at last (R26)."""
        return self._credentials.until

    def close(self) -> None:
        """Give back connections."""
        self._wire.close()
        self._oauth.close()

    @property
    def _reader(self) -> Reader:
        return Reader(self.company, self._urls["app"], self._settings or self._read_settings())

    def _read_settings(self, fresh_secs: float = 0) -> Settings:
        """Read the settings, unless those at hand are not older than that."""
        held = self._settings
        if held and (self._now() - held.read_at).total_seconds() < fresh_secs:
            return held
        answers, at = self._wire.queries(_SETTINGS_QUERIES)
        company, preferences = (rows_or_raise(answer) for answer in answers[:2])
        codes, rates = (_rows_unless_refused(answer) for answer in answers[2:4])
        if not company or not preferences:
            raise Unavailable("QuickBooks did not show the company's settings.")
        with understood("What the books say of their settings"):
            currency(preferences[0]["CurrencyPrefs"]["HomeCurrency"]["value"])  # no guess stands in
            self._settings = settings_of(
                company[0], preferences[0], codes, rates, at, _rows_if_told(answers[4])
            )
        return self._settings

    def _fetch_settings(self, refs: Sequence[Ref]) -> Iterator[Fetched]:
        if not refs:
            return
        self._read_settings()
        kinds = frozenset(ref.kind for ref in refs)
        found = {record.ref: record for record in self._reader.setting_records(kinds)}
        for ref in refs:
            yield found.get(ref) or Gone(ref, "It is not among the company's settings.")

    def _fetch_records(self, refs: Sequence[Ref]) -> Iterator[Fetched]:
        return search.fetch(self._wire, self._reader, refs) if refs else iter(())

    def _kind(self, name: str) -> Kind:
        kind = self._facts.kinds.get(name)
        if kind is None:
            raise Unsupported(f"QuickBooks' connector knows no kind {name!r}.")
        return kind

    def _first_day(self) -> date:
        """The day since when a twin of any deal in scope can be dated."""
        today = self._now().date()
        cutover = self._opening.cutover_date or today
        return min(today, cutover) - timedelta(days=self._twin_days)

    def _app(self) -> App:
        options = self._opening.options
        if not options.get("client_id") or not options.get("client_secret"):
            raise ConfigError(
                f"There is no client_id and client_secret for {self.company}.",
                remedy="Give both, as env:NAME or file:PATH: they are your app's with Intuit.",
            )
        return App(
            client_id=secret(str(options["client_id"])),
            client_secret=secret(str(options["client_secret"])),
            authorise_url=self._urls["authorise"],
            token_url=self._urls["tokens"],
        )


def _log() -> Any:
    return structlog.get_logger("tieout.quickbooks")


def _rows_if_told(answer: Rows | TieoutError) -> tuple[Row, ...] | None:
    """Return a query's rows; None where the company does not answer it."""
    return None if isinstance(answer, TieoutError) else answer.rows


def _rows_unless_refused(answer: Rows | TieoutError) -> tuple[Row, ...]:
    """Return a query's rows; none where the company has switched off what they belong to."""
    return () if isinstance(answer, Rejected) else rows_or_raise(answer)


def _refuse_unknown(what: str, given: Mapping[str, Any], known: set[str]) -> None:
    unknown = sorted(set(given) - known)
    if unknown:
        raise ConfigError(
            f"QuickBooks knows no {what} {', '.join(unknown)}.",
            remedy=f"It knows {', '.join(sorted(known))}.",
        )


def _whole(options: Mapping[str, Any], name: str, default: int, most: int) -> int:
    value = options.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
        raise ConfigError(f"{name} is {value!r}, not a whole number from 1 to {most}.")
    return value


def _word(options: Mapping[str, Any], name: str, words: Sequence[str]) -> str:
    value = options.get(name, words[0])
    if value not in words:
        raise ConfigError(f"{name} is {value!r}, not one of {', '.join(words)}.")
    return str(value)
