"""One request on its way to its answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tieout.simulator.hubspot.errors import Refusal, bad_request
from tieout.simulator.hubspot.portal import HubSpotPortal
from tieout.simulator.hubspot.schema import Kind, instant_text
from tieout.simulator.hubspot.search import Searcher

MAX_INPUTS = 100


@dataclass(frozen=True, slots=True)
class Call:
    """A request that was let in: the portal, the path's words, the query and the JSON body."""

    portal: HubSpotPortal
    searcher: Searcher
    words: Mapping[str, str]
    query: Mapping[str, str]
    body: Any
    base: str = ""
    """The server's own address, for what it links to."""

    @property
    def version(self) -> str:
        """The version of the API that the path names."""
        return self.words["version"]

    def kind(self, word: str = "kind") -> Kind:
        """Return the kind that the path names.

        Raises:
            Refusal: 400, there is no such kind.
        """
        kind = self.portal.kind_of(self.words[word])
        if kind is None:
            raise bad_request(f"Unable to infer object type from: {self.words[word]}")
        return kind

    def names(self, parameter: str) -> list[str] | None:
        """Return a comma-separated parameter's names; None if it was not given."""
        text = self.query.get(parameter)
        return text.split(",") if text else None

    def flag(self, parameter: str) -> bool:
        """Tell whether a parameter is true.

        Raises:
            Refusal: 400, it is neither true nor false.
        """
        told = self.query.get(parameter, "false").lower()
        if told not in {"true", "false"}:
            raise bad_request(f"{parameter} must be true or false, but was {told}")
        return told == "true"

    def inputs(self, most: int = MAX_INPUTS) -> Sequence[Mapping[str, Any]]:
        """Return a batch's inputs.

        Raises:
            Refusal: 400, there are none or too many.
        """
        inputs = self.body.get("inputs") if isinstance(self.body, dict) else None
        if not inputs or not isinstance(inputs, list):
            raise bad_request("Invalid input JSON: inputs must not be empty")
        if len(inputs) > most:
            raise bad_request(
                f"The maximum number of inputs supported in a batch request is {most}, "
                f"but was {len(inputs)}."
            )
        return inputs


@dataclass(frozen=True, slots=True)
class Reply:
    """What a request is answered with; no content is an empty body."""

    content: Any = None
    status: int = 200


def batch(
    call: Call, results: Sequence[Any], errors: Sequence[Mapping[str, Any]] = (), status: int = 200
) -> Reply:
    """Return a batch's answer: 207 where something in it failed."""
    at = instant_text(call.portal.present())
    content = {"status": "COMPLETE", "results": results, "startedAt": at, "completedAt": at}
    if errors:
        return Reply({**content, "numErrors": len(errors), "errors": errors}, 207)
    return Reply(content, status)


def whole(call: Call, parameter: str, default: int, most: int) -> int:
    """Return a page's size from the query.

    Raises:
        Refusal: 400, it is no whole number or too large.
    """
    text = call.query.get(parameter, str(default))
    if not text.isdecimal() or not 1 <= int(text) <= most:
        raise Refusal(400, "VALIDATION_ERROR", f"{parameter} must be between 1 and {most}")
    return int(text)


def start(call: Call) -> int:
    """Return where a list's page begins.

    Raises:
        Refusal: 400, it is no whole number.
    """
    text = call.query.get("after") or "0"
    if not text.isdecimal():
        raise bad_request(f"after must be a whole number, but was {text}")
    return int(text)
