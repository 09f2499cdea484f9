"""The companies' doors that no vendor has: what is really there, people's deeds, faults.

What the demo judges by comes through here, and never through Tieout's own connectors or ledger.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeAlias

import requests

ANSWER_SECS = 30
Truth: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Doors:
    """One company's doors, by its address."""

    url: str

    def truth(self) -> Truth:
        """Return what is really there; amounts are exact.

        Raises:
            OSError: nobody answers.
            ValueError: somebody else answers.
        """
        truth: Truth = self._ask("GET", "/__truth")
        return truth

    def play(self, deeds: Sequence[Mapping[str, Any]]) -> list[Any]:
        """Let people do things, in this order; return what each made.

        Raises:
            ValueError: the company refuses one.
        """
        answer = self._ask("POST", "/__deeds", list(deeds)) if deeds else []
        return list(answer["done"] if isinstance(answer, dict) else answer)

    def break_with(self, faults: Sequence[Mapping[str, Any]]) -> None:
        """Put faults in force, and none of those before."""
        self._ask("DELETE", "/__faults")
        if faults:
            self._ask("POST", "/__faults", list(faults))

    def struck(self) -> list[str]:
        """Return the names of the faults that struck, each as often as it did."""
        listed = self._ask("GET", "/__faults")["faults"]
        return [_named(one) for one in listed for _ in range(one["fired"])]

    def _ask(self, method: str, path: str, told: Any = None) -> Any:
        with requests.Session() as session:
            session.trust_env = False  # a proxy does not lead to this machine
            answer = session.request(method, self.url + path, json=told, timeout=ANSWER_SECS)
        if not answer.ok:
            raise ValueError(f"{self.url}{path}: {answer.text}")
        return json.loads(answer.text, parse_float=Decimal)


def asked(truth: Truth) -> int:
    """Return how many requests of its API a company has answered since it is served."""
    return sum(truth["requests"].values())


def _named(fault: Mapping[str, Any]) -> str:
    if fault["fault"] == "status":
        return f"{fault['status']}"
    return str(fault["fault"]).replace("_", " ")
