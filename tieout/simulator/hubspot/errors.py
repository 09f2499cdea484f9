"""Refusals as HubSpot words them.

Source: developers.hubspot.com/docs/api-reference/error-handling. Its clients must treat every
field of an error as optional; the categories and codes here are those that the public pages and
issue trackers quote.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


class Refusal(Exception):
    """A request that HubSpot answers with an error: status, category and words."""

    def __init__(
        self,
        status: int,
        category: str,
        message: str,
        *,
        errors: Sequence[Mapping[str, Any]] = (),
        context: Mapping[str, Sequence[str]] | None = None,
        sub_category: str | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.category = category
        self.message = message
        self.errors = list(errors)
        self.context = dict(context or {})
        self.sub_category = sub_category

    def body(self, correlation_id: str) -> dict[str, Any]:
        """Return the answer's JSON."""
        return {"status": "error", "correlationId": correlation_id, **self._told()}

    def batch_error(self, trace_id: str | None) -> dict[str, Any]:
        """Return the entry of a 207's `errors` for one input of a batch."""
        told = {"status": "error", **self._told()}
        if trace_id is not None:
            told["context"] = {**self.context, "objectWriteTraceId": [trace_id]}
        return told

    def _told(self) -> dict[str, Any]:
        told: dict[str, Any] = {"message": self.message, "category": self.category}
        if self.sub_category:
            told["subCategory"] = self.sub_category
        if self.context:
            told["context"] = self.context
        if self.errors:
            told["errors"] = self.errors
        return told


@dataclass(frozen=True, slots=True)
class Invalid:
    """One property's value that HubSpot does not accept."""

    name: str
    error: str
    """HubSpot's code: PROPERTY_DOESNT_EXIST, READ_ONLY_VALUE, INVALID_NUMBER, ..."""
    message: str
    extra: Mapping[str, Any] = field(default_factory=dict)


def not_valid(portal_id: int, invalid: Sequence[Invalid]) -> Refusal:
    """Return HubSpot's 400 for wrong property values: a JSON list inside its message."""
    told = [
        {
            "isValid": False,
            "message": one.message,
            "error": one.error,
            "name": one.name,
            "localizedErrorMessage": one.message,
            "portalId": portal_id,
            **one.extra,
        }
        for one in invalid
    ]
    return Refusal(
        400,
        "VALIDATION_ERROR",
        f"Property values were not valid: {json.dumps(told, separators=(',', ':'))}",
        errors=[
            {
                "message": one.message,
                "code": one.error,
                "context": {"propertyName": [one.name]},
            }
            for one in invalid
        ],
    )


def bad_request(message: str) -> Refusal:
    """Return HubSpot's 400 for a body or a query that it cannot take."""
    return Refusal(400, "VALIDATION_ERROR", message)


def not_found(message: str = "resource not found") -> Refusal:
    """Return HubSpot's 404 for a record that is not there or is archived."""
    return Refusal(404, "OBJECT_NOT_FOUND", message)


def objects_not_found(kind: str, ids: Sequence[str]) -> Refusal:
    """Return the error entry of a batch that names ids which do not exist."""
    return Refusal(
        404,
        "OBJECT_NOT_FOUND",
        f"Could not get some {kind.upper()} objects, they may be deleted or not exist. "
        "Check that ids are valid.",
        context={"ids": list(ids)},
    )
