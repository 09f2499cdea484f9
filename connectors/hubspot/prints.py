"""The books' PDF of an invoice, as a note of its deal with a file: an upload, then the note.

Source: HubSpot's pages "Files" (a multipart upload; with ``RETURN_EXISTING`` in a folder of its own
the same bytes are one file, however often they are sent) and "Notes" (``hs_attachment_ids``, and
association type 214 from a note to a deal). Only the note counts: it carries our marker, and is
made by the last of the two calls. So what broke off in between is sent again, whole, without a
second file or note.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO

from connectors.hubspot import paths
from connectors.hubspot.reading import Reading
from connectors.hubspot.wire import rows
from tieout.model.contract import Outcome, Parcel, Receipt, Request
from tieout.model.enclosed import PRINT, Enclosed, boundary_of, print_parcel
from tieout.model.errors import TieoutError
from tieout.model.lookup import MARKER, Absent, Ambiguous, Answer, Found, NotKnown
from tieout.model.record import Record
from tieout.model.ref import Key, Ref, Version
from tieout.transport import Answer as Told
from tieout.transport import Stream, dump_json, understood

LINE = "\r\n"
NOTE_TO_DEAL = 214  # page "Associations", "Note to object"
BODY, FILES = "hs_note_body", "hs_attachment_ids"
FOUND_LIMIT = 10  # notes with one marker; two are too many already
OPTIONS = {
    "access": "PRIVATE",
    "overwrite": False,
    "duplicateValidationStrategy": "RETURN_EXISTING",
    "duplicateValidationScope": "EXACT_FOLDER",
}


def pack(reading: Reading, request: Request) -> Parcel:
    """Return the parcel of one PDF: its body is all but the file, and behind it the note.

    Raises:
        InvalidField: the change lacks what it is of, or whose.
    """
    file = Enclosed.of(request.change, request.about)
    key = Key.parse(request.key)
    note = {
        "properties": {"hs_timestamp": file.at, BODY: f"{file.name} {key.marker}"},
        "associations": [
            {
                "to": {"id": file.about.id},
                "types": [
                    {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": NOTE_TO_DEAL}
                ],
            }
        ],
    }
    opening = _opening(file, f"/tieout/{key}")
    body = opening + _closing(file.sha256) + dump_json(note)
    call = f"POST {paths.uploads(reading.version)}"
    return print_parcel(
        request, file, company=reading.company, call=call, opening=opening, body=body
    )


def send(reading: Reading, parcel: Parcel, content: BinaryIO) -> list[Outcome]:
    """Send a parcel's file and then its note, once each; never raises for the answer."""
    (item,) = parcel.items
    enclosure = parcel.enclosure
    assert enclosure is not None, "only a parcel with a file is sent so"
    opening, closing = parcel.body[: enclosure.at], _closing(enclosure.sha256)
    note = json.loads(parcel.body[enclosure.at + len(closing) :])
    stream = Stream(opening, closing, content, enclosure.size_bytes)
    media_type = f"multipart/form-data; boundary={boundary_of(enclosure.sha256)}"
    try:
        answer = reading.wire.upload(parcel.call.partition(" ")[2], stream, media_type)
        file_id = _made(answer, "file")
        note["properties"][FILES] = file_id
        answer = reading.wire.send("POST", reading.path("objects", "notes"), note)
        _made(answer, "note")
    except TieoutError as error:
        return [Outcome(item.key, item.item_id, error=error, trace_id=error.trace_id)]
    receipt = Receipt(Ref(reading.company, PRINT, file_id), Version("1"))
    return [Outcome(item.key, item.item_id, receipt, trace_id=answer.trace_id)]


def find(reading: Reading, keys: Sequence[str]) -> Mapping[str, Answer]:
    """Find what was made under keys, by the notes that carry their markers.

    Search shows a note seconds after it was made: whoever asks has waited longer (R41).
    """
    known: dict[str, Answer] = {}
    for key in keys:
        try:
            known[key] = _one(reading, key)
        except TieoutError as error:
            known[key] = NotKnown(error)
    return known


def _one(reading: Reading, key: str) -> Answer:
    """Return the note that carries a key's marker.

    Raises:
        TieoutError: it was refused or not answered.
    """
    parsed = Key.parse(key)
    token = {"propertyName": BODY, "operator": "CONTAINS_TOKEN", "value": parsed.stem}
    body = {
        "filterGroups": [{"filters": [token]}],
        "properties": [BODY, FILES],
        "limit": FOUND_LIMIT,
    }
    path = reading.path("objects", "notes/search")
    found = reading.wire.ask(
        "POST", path, body, understand=lambda answer: rows(answer, "id", "properties")
    )
    ours = [row for row in found if parsed.marker in str(row["properties"].get(BODY) or "")]
    if not ours:
        return Absent(reading.server_now())
    refs = [Ref(reading.company, PRINT, str(row["properties"].get(FILES) or "")) for row in ours]
    if len(ours) > 1:
        return Ambiguous(tuple(refs), MARKER)
    record = Record(refs[0], Version("1"), {"name": str(ours[0]["properties"][BODY]), MARKER: key})
    return Found(refs[0], MARKER, record=record)


def _made(answer: Told, what: str) -> str:
    """Return the id of what was made.

    Raises:
        OutcomeUnknown: the answer names nothing.
    """
    with understood(f"The answer to a {what}", write=True, trace_id=answer.trace_id):
        told: Any = answer.json
        if not isinstance(told, Mapping) or not told.get("id"):
            raise answer.unclear(f"HubSpot did not say which {what} it made.")
        return str(told["id"])


def _opening(file: Enclosed, folder: str) -> bytes:
    """Return what stands before the file's bytes."""
    safe = file.name.replace("\\", "%5C").replace('"', "%22")
    fields = {"folderPath": folder, "fileName": file.name, "options": json.dumps(OPTIONS)}
    lines: list[str] = []
    for name, value in fields.items():
        lines += [f"--{file.boundary}", f'Content-Disposition: form-data; name="{name}"', "", value]
    lines += [
        f"--{file.boundary}",
        f'Content-Disposition: form-data; name="file"; filename="{safe}"',
        f"Content-Type: {file.media_type}",
        "",
        "",
    ]
    return LINE.join(lines).encode()


def _closing(sha256: str) -> bytes:
    """Return what stands behind the file's bytes."""
    return f"{LINE}--{boundary_of(sha256)}--{LINE}".encode()
