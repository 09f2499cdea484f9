"""Judges what was heard between a connector and its simulator by the vendors' own contracts."""

from collections.abc import Iterable
from functools import lru_cache

import hubspot_contract
from quickbooks_contract import Schema, schema_at_hand
from recording import Heard

BOOKS = "/v3/company/"
TOKENS = "/oauth2/"
SIGNED = "/signed/"  # another host's: bytes, and no page of the vendor's API


def assert_as_published(heard: Iterable[Heard]) -> None:
    """Assert that every request and every answer has the names and types that are published."""
    assert sorted(mistakes(heard)) == []


def mistakes(heard: Iterable[Heard]) -> set[str]:
    """Return all that is wrong; QuickBooks' part needs its schema beside the repository."""
    found: set[str] = set()
    for one in heard:
        if one.path.startswith(BOOKS):
            found.update(_schema().wrong_exchange(one) if _schema() else ())
        elif not one.path.startswith((TOKENS, SIGNED)):
            found.update(hubspot_contract.mistakes(one))
    return found


@lru_cache(maxsize=1)
def _schema() -> Schema | None:
    return schema_at_hand()
