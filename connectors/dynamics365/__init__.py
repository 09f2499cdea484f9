"""Dynamics 365 Sales over the Dataverse Web API: won opportunities, and what is told back."""

from connectors.dynamics365.connector import Dynamics365

__all__ = ["Dynamics365"]
