"""Our memory: one SQLite file, its named queries, its journal and its backups."""
