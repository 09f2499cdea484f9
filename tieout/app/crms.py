"""The CRMs that the make-believe world has, a row for each; books are QuickBooks' always."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

ALL: Final = "all"
"""What stands for every CRM, where one is chosen by name."""


@dataclass(frozen=True, slots=True)
class Crm:
    """One CRM and its make-believe company.

    Attributes:
        system: the connector's name.
        title: the vendor's own spelling.
        site: what the vendor calls a company of its own.
        company_id: the make-believe company's id.
        port: where it is served, unless another is asked for.
        mappings: what its pair works by.
    """

    system: str
    title: str
    site: str
    company_id: str
    port: int
    mappings: tuple[str, ...]


CRMS: Final = {
    crm.system: crm
    for crm in (
        Crm(
            "hubspot",
            "HubSpot",
            "portal",
            "146000123",
            8801,
            ("hubspot-deal-to-invoice", "hubspot-payment-to-payment"),
        ),
        Crm(
            "salesforce",
            "Salesforce",
            "org",
            "00D5g000004TieOEAS",
            8803,
            ("salesforce-deal-to-invoice",),
        ),
        Crm(
            "dynamics365",
            "Dynamics 365",
            "organization",
            "6c1e6f0a-0000-4000-8000-000000000365",
            8804,
            ("dynamics365-deal-to-invoice",),
        ),
    )
}
USUAL: Final = "hubspot"
CHOICES: Final = (*CRMS, ALL)


def chosen(name: str) -> tuple[Crm, ...]:
    """Return the CRMs that a choice means.

    Raises:
        KeyError: there is no such choice.
    """
    return tuple(CRMS.values()) if name == ALL else (CRMS[name],)


def titles(crms: Sequence[Crm]) -> str:
    """Return the names of some CRMs as one says them, "none" of no CRM."""
    *most, last = [crm.title for crm in crms] or ["none"]
    return f"{', '.join(most)} and {last}" if most else last
