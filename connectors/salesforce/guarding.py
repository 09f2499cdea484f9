"""Whether people can change our fields: who beside Tieout's permission set may edit them.

A field is edited by whom a profile or a permission set lets (page "FieldPermissions"); Tieout
grants itself, and makes a second set that lets people read.
"""

from __future__ import annotations

from collections.abc import Iterator

from connectors.salesforce import soql
from connectors.salesforce.facts import our_objects
from connectors.salesforce.reading import Reading
from tieout.model.contract import Right
from tieout.model.errors import Rejected, Unauthorized

NAMED_AT_MOST = 5
RIGHT = "Nobody else edits the Tieout fields"
PURPOSE = "the mark and what the deals are told are read-only to people"


def guarded(reading: Reading) -> Right:
    """Return whether nobody else may edit our fields; not judged where Tieout may not ask.

    The profile of Tieout's own user does not count, as nobody else should have it.

    Raises:
        Unavailable: Salesforce does not answer.
    """
    ours = reading.facts.provisions["permission_set"]["name"]
    fields = [f"{of}.{one['name']}" for of, one in our_objects(reading.facts)]
    statement = (
        "SELECT Field, Parent.Name, Parent.Label, Parent.ProfileId, Parent.Profile.Name "  # noqa: S608 - SOQL, its values are escaped
        f"FROM FieldPermissions WHERE PermissionsEdit = true AND {soql.within('Field', fields)}"
    )
    user = soql.within("Id", [str(reading.wire.user_info()["user_id"])])
    try:
        rows = reading.wire.whole(statement)
        own = {
            row["ProfileId"]
            for row in reading.wire.whole(f"SELECT ProfileId FROM User WHERE {user}")  # noqa: S608 - the same
        }
    except (Rejected, Unauthorized) as refused:
        return Right(RIGHT, PURPOSE, said=refused.vendor_words or refused.what)
    others: dict[str, set[str]] = {}
    for row in rows:
        parent = row["Parent"]
        if parent["Name"] == ours or parent["ProfileId"] in own:
            continue
        profile = parent["Profile"]["Name"] if parent["ProfileId"] else ""
        who = f"the profile {profile}" if profile else f"the permission set {parent['Label']}"
        others.setdefault(who, set()).add(str(row["Field"]))
    if not others:
        return Right(RIGHT, PURPOSE, held=True)
    told = "; ".join(f"{who} may edit {_few(fields)}" for who, fields in sorted(others.items()))
    return Right(RIGHT, PURPOSE, held=False, said=f"Take it from them: {told}.")


def advice(reading: Reading) -> Iterator[Right]:
    """Yield what an administrator does so that people see our fields and leave them alone."""
    right = guarded(reading)
    if right.held is not True:
        yield right
    readers = reading.facts.provisions["readers"]["name"]
    objects = " and ".join(dict.fromkeys(of for of, _ in our_objects(reading.facts)))
    yield Right(
        "Page layouts",
        "people see the Tieout fields",
        said=f"Assign the permission set {readers} to those who may see them; in Setup, Object "
        f"Manager, Page Layouts of {objects}, add the fields, each as Read-Only.",
    )


def _few(fields: set[str]) -> str:
    named = sorted(fields)
    more = len(named) - NAMED_AT_MOST
    return ", ".join(named[:NAMED_AT_MOST]) + (f" and {more} more" if more > 0 else "")
