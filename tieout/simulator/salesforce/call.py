"""One request on its way to its answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tieout.simulator.salesforce.errors import Refusal, no_such_type, not_found
from tieout.simulator.salesforce.kinds import Kind
from tieout.simulator.salesforce.org import SalesforceOrg
from tieout.simulator.salesforce.soql import Sight
from tieout.simulator.salesforce.writing import Writer


@dataclass(frozen=True, slots=True)
class Call:
    """A request that was let in: the org, the user, the path's words, the query, the body."""

    org: SalesforceOrg
    user: str
    version: str
    words: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any = None
    tooling: bool = False
    """Asks the Tooling API."""

    @property
    def sight(self) -> Sight:
        """What the user may see."""
        return Sight(self.org, self.user, self.tooling)

    @property
    def writer(self) -> Writer:
        """The user as one who writes."""
        rule = self.headers.get("sforce-duplicate-rule-header", "").replace(" ", "").lower()
        return Writer(self.user, allow_duplicates="allowsave=true" in rule)

    def kind(self, word: str = "kind") -> Kind:
        """Return the kind that the path names.

        Raises:
            Refusal: 404, there is none, or the user may not see it.
        """
        found = self.sight.kind(self.words[word])
        if found is None:
            raise not_found()
        return found

    def typed(self, name: Any) -> Kind:
        """Return the kind that a body names.

        Raises:
            Refusal: 400, there is none.
        """
        found = self.sight.kind(name) if isinstance(name, str) else None
        if found is None:
            raise no_such_type(str(name))
        return found

    def object(self) -> dict[str, Any]:
        """Return the body, which must be an object.

        Raises:
            Refusal: 400 JSON_PARSER_ERROR.
        """
        if not isinstance(self.body, dict):
            raise Refusal(400, "JSON_PARSER_ERROR", "The HTTP entity body is required")
        return self.body


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer to come: JSON, or other bytes of a type."""

    content: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    media_type: str = "application/json;charset=UTF-8"
