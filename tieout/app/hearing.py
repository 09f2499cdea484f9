"""What is heard at the hint door: who is believed, what was said before, and which pair is due.

A hint is a reason to look sooner, never data: of a genuine one its addresses are kept, until the
pairs of its company begin a round, which reads them first. What is lost here, the next round finds
by itself.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Final

from tieout.app.companies import Site, connector_class, now
from tieout.credentials.secrets import secret
from tieout.model.contract import Hears
from tieout.model.errors import ConfigError, HintRefused, RefusedFor, Unauthorized
from tieout.model.hint import Knock
from tieout.model.record import Event
from tieout.model.ref import Ref

SEEN_LIMIT: Final = 10_000  # requests that are known again
NAMED_LIMIT: Final = 500  # records that wait for a pair; of more, the round's feed tells

_log = logging.getLogger(__name__)


class Heard(StrEnum):
    """What became of a request."""

    TAKEN = "taken"
    AGAIN = "again"  # the very same request was taken before
    FORGED = RefusedFor.FORGED.value
    OLD = RefusedFor.OLD.value
    MALFORMED = RefusedFor.MALFORMED.value
    UNKNOWN = "unknown"  # no company of that system has a hint_secret
    TOO_LARGE = "too-large"
    NOT_JSON = "not-json"  # its content type is another


@dataclass(frozen=True, slots=True)
class Ear:
    """The companies of one system that share a secret, and what understands their hints."""

    hears: Hears
    secret: str = field(repr=False)
    companies: frozenset[str]


@dataclass(frozen=True, slots=True)
class Tuning:
    """What a configuration says of hints: ears by system, each pair's companies, the wait."""

    ears: Mapping[str, Sequence[Ear]]
    pairs: Mapping[str, frozenset[str]]
    wait_secs: float


class Hearing:
    """Hints in, due pairs out; the door's thread and the daemon's call it at the same time."""

    def __init__(self, tuning: Tuning, passed: Callable[[], float]) -> None:
        self._tuning = tuning
        self._passed = passed
        self._lock = threading.Lock()
        self._seen: OrderedDict[bytes, None] = OrderedDict()
        self._due_at: dict[str, float] = {}
        self._named: dict[str, dict[Ref, None]] = {}  # by pair, in their order
        self._tally: Counter[str] = Counter()
        self._heard_at: dict[str, datetime] = {}  # by company; only of those that are configured

    def tune(self, tuning: Tuning) -> None:
        """Take another configuration; what waits for a pair that is left goes on waiting."""
        with self._lock:
            self._tuning = tuning
            self._due_at = {pair: at for pair, at in self._due_at.items() if pair in tuning.pairs}
            self._named = {pair: some for pair, some in self._named.items() if pair in tuning.pairs}

    def hear(self, system: str, knock: Knock) -> Heard:
        """Take a hint, or say why not; nothing is asked of anybody, so that it is answered soon."""
        ears = self._tuning.ears.get(system, ())
        try:
            heard = self._take(believed(ears, knock, now()), knock) if ears else Heard.UNKNOWN
        except HintRefused as refused:
            heard = Heard(refused.why.value)
        self.count(system if ears else "", heard)
        return heard

    def count(self, system: str, heard: Heard) -> None:
        """Count what became of a request, for the log."""
        with self._lock:
            self._tally[f"{system or 'other'} {heard}"] += 1

    def due(self) -> Sequence[str]:
        """Return the pairs whose hints have waited long enough, each once."""
        passed = self._passed()
        with self._lock:
            due = [pair for pair, at in self._due_at.items() if at <= passed]
            for pair in due:
                del self._due_at[pair]
        return due

    def named(self, pair: str) -> Sequence[Ref]:
        """Return the records of a pair's companies that hints named, each once."""
        with self._lock:
            return tuple(self._named.pop(pair, {}))

    def listens(self, company: str) -> bool:
        """Whether hints of a company are understood."""
        ears = [ear for some in self._tuning.ears.values() for ear in some]
        return any(company in ear.companies for ear in ears)

    def heard_at(self, company: str) -> datetime | None:
        """Return when the last hint of a company came; None when none did since the start."""
        with self._lock:
            return self._heard_at.get(company)

    def tally(self) -> Mapping[str, int]:
        """Return how many requests came to what since this was last asked."""
        with self._lock:
            told, self._tally = self._tally, Counter()
        return dict(told)

    def _take(self, refs: Sequence[Ref], knock: Knock) -> Heard:
        companies = {ref.company for ref in refs}
        seen = sha256(
            knock.body
        ).digest()  # whatever is signed beside it, a system never repeats it
        with self._lock:
            if seen in self._seen:
                return Heard.AGAIN
            self._seen[seen] = None
            if len(self._seen) > SEEN_LIMIT:
                self._seen.popitem(last=False)
            self._heard_at.update(dict.fromkeys(companies, now()))
            due_at = self._passed() + self._tuning.wait_secs
            for pair, ends in self._tuning.pairs.items():
                if ends & companies:
                    self._due_at.setdefault(pair, due_at)
                    named = self._named.setdefault(pair, {})
                    for ref in refs:
                        if ref.company in ends and len(named) < NAMED_LIMIT:
                            named[ref] = None
        return Heard.TAKEN


def believed(ears: Iterable[Ear], knock: Knock, at: datetime) -> Sequence[Ref]:
    """Return the records that a request names, of companies whose own secret it was signed with.

    Raises:
        HintRefused: no secret fits; or one does, and the request is too old or malformed.
    """
    named: dict[Ref, None] = {}
    refusals: list[HintRefused] = []
    fits = False
    for ear in ears:
        try:
            events: Iterable[Event] = tuple(ear.hears.parse_hint(knock, ear.secret, at))
        except HintRefused as refused:
            refusals.append(refused)
            continue
        fits = True
        refs = [event.ref for event in events if event.ref.company in ear.companies]
        named.update(dict.fromkeys(refs))
    if not fits:
        raise min(refusals, key=lambda refused: refused.why is RefusedFor.FORGED)
    return tuple(named)


def tuning_of(site: Site) -> Tuning:
    """Return what a configuration says of hints; its secrets are read now.

    A company whose secret is not there is not heard: hints are no reason to stand still.

    Raises:
        ConfigError: a company has a hint_secret and its connector hears nothing.
    """
    settings = site.settings
    assert settings.hints is not None
    kept: dict[tuple[str, str], set[str]] = {}
    for name, company in settings.companies.items():
        if company.hint_secret is None:
            continue
        try:
            word = secret(company.hint_secret.reference(site.directory))
        except Unauthorized as wrong:
            _log.error(
                "no hint of %s is heard until the configuration is read anew: %s", name, wrong
            )
            continue
        kept.setdefault((company.system, word), set()).add(company.ref_company)
    ears: dict[str, list[Ear]] = {}
    for (system, word), companies in kept.items():
        ears.setdefault(system, []).append(Ear(_hears(system), word, frozenset(companies)))
    refs = {name: company.ref_company for name, company in settings.companies.items()}
    pairs = {
        name: frozenset({refs[pair.source], refs[pair.target]})
        for name, pair in settings.pairs.items()
    }
    return Tuning(ears, pairs, settings.hints.wait.secs)


def _hears(system: str) -> Hears:
    found = connector_class(system)
    if not isinstance(found, Hears):
        raise ConfigError(
            f"The connector for {system} hears no hints.", remedy="Take out its hint_secret."
        )
    return found
