"""What Dataverse says when it does not take a request, in its shape and with its codes.

Names and codes are those of learn.microsoft.com/power-apps/developer/data-platform/reference/
web-service-error-codes; statuses those of its page "Compose HTTP requests and handle errors".
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

ODATA = "0x80060888"
"""What the OData reader answers: a name that is not there, a syntax that it does not know."""
PAYLOAD = "0x80048d19"
_HELP = "https://go.microsoft.com/fwlink/?linkid=2195293"


@dataclass(slots=True)
class Refusal(Exception):
    """An answer that is no success: its status, the vendor's code, its words."""

    status: int
    code: str
    message: str
    headers: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        Exception.__init__(self, f"{self.status} {self.code} {self.message}")

    def body(self) -> Any:
        """Return the answer's JSON."""
        return {"error": {"code": self.code, "message": self.message}}


def bad_query(message: str) -> Refusal:
    """Return the 400 of a query that the OData reader does not take."""
    return Refusal(400, ODATA, message)


def no_property(name: str, table: str) -> Refusal:
    """Return the 400 of a column that the table does not have."""
    said = f"Could not find a property named '{name}' on type 'Microsoft.Dynamics.CRM.{table}'."
    return bad_query(said)


def syntax_error(position: int, text: str) -> Refusal:
    """Return the 400 of a filter that cannot be read."""
    return bad_query(f"Syntax error at position {position} in '{text}'.")


def bad_payload(entity_set: str, inner: str) -> Refusal:
    """Return the 400 of a body that the OData reader does not take."""
    return Refusal(
        400,
        PAYLOAD,
        f"Error identified in Payload provided by the user for Entity :'{entity_set}', For more "
        f"information on this error please follow this help link {_HELP}  ---->  "
        f"InnerException : {inner}",
    )


def no_resource(segment: str) -> Refusal:
    """Return the 404 of a path that leads nowhere."""
    return Refusal(404, ODATA, f"Resource not found for the segment '{segment}'.")


def no_record(table: str, record_id: str) -> Refusal:
    """Return the 404 of an id that no record has (ObjectDoesNotExist)."""
    return Refusal(404, "0x80040217", f"Entity '{table}' With Id = {record_id} Does Not Exist")


def no_record_by_key(table: str) -> Refusal:
    """Return the 404 of key values that no record has (RecordNotFoundByEntityKey)."""
    return Refusal(
        404,
        "0x80060891",
        f"A record with the specified key values does not exist in {table} entity",
    )


def version_moved() -> Refusal:
    """Return the 412 of an If-Match that is not the present version."""
    return Refusal(
        412,
        "0x80060882",
        "The version of the existing record doesn't match the RowVersion property provided.",
    )


def exists_already() -> Refusal:
    """Return the 412 of an If-None-Match: * on a record that is there."""
    return Refusal(412, "0x80040237", "A record with matching key values already exists.")


def key_violated(key: str, columns: str) -> Refusal:
    """Return the 412 of a value that another record holds (DuplicateRecordEntityKey)."""
    return Refusal(
        412,
        "0x80060892",
        f"Entity Key {key} violated. A record with the same value for {columns} already exists. "
        "A duplicate record cannot be created. Select one or more unique values and try again.",
    )


def duplicate_found() -> Refusal:
    """Return the 412 of a duplicate detection rule (DuplicateRecordsFound)."""
    return Refusal(
        412,
        "0x80040333",
        "A record was not created or updated because a duplicate of the current record already "
        "exists.",
    )


def too_long(column: str, table: str, limit: int) -> Refusal:
    """Return the 400 of a text beyond its column's length."""
    return Refusal(
        400,
        "0x80044331",
        f"A validation error occurred.  The length of the '{column}' attribute of the '{table}' "
        f"entity exceeded the maximum allowed length of '{limit}'.",
    )


def out_of_range(column: str, table: str) -> Refusal:
    """Return the 400 of a number beyond its column's range."""
    return Refusal(
        400,
        "0x80044330",
        f"A validation error occurred.  The value of '{column}' on record of type '{table}' is "
        "outside the valid range.",
    )


def no_option(value: int, column: str, table: str, accepted: str) -> Refusal:
    """Return the 400 of a choice that has no such value."""
    return Refusal(
        400,
        "0x8004431a",
        f"A validation error occurred. The value {value} of '{column}' on record of type "
        f"'{table}' is outside the valid range. Accepted Values: {accepted}",
    )


def no_secured_column(verb: str) -> Refusal:
    """Return the 403 of a secured column without a column security profile."""
    code, doing = {
        "create": ("0x8004F502", "create"),
        "update": ("0x8004F507", "update"),
        "query": ("0x8004F506", "read"),
    }[verb]
    said = f"The user does not have {doing} permissions to a secured field."
    return Refusal(403, code, f"{said} The requested operation could not be completed.")


def no_privilege(user: str, privilege: str, table: str, type_code: int) -> Refusal:
    """Return the 403 of a user whose roles lack a privilege (PrivilegeDenied)."""
    return Refusal(
        403,
        "0x80040220",
        f"Principal user (Id={user}, type=8, roleCount=1, privilegeCount=1, accessMode='4 "
        f"Non-interactive'), is missing {privilege} privilege on OTC={type_code} for entity "
        f"'{table}'. context.Caller={user}.",
    )
