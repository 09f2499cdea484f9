"""Merging two accounts or two contacts (R49: opportunities cannot be merged).

Source: learn.microsoft.com/power-apps/developer/data-platform/merge-data.
"""

from typing import TYPE_CHECKING

from tieout.simulator.dynamics365.refusals import Refusal
from tieout.simulator.dynamics365.schema import Target

if TYPE_CHECKING:
    from tieout.simulator.dynamics365.org import DynamicsOrg

MERGED = frozenset({"account", "contact"})
_INACTIVE = {"statecode": 1, "statuscode": 2}


def merge_records(org: "DynamicsOrg", target: Target, other: Target) -> None:
    """Make `other` inactive and pointing at `target`; what led to it leads to the target.

    Raises:
        Refusal: 400 they cannot be merged, 404 one of them does not exist.
    """
    if target.table != other.table or target.table not in MERGED:
        raise Refusal(400, "0x80040203", f"Merge is not supported for {other.table}.")
    if target.id == other.id:
        raise Refusal(400, "0x80040203", "A record cannot be merged with itself.")
    org.record(target.table, target.id)
    subordinate = org.record(other.table, other.id)
    if subordinate.values.get("merged"):
        raise Refusal(400, "0x80040203", "The subordinate was merged before.")
    for table in org.tables.values():
        for column in table.columns.values():
            if other.table not in column.targets or not column.writable:
                continue
            for record in list(org.shelves[table.name].pointing(column.name, other)):
                org.update(table.name, record, {column.name: target})
    org.update(other.table, subordinate, {"masterid": target, "merged": True, **_INACTIVE})
