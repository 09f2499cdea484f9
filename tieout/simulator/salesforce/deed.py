"""What a deed is: something that people do, by its name, under the org's lock."""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from tieout.simulator.salesforce.org import SalesforceOrg
from tieout.simulator.salesforce.writing import Writer

P = ParamSpec("P")
Deed = Callable[Concatenate[SalesforceOrg, P], Any]
DEEDS: dict[str, Deed[...]] = {}


def play(org: SalesforceOrg, told: Mapping[str, Any]) -> Any:
    """Do one deed by its name; returns what it made: an id, or nothing.

    Raises:
        KeyError: there is no such deed or record.
        TypeError: the deed needs other words.
        RowError: the org does not take it.
    """
    words = dict(told)
    return DEEDS[words.pop("deed")](org, **words)


def deed(function: Deed[P]) -> Deed[P]:
    """Make a function a deed."""

    @wraps(function)
    def locked(org: SalesforceOrg, /, *args: P.args, **kwargs: P.kwargs) -> Any:
        with org.lock:
            return function(org, *args, **kwargs)

    DEEDS[locked.__name__] = locked
    return locked


def person(org: SalesforceOrg) -> Writer:
    """Return whoever writes by hand."""
    return Writer(org.admin_id, allow_duplicates=True)
