"""Refusals as Salesforce words them: a list of messages with their codes.

Source: REST API Developer Guide, "Status Codes and Error Responses"; the codes of rows are those
of the SOAP API Developer Guide, "Core Data Types", StatusCode.
"""

from collections.abc import Mapping, Sequence
from typing import Any


class Refusal(Exception):
    """A request that is answered with an error: status, code, words."""

    def __init__(
        self, status: int, code: str, message: str, fields: Sequence[str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.fields = fields

    def body(self) -> list[dict[str, Any]]:
        """Return the answer's JSON."""
        told: dict[str, Any] = {"message": self.message, "errorCode": self.code}
        if self.fields is not None:
            told["fields"] = list(self.fields)
        return [told]


class RowError(Exception):
    """One record that is not written: the code, the words and the fields that are wrong."""

    def __init__(
        self,
        code: str,
        message: str,
        fields: Sequence[str] = (),
        *,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.fields = list(fields)
        self.more = dict(more or {})

    def shown(self) -> dict[str, Any]:
        """Return the entry of a result's `errors`."""
        return {
            "statusCode": self.code,
            "message": self.message,
            "fields": self.fields,
            **self.more,
        }

    def refusal(self) -> Refusal:
        """Return what a request for this one record is answered."""
        status = 404 if self.code in _GONE else 403 if self.code in _FORBIDDEN else 400
        return Refusal(status, self.code, self.message, self.fields)


_GONE = frozenset({"ENTITY_IS_DELETED", "NOT_FOUND"})
_FORBIDDEN = frozenset({"INSUFFICIENT_ACCESS_OR_READONLY", "INSUFFICIENT_ACCESS"})


def not_found(message: str = "The requested resource does not exist") -> Refusal:
    """Return the 404 of what is not there."""
    return Refusal(404, "NOT_FOUND", message)


def no_such_type(name: str) -> Refusal:
    """Return the refusal of a kind that is not there, or that the user may not see."""
    return Refusal(
        400,
        "INVALID_TYPE",
        f"sObject type '{name}' is not supported. If you are attempting to use a custom object, be "
        "sure to append the '__c' after the entity name. Please reference your WSDL or the "
        "describe call for the appropriate names.",
    )
