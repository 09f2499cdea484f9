"""HubSpot: won deals with their lines and companies, commerce payments, and what is told back."""

from connectors.hubspot.connector import HubSpot

__all__ = ["HubSpot"]
