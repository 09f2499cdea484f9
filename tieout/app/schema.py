"""Writes ``config/schema/tieout.schema.json``: ``python -m tieout.app.schema``."""

import json
from pathlib import Path

from tieout.app.settings import schema
from tieout.app.starter import starter


def schema_file() -> Path:
    """Return where the schema is kept, in the starter configuration."""
    return starter() / "schema" / "tieout.schema.json"


def schema_text() -> str:
    """Return the schema as it must stand in its file."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    schema_file().write_text(schema_text(), encoding="utf-8")
