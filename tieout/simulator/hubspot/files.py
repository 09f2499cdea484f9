"""The files API: what a file is, and an address that gives its bytes for a while.

Source: developers.hubspot.com/docs/api-reference/files-files-v3/guide and its specification:
`GET /files/v3/files/{id}` and `.../signed-url`, scope `files`. The signed address is another
host's: it takes no token, and nobody who shows one.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from tieout.simulator import jsonwire, multipart
from tieout.simulator.hubspot.call import Call, Reply
from tieout.simulator.hubspot.drawer import StoredFile
from tieout.simulator.hubspot.errors import Refusal, bad_request, not_found
from tieout.simulator.hubspot.portal import HubSpotPortal
from tieout.simulator.hubspot.schema import instant_text

SIGNED = "/signed/{id}"
SIGNED_SECS = 600
ACCESS = frozenset({"PUBLIC_INDEXABLE", "PUBLIC_NOT_INDEXABLE", "PRIVATE"})
TYPES = {"pdf": "DOCUMENT", "docx": "DOCUMENT", "txt": "DOCUMENT", "png": "IMG", "jpg": "IMG"}


@dataclass(slots=True)
class Form:
    """A multipart form: its fields, and the file."""

    fields: dict[str, str] = field(default_factory=dict)
    file: bytes | None = None
    file_name: str = ""

    def text(self, name: str) -> str:
        """Return a field; empty where it is not there."""
        return self.fields.get(name, "")

    def json(self, name: str) -> Mapping[str, Any]:
        """Return a field that is an object in JSON.

        Raises:
            Refusal: 400, it is none.
        """
        try:
            told = jsonwire.loads(self.text(name).encode() or b"{}")
        except ValueError as error:
            raise bad_request(f"Invalid JSON in {name}: {error}") from error
        if not isinstance(told, dict):
            raise bad_request(f"{name} is no object")
        return told


def read_file(call: Call) -> Reply:
    """Answer `GET /files/{id}`."""
    return Reply(_shown(_found(call)))


def upload(call: Call) -> Reply:
    """Answer `POST /files`: a file, made or, if so asked, the same one that is there.

    The form has `file`, `options` with `access`, and `folderPath` or `folderId`.
    """
    form = call.body
    if not isinstance(form, Form):
        raise Refusal(415, "UNSUPPORTED_MEDIA_TYPE", "A file is uploaded as multipart/form-data")
    options, folder = form.json("options"), form.text("folderPath")
    if form.file is None or options.get("access") not in ACCESS:
        raise bad_request("file and options.access are required")
    if bool(folder) == bool(form.text("folderId")):
        raise bad_request("Either folderPath or folderId must be provided, and not both")
    in_place = options.get("duplicateValidationScope") == "EXACT_FOLDER"
    if options.get("duplicateValidationStrategy") == "RETURN_EXISTING" and in_place:
        there = call.portal.files.same(folder, form.file)
        if there is not None:
            return Reply(_shown(there), 201)
    name = form.text("fileName") or form.file_name
    stored = call.portal.files.keep(name, form.file, call.portal.present())
    stored.folder = folder
    return Reply(_shown(stored), 201)


def form_of(content_type: str, body: bytes) -> Form:
    """Read a multipart form.

    Raises:
        Refusal: 400, it is none.
    """
    form = Form()
    try:
        for head, content in multipart.parts(content_type, body):
            name = multipart.name_of(head)
            if name == "file":
                form.file, form.file_name = content, str(head.get_filename() or "")
            else:
                form.fields[name] = content.decode()
    except ValueError as error:
        raise bad_request(f"Invalid form: {error}") from error
    return form


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
