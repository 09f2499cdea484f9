"""QuickBooks Online: the books as they are asked and told."""

from connectors.quickbooks.connector import QuickBooks

__all__ = ["QuickBooks"]
