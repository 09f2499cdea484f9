"""The files API: what a file is, and an address that gives its bytes for a while.

Source: developers.hubspot.com/docs/api-reference/files-files-v3/guide and its specification:
`GET /files/v3/files/{id}` and `.../signed-url`, scope `files`. The signed address is another
host's: it takes no token, and nobody who shows one.
"""

import hashlib
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from tieout.simulator.hubspot.call import Call, Reply
from tieout.simulator.hubspot.drawer import StoredFile
from tieout.simulator.hubspot.errors import not_found
from tieout.simulator.hubspot.portal import HubSpotPortal
from tieout.simulator.hubspot.schema import instant_text

SIGNED = "/signed/{id}"
SIGNED_SECS = 600
TYPES = {"pdf": "DOCUMENT", "docx": "DOCUMENT", "txt": "DOCUMENT", "png": "IMG", "jpg": "IMG"}


def read_file(call: Call) -> Reply:
    """Answer `GET /files/{id}`."""
    return Reply(_shown(_found(call)))


def signed_url(call: Call) -> Reply:
    """Answer `GET /files/{id}/signed-url`."""
    stored = _found(call)
    expires = call.portal.present() + SIGNED_SECS * 1000
    signature = _signature(call.portal, stored.id, expires)
    return Reply(
        {
            "url": f"{call.base}/signed/{stored.id}?Expires={expires}&Signature={signature}",
            "expiresAt": instant_text(expires),
            "name": stored.name,
            "extension": stored.extension,
            "size": stored.size,
            "type": TYPES.get(stored.extension, "OTHER"),
        }
    )


def give(portal: HubSpotPortal, request: Request) -> Response:
    """Answer a signed address with the file's bytes, or 403 as a store of files does."""
    stored = portal.files.find(request.path_params["id"])
    expires = request.query_params.get("Expires", "")
    if stored is None or not expires.isdecimal() or "authorization" in request.headers:
        return Response("<Error><Code>AccessDenied</Code></Error>", 403)
    signed = request.query_params.get("Signature") == _signature(portal, stored.id, int(expires))
    if not signed or portal.present() > int(expires):
        return Response("<Error><Code>AccessDenied</Code></Error>", 403)
    portal.files.given.append(stored.id)
    return Response(stored.content, media_type="application/octet-stream")


def _found(call: Call) -> StoredFile:
    stored = call.portal.files.find(call.words["id"])
    if stored is None:
        raise not_found(f"File {call.words['id']} does not exist")
    return stored


def _shown(stored: StoredFile) -> dict[str, Any]:
    return {
        "id": str(stored.id),
        "createdAt": instant_text(stored.updated),
        "updatedAt": instant_text(stored.updated),
        "archived": False,
        "name": stored.name,
        "path": f"/{stored.name}.{stored.extension}",
        "size": stored.size,
        "type": TYPES.get(stored.extension, "OTHER"),
        "extension": stored.extension,
        "access": "PRIVATE",
    }


def _signature(portal: HubSpotPortal, file_id: int, expires: int) -> str:
    return hashlib.sha256(f"{portal.seed}:{file_id}:{expires}".encode()).hexdigest()
