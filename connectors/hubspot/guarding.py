"""Whether people can change our properties: HubSpot's API neither says nor sets who may.

A property's definition takes no such thing, and its ``modificationMetadata`` is only told (pages
"Create a property", "Update a property"). A super admin restricts it by hand, in Enterprise; it
binds neither imports nor the API (page "Manage view and edit access for properties").
"""

from __future__ import annotations

from tieout.model.contract import Right

RIGHT = "People only view the Tieout properties"
PURPOSE = "the mark and what the deals are told are read-only to people"


def guarded(groups: tuple[tuple[str, str], ...]) -> Right:
    """Return how it is done by hand, for the groups of properties of some objects; never judged."""
    named = "; ".join(f"{of} properties, group {group}" for of, group in groups)
    return Right(
        RIGHT,
        PURPOSE,
        said=f"In HubSpot's settings, Properties ({named}): select all of the group, then its "
        "access: everyone may view, nobody edits. It takes a super admin and an Enterprise plan.",
    )
