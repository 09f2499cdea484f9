"""The borders: one system, one connector."""
