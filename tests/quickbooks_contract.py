"""The vendor's own schema of QuickBooks' bodies, where it is at hand beside the repository.

Everything in it is XML; the JSON of the API has the same names (developer.intuit.com, REST API
features): attributes and elements are fields, what may come more than once is a list, the text of
an element with attributes is its `value`.
"""

import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from recording import Heard

from tieout.simulator import jsonwire

SCHEMAS = Path(__file__).parents[2] / "shared" / "contracts" / "quickbooks"
XS = "{http://www.w3.org/2001/XMLSchema}"

JSON_ONLY = {
    # developer.intuit.com/app/developer/qbo/docs/learn/rest-api-features: in JSON every object
    # says where it lives, whether it is sparse and, in a feed, whether it was deleted.
    "domain": "string",
    "sparse": "boolean",
    "status": "string",
}
PARAMETERS = {
    # Intuit: reference pages of the entities, change data capture, blogs.intuit.com/2015/04/06.
    "GET": {"minorversion", "query", "entities", "changedSince", "sourcecurrencycode", "asofdate"},
    "POST": {"minorversion", "requestid", "operation", "include", "query"},
}
SCALARS: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(("string", "id", "date", "dateTime", "anyURI"), (str,)),
    **dict.fromkeys(("decimal", "double"), (int, Decimal)),
    **dict.fromkeys(("int", "integer", "long", "positiveInteger", "nonNegativeInteger"), (int,)),
    "boolean": (bool,),
}
DATE = re.compile(r"\d{4}-\d\d-\d\d")
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?([+-]\d\d:\d\d|Z)")


class Schema:
    """The vendor's types: names of fields with their types, and the words of enumerations."""

    def __init__(self, folder: Path) -> None:
        self.types: dict[str, Any] = {}
        self.words: dict[str, list[str | None]] = {}
        self._known: dict[str, dict[str, tuple[str, bool]]] = {}
        for path in sorted(folder.glob("*.xsd")):
            root = ET.parse(path).getroot()
            for named in root.findall(f"{XS}complexType"):
                self.types[named.get("name", "")] = named
            for named in root.findall(f"{XS}simpleType"):
                words = [word.get("value") for word in named.iter(f"{XS}enumeration")]
                self.words[named.get("name", "")] = words

        self._entities = {name.lower(): name for name in self.types}

    def fields(self, type_name: str) -> dict[str, tuple[str, bool]]:
        """Return the fields of a type, those of its bases too: name -> (type, is a list)."""
        if type_name in self._known:
            return self._known[type_name]
        named = self.types[type_name]
        found: dict[str, tuple[str, bool]] = {}
        for extension in named.iter(f"{XS}extension"):
            base = extension.get("base", "").split(":")[-1]
            if base in self.types:
                found |= self.fields(base)
            else:
                found["value"] = (base, False)  # XML's text is JSON's value
        for element in named.iter(f"{XS}element"):
            if element.get("name"):
                many = element.get("maxOccurs") == "unbounded"
                kind = (element.get("type") or "anyType").split(":")[-1]
                found[element.get("name", "")] = (kind, many)
        for attribute in named.iter(f"{XS}attribute"):
            kind = (attribute.get("type") or "string").split(":")[-1]
            found[attribute.get("name", "")] = (kind, False)
        self._known[type_name] = found
        return found

    def mistakes(self, type_name: str, body: Any, place: str) -> Iterator[str]:
        """Yield every name that the schema has not, and every value of another type."""
        if not isinstance(body, dict):
            yield f"{place} is no {type_name}"
            return
        known = self.fields(type_name)
        for name, value in body.items():
            here = f"{place}.{name}"
            kind, many = known.get(name) or (JSON_ONLY.get(name, ""), False)
            if not kind:
                yield f"{here} is not in {type_name}"
            elif isinstance(value, list) != many:
                yield f"{here} is {'no' if many else 'a'} list"
            else:
                for one in value if many else [value]:
                    yield from self._wrong(kind, one, here)

    def _wrong(self, kind: str, value: Any, place: str) -> Iterator[str]:
        if kind in SCALARS:
            ok = isinstance(value, SCALARS[kind]) and isinstance(value, bool) == (kind == "boolean")
            if not ok:
                yield f"{place} is no {kind}: {value!r}"
            elif kind == "date" and not DATE.fullmatch(value):
                yield f"{place} is no date: {value}"
            elif kind == "dateTime" and not INSTANT.fullmatch(value):
                yield f"{place} is no instant: {value}"
        elif kind in self.types:
            yield from self.mistakes(kind, value, place)
        elif self.words.get(kind):
            if value not in self.words[kind]:
                yield f"{place} is not one of {kind}: {value}"
        elif not isinstance(value, str):
            yield f"{place} is no text ({kind}): {value!r}"

    # Whole exchanges

    def wrong_exchange(self, heard: Heard) -> Iterator[str]:
        """Yield what is wrong with a call of the accounting API, asked or told."""
        for name in heard.query.keys() - PARAMETERS.get(heard.method, set()):
            yield f"{heard.place}: no page knows its parameter {name}"
        if heard.method == "POST":
            yield from self._wrong_request(heard)
        told = jsonwire.loads(heard.told)
        if "fault" not in told:  # the gateway's spelling, which no schema has
            yield from self._wrong_answer(told, f"{heard.place} told")

    def _wrong_request(self, heard: Heard) -> Iterator[str]:
        target = heard.path.rpartition("/")[2]
        place = f"{heard.place} asked"
        if target == "query":
            if heard.content_type != "application/text":
                yield f"{place}: a query is {heard.content_type}"
            return
        if target == "upload":  # the Attachable is the first part, the file the second
            first = heard.asked.partition(b"\r\n\r\n")[2].partition(b"\r\n--")[0]
            yield from self.mistakes("Attachable", jsonwire.loads(first), place)
            return
        if heard.content_type != "application/json":
            yield f"{place}: a body is {heard.content_type}"
        body = jsonwire.loads(heard.asked)
        if target != "batch":
            yield from self.mistakes(self._entity(target), body, place)
            return
        if set(body) != {"BatchItemRequest"}:
            yield f"{place} is {sorted(body)}"
        for item in body["BatchItemRequest"]:
            yield from self._wrong_envelope("BatchItemRequest", item, place)

    def _wrong_answer(self, told: Any, place: str) -> Iterator[str]:
        for name, value in told.items():
            if name == "BatchItemResponse":
                for item in value:
                    yield from self._wrong_envelope(name, item, f"{place}.{name}")
            elif name == "CDCResponse":
                for one in value:
                    for response in one["QueryResponse"]:
                        yield from self._wrong_rows(response, f"{place}.{name}")
            elif name == "QueryResponse":
                yield from self._wrong_rows(value, f"{place}.{name}")
            else:
                yield from self._wrong_envelope("IntuitResponse", {name: value}, place)

    def _wrong_rows(self, response: Any, place: str) -> Iterator[str]:
        for name, value in response.items():
            if isinstance(value, list):
                for one in value:
                    yield from self.mistakes(self._entity(name), one, f"{place}.{name}")
            else:
                yield from self._wrong_envelope("QueryResponse", {name: value}, place)

    def _wrong_envelope(self, type_name: str, body: Any, place: str) -> Iterator[str]:
        """Yield the mistakes of an envelope, in which any object may stand under its own name."""
        known = self.fields(type_name)
        for name, value in body.items():
            if name == "QueryResponse":
                yield from self._wrong_rows(value, f"{place}.{name}")
            elif name in known:
                yield from self.mistakes(type_name, {name: value}, place)
            else:
                yield from self.mistakes(self._entity(name), value, f"{place}.{name}")

    def _entity(self, name: str) -> str:
        found = self._entities.get(name.lower())
        if found is None:
            raise LookupError(f"the schema has no type {name}")
        return found


def schema_at_hand() -> Schema | None:
    """Return the vendor's schema; None where it is not beside the repository."""
    return Schema(SCHEMAS) if SCHEMAS.is_dir() else None
