"""Where each part of the API lives: dated paths, or the numbered ones that came before them.

Dated: ``/crm/objects/2026-03/deals``. Numbered: ``/crm/v3/objects/deals``, with associations in v4
(supported until 2027); a proxy or an older server may know only these.
"""

from __future__ import annotations

import re

NUMBERED = "v3"
_NUMBERED_ASSOCIATIONS = "v4"  # v3's say nothing of types
_IS_NUMBERED = re.compile(r"v\d+", re.ASCII)


def crm(version: str, area: str, rest: str = "") -> str:
    """Return the path of something: of objects, associations, properties or owners."""
    ending = f"/{rest}" if rest else ""
    if not _IS_NUMBERED.fullmatch(version):
        return f"/crm/{area}/{version}{ending}"
    known = _NUMBERED_ASSOCIATIONS if area == "associations" else version
    return f"/crm/{known}/{area}{ending}"


def schema(version: str, name: str) -> str:
    """Return the path of the schema of a portal's own object."""
    return f"/crm-object-schemas/{version}/schemas/{name}"


def files(version: str, rest: str) -> str:
    """Return the path of a file."""
    return f"/files/{version}/files/{rest}"


def uploads(version: str) -> str:
    """Return the path where files are uploaded."""
    return f"/files/{version}/files"


def account(version: str) -> str:
    """Return the path of what an account says of itself."""
    return f"/account-info/{version}/details"


def token(version: str) -> str:
    """Return the path of the token server; v3 is the dated one's older name, v1 ends in 2027."""
    return f"/oauth/{version}/token"
