"""Salesforce: won opportunities with their lines and accounts, and what is told back."""

from connectors.salesforce.connector import Salesforce

__all__ = ["Salesforce"]
