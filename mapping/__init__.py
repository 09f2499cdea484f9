"""The translation: a YAML mapping in, a document out. Pure; no connector, no ledger."""
