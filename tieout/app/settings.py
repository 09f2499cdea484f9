"""``tieout.yaml`` as frozen values; every mistake at once, each with its line.

The classes below are the file: a field is a setting, its docstring is what people and editors
read. The validator (pydantic) is imported only when a file is read or the schema is written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import date
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Literal

from mapping.mistake import Mistake, Mistakes, nearest
from mapping.yaml12 import Node, read
from tieout.app.written import Address, Approve, Listen, SecretRef, Span, Sum, Whole, Zone
from tieout.model.dates import held_day
from tieout.model.errors import ValueRefused

if TYPE_CHECKING:
    from pydantic import TypeAdapter

FILE_NAME: Final = "tieout.yaml"
CONNECTORS: Final = "tieout.connectors"
"""The entry-point group in which connectors are found."""
COMPANIES_LIMIT = 50
PAIRS_LIMIT = 100

_WORDS: Final = {"source": "from", "target": "to"}  # Python keeps `from` for itself


def _written(name: str) -> str:
    return _WORDS.get(name, name)


_CONFIG: Final[dict[str, Any]] = {
    "extra": "forbid",
    "alias_generator": _written,
    "use_attribute_docstrings": True,
}


def load(directory: Path) -> Settings:
    """Return the settings of a configuration's directory; its paths are made whole.

    Raises:
        Mistakes: the file cannot be used; each mistake as ``file:line: what; what was meant``.
    """
    name = shown(directory / FILE_NAME)
    if not (directory / FILE_NAME).exists():
        hint = "`tieout init` writes one; --config DIR or TIEOUT_CONFIG says where it is"
        raise Mistakes([Mistake(name, 0, "there is no such file", hint)])
    node = read(directory / FILE_NAME, name)
    settings = _validated(node)
    wrong = list(_disagreements(settings, node, directory))
    if wrong:
        raise Mistakes(wrong)
    return replace(
        settings,
        ledger=(directory / settings.ledger).resolve(),
        tokens=(directory / settings.tokens).resolve(),
    )


def shown(path: Path) -> str:
    """Return a path as people call it: from here when it is below here, else whole."""
    whole = path.resolve()
    return str(whole.relative_to(Path.cwd())) if whole.is_relative_to(Path.cwd()) else str(whole)


def mapping_file(directory: Path, name: str) -> Path:
    """Return where the mapping of that name is written."""
    return directory / "mappings" / f"{name}.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """One set of books, or one portal of a CRM."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = _CONFIG

    system: str
    """The product: dynamics365, hubspot, quickbooks, salesforce, or what a plugin adds."""
    id: str
    """The vendor's own number of this company, in quotes; checked at each start."""
    url: Address | None = None
    """The API's address; the vendor's own when absent."""
    urls: Mapping[str, Address] = field(default_factory=dict)
    """Other addresses by their part: tokens, authorise, app, authority, resource, login; the
    vendor's when absent."""
    redirect_url: Address | None = None
    """Where the consent page sends the person back to, as registered with the vendor."""
    token: SecretRef | None = None
    """A lasting token (HubSpot's service key): env:NAME or file:PATH."""
    client_id: SecretRef | None = None
    """The app's id with the vendor (HubSpot's OAuth app, QuickBooks, Dynamics 365, Salesforce):
    env:NAME or file:PATH."""
    client_secret: SecretRef | None = None
    """The app's secret with the vendor (HubSpot's OAuth app, QuickBooks, Dynamics 365, Salesforce):
    env:NAME or file:PATH."""
    private_key: SecretRef | None = None
    """The app's private key as PEM, in the secret's place (Dynamics 365: with its certificate;
    Salesforce): env:NAME or file:PATH."""
    thumbprint: str | None = None
    """The certificate's, where it is not in one file with the private key (Dynamics 365)."""
    tenant: str | None = None
    """The directory in which the app is registered, by its id or domain (Dynamics 365)."""
    user: str | None = None
    """As whom the app works, where its key speaks for a user (Salesforce)."""
    hint_secret: SecretRef | None = None
    """What this company's hints are signed with (QuickBooks: the verifier token; HubSpot: the app's
    client secret; Dynamics 365 and Salesforce: one of your own): env:NAME or file:PATH. Without it
    no hint of it is heard."""
    time_zone: Zone | None = None
    """The business time zone, as Europe/Oslo: instants become dates here."""
    numbers: Literal["books", "ours"] = "books"
    """Who numbers invoices: the books' own setting, or Tieout."""
    rounding: Literal["half_up", "half_even", "half_down", "up", "down"] = "half_up"
    """How this company rounds amounts."""
    quiet_secs: Annotated[int, Whole(1, 3600)] | None = None
    """Seconds after an unanswered write in which it may still land; the connector's when absent."""
    income_account: str | None = None
    """The account of new items' income, where a mapping names none."""
    options: Mapping[str, bool | int | str] = field(default_factory=dict)
    """Settings that only this system's connector understands."""

    @property
    def ref_company(self) -> str:
        """The company as it stands in every Ref: ``hubspot:123``."""
        return f"{self.system}:{self.id}"

    @property
    def addresses(self) -> Mapping[str, str]:
        """Every address that is set, by its part; ``api`` is ``url``."""
        api = {"api": self.url} if self.url else {}
        return {part: address.url for part, address in {**api, **self.urls}.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsafe:
    """What makes one sheet of plans unsafe, so that a person is asked."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = _CONFIG

    documents: Annotated[int, Whole(1, 1_000_000)] = 500
    """More documents than this in one round."""
    amount: Sum | None = None
    """A larger net than this in one round, as 100000 EUR."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A CRM company, a books company, the mappings between them, and when they are worked."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = _CONFIG

    source: str
    """The company that is read: a name from companies."""
    target: str
    """The company that is written: a name from companies."""
    mappings: tuple[str, ...]
    """Names of files in mappings/, without .yaml, in the order in which they are worked."""
    cutover_date: date
    """Nothing before this day is ever posted."""
    mode: Literal["live", "shadow"] = "live"
    """shadow: read, map and plan, and post nothing, until `tieout go-live`; live when absent."""
    every: Span = field(default_factory=lambda: Span(300))
    """How often the daemon looks, as 30s, 5m, 2h or 1d; 5m when absent."""
    approve: Approve = field(default_factory=lambda: Approve.parse("by_hand"))
    """by_hand (when absent), automatic, or automatic under 5000 EUR."""
    push: Literal["few_calls", "fast"] = "few_calls"
    """few_calls: batches only. fast: batches and single calls mixed."""
    unsafe: Unsafe = field(default_factory=Unsafe)
    """From where on a round asks before it goes on."""
    sweep_every: Span = field(default_factory=lambda: Span(86400))
    """How often every posted deal is read again, beside what the feeds show."""
    twin_days: Annotated[int, Whole(0, 366)] = 45
    """How far back an invoice made by hand is looked for before a new one is made."""
    payment_twin_days: Annotated[int, Whole(0, 366)] = 7
    """How far back a payment made by hand is looked for before a new one is made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """How the log is written."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = _CONFIG

    format: Literal["text", "json"] = "text"
    """text for people, json for collectors."""
    level: Literal["debug", "info", "warning", "error"] = "info"
    """From debug on, personal details may appear; secrets never do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hints:
    """The door where systems say that something changed; without it nothing listens."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = _CONFIG

    url: Address
    """The door's address as the systems call it, without /hints: https, at your proxy."""
    listen: Listen = field(default_factory=lambda: Listen("127.0.0.1", 8843))
    """Where the daemon listens, behind that proxy; 127.0.0.1:8843 when absent."""
    wait: Span = field(default_factory=lambda: Span(10))
    """How long hints are gathered before a round begins, so that many make one; 10s when absent."""
    silent_after: Span = field(default_factory=lambda: Span(21600))
    """How long changes may be found without a hint before a task says so; 6h when absent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The file as a whole. Names of companies and pairs are for people."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = _CONFIG

    companies: Mapping[str, Company]
    """Each system's company under a name of your own."""
    pairs: Mapping[str, Pair]
    """Which company's deals become which company's invoices."""
    ledger: Path = Path("../state/ledger.db")
    """Tieout's memory; relative to this file's directory."""
    tokens: Path = Path("../state/tokens.sealed")
    """The sealed file of tokens; never part of a backup."""
    hints: Hints | None = None
    """The door where systems say that something changed; off when absent."""
    log: Log = field(default_factory=Log)
    """How the log is written."""
    stop_secs: Annotated[int, Whole(0, 3600)] = 60
    """How long a stopping daemon waits for answers that are on their way."""


def schema() -> dict[str, Any]:
    """Return the JSON Schema of the file, for completion in editors."""
    written = _adapter().json_schema()
    tidy: dict[str, Any] = _without_titles(written)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Tieout's configuration",
        **tidy,
    }


@cache
def _adapter() -> TypeAdapter[Settings]:
    from pydantic import TypeAdapter  # noqa: PLC0415 (imported when used)

    return TypeAdapter(Settings)


def _validated(node: Node) -> Settings:
    from pydantic import ValidationError  # noqa: PLC0415 (imported when used)

    if node.entries is None:
        raise Mistakes([node.mistake("settings are `name: value` lines", "see `tieout init`")])
    try:
        return _adapter().validate_python(node.plain())
    except ValidationError as wrong:
        found = wrong.errors(include_url=False, include_input=False)
        raise Mistakes([_explained(error, node) for error in found]) from None


def _explained(error: Mapping[str, Any], root: Node) -> Mistake:
    """Return what the validator found at its line, in words for people."""
    loc: Sequence[str | int] = error["loc"]
    node, line = _place(root, loc)
    name = ".".join(str(step) for step in loc) or FILE_NAME
    said = error.get("ctx", {})
    match error["type"]:
        case "missing":
            return Mistake(node.file, line, f"{name} is missing", _purpose(loc))
        case "unexpected_keyword_argument":
            known = [_written(known.name) for known in fields(_form(loc))]
            return Mistake(node.file, line, f"no setting {name}", nearest(str(loc[-1]), known))
        case "value_error":
            why = getattr(said["error"], "what", said["error"])
            return Mistake(node.file, line, f"{name} {why}")
        case "literal_error":
            return Mistake(node.file, line, f"{name} must be {said['expected']}")
        case "string_type":
            return Mistake(node.file, line, f"{name} must be a text", "put it in quotes")
        case "dataclass_type" | "mapping_type" | "dict_type":
            return Mistake(node.file, line, f"{name} must hold `name: value` lines")
        case "tuple_type":
            return Mistake(node.file, line, f"{name} must be a list", "write [one, another]")
    if error["type"].startswith("date"):
        return Mistake(node.file, line, f"{name} must be a day", "write it as 2026-01-31")
    return Mistake(node.file, line, f"{name}: {error['msg'][:1].lower()}{error['msg'][1:]}")


def _place(root: Node, loc: Sequence[str | int]) -> tuple[Node, int]:
    """Return the deepest value on the way, and the line of the last step that is written."""
    node, line = root, root.line
    for step in loc:
        if node.entries is not None and step in node.entries:
            line, node = node.line_of(str(step)), node.entries[str(step)]
        elif node.items is not None and isinstance(step, int) and step < len(node.items):
            node = node.items[step]
            line = node.line
        else:
            break
    return node, line


def _form(loc: Sequence[str | int]) -> type[Any]:
    """Return the class that describes where a setting stands."""
    match loc:
        case ["companies", _, _]:
            return Company
        case ["pairs", _, "unsafe", _]:
            return Unsafe
        case ["pairs", _, _]:
            return Pair
        case ["log", _]:
            return Log
        case ["hints", _]:
            return Hints
    return Settings


def _purpose(loc: Sequence[str | int]) -> str:
    """Return what a missing setting is for, as the schema tells editors."""
    form = _form(loc)
    told = schema()
    held = told if form is Settings else told["$defs"][form.__name__]
    return str(held["properties"][str(loc[-1])].get("description", "")).rstrip(".")


def _disagreements(settings: Settings, root: Node, directory: Path) -> Iterator[Mistake]:
    """Yield what is wrong between settings that are each right alone."""
    for what, held, limit in (
        ("companies", settings.companies, COMPANIES_LIMIT),
        ("pairs", settings.pairs, PAIRS_LIMIT),
    ):
        if not 1 <= len(held) <= limit:
            yield _at(root, (what,), f"{what} must hold 1 to {limit}", "see `tieout init`")
    yield from _of_companies(settings, root)
    for name, pair in settings.pairs.items():
        yield from _of_pair(name, pair, settings, root)
        yield from _of_mappings(name, pair, root, directory)


def _of_companies(settings: Settings, root: Node) -> Iterator[Mistake]:
    systems = connector_names()
    seen: dict[tuple[str, str], str] = {}
    for name, company in settings.companies.items():
        if company.system not in systems:
            what, hint = f"no connector for {company.system}", nearest(company.system, systems)
            yield _at(root, ("companies", name, "system"), what, hint)
        twin = seen.setdefault((company.system, company.id), name)
        if twin != name:
            what = f"{name} is the same company as {twin}"
            yield _at(root, ("companies", name, "id"), what, "keep one of them")


def _of_pair(name: str, pair: Pair, settings: Settings, root: Node) -> Iterator[Mistake]:
    for side, company in (("from", pair.source), ("to", pair.target)):
        if company not in settings.companies:
            hint = nearest(company, settings.companies)
            yield _at(root, ("pairs", name, side), f"no company {company}", hint)
    try:
        held_day(pair.cutover_date)
    except ValueRefused as wrong:
        yield _at(root, ("pairs", name, "cutover_date"), wrong.what.rstrip("."))
    if pair.source == pair.target:
        yield _at(root, ("pairs", name, "to"), "from and to are the same company")


def _of_mappings(name: str, pair: Pair, root: Node, directory: Path) -> Iterator[Mistake]:
    if not pair.mappings:
        yield _at(root, ("pairs", name, "mappings"), "a pair needs a mapping", "see `tieout init`")
    known = {file.stem for file in (directory / "mappings").glob("*.yaml")}
    for n, mapping in enumerate(pair.mappings):
        loc = ("pairs", name, "mappings", n)
        if mapping not in known:
            yield _at(root, loc, f"no mapping {mapping} in mappings/", nearest(mapping, known))
        elif mapping in pair.mappings[:n]:
            yield _at(root, loc, f"{mapping} is named twice")


def _at(root: Node, loc: Sequence[str | int], what: str, hint: str = "") -> Mistake:
    node, line = _place(root, loc)
    return Mistake(node.file, line, what, hint)


def connector_names() -> frozenset[str]:
    """Return the names of the systems that an installed connector speaks to."""
    return frozenset(entry.name for entry in entry_points(group=CONNECTORS))


def _without_titles(held: Any) -> Any:
    """Drop the validator's own titles; a setting may itself be called title."""
    if isinstance(held, dict):
        kept = {k: v for k, v in held.items() if not (k == "title" and isinstance(v, str))}
        return {k: _without_titles(v) for k, v in kept.items()}
    return [_without_titles(each) for each in held] if isinstance(held, list) else held
