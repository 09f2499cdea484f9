"""SOQL: read, understood against an org, and answered."""

from typing import Any

from tieout.simulator.salesforce.kinds import Kind
from tieout.simulator.salesforce.org import SalesforceOrg
from tieout.simulator.salesforce.soql.filters import Filtering
from tieout.simulator.salesforce.soql.parse import parse, parse_condition
from tieout.simulator.salesforce.soql.paths import Sight, resolve
from tieout.simulator.salesforce.soql.rows import Search, attributes, understand
from tieout.simulator.salesforce.soql.tree import Column
from tieout.simulator.salesforce.tables import Values

__all__ = ["Column", "Search", "Sight", "attributes", "matches", "parse", "resolve", "understand"]


def matches(org: SalesforceOrg, kind: Kind, values: Values, where: str) -> bool:
    """Tell whether a condition, as it may stand after WHERE, holds for a record.

    Raises:
        Refusal: the condition cannot be read.
    """

    def none_found(_: Any) -> set[Any]:
        return set()

    filtering = Filtering(Sight(org, org.admin_id), kind, where, none_found)
    return filtering.test(parse_condition(where))(values)
