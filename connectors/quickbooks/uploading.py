"""A file on an invoice: one multipart call, whose parts are the Attachable and the file's bytes.

Source: Intuit's page "Attach images and notes"; R21. What the file is called, what it is and where
it belongs stands in the first part, with our marker in its note: by that it is found again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import BinaryIO

from connectors.quickbooks.outcomes import failed, outcome_of
from connectors.quickbooks.records import Reader
from connectors.quickbooks.wire import Wire
from tieout.model.contract import Enclosure, Outcome, Parcel, ParcelItem, Request
from tieout.model.enclosed import boundary_of, ref_of
from tieout.model.errors import InvalidField, OutcomeUnknown, TieoutError
from tieout.model.ref import Key, request_id
from tieout.transport import Stream, dump_json, understood

KIND = "attachment"
UPLOAD_CALL = "POST upload"
ITEM_ID = "001"
LINE = "\r\n"


def pack(request: Request, company: str) -> Parcel:
    """Return the parcel of one attachment: its body is all but the file, whose place it names.

    Raises:
        InvalidField: the change says of no file, or of no invoice, what it is.
    """
    values = request.change.values
    try:
        sha256, size_bytes = str(values["sha256"]), int(str(values["size_bytes"]))
        source = ref_of(values["file"])
        first = _attachable(values, Key.parse(request.key))
        opening, closing = _around(first, values, sha256)
    except (KeyError, TypeError, ValueError) as wrong:
        raise InvalidField(
            f"An attachment lacks what it is of: {wrong!r}.", record=request.about
        ) from wrong
    body = opening + closing
    named = request_id(company, UPLOAD_CALL, [request.key, request.asking], body.decode())
    item = ParcelItem(ITEM_ID, request.key, request.change.kind, request.change.verb.value)
    enclosure = Enclosure(source, sha256, size_bytes, len(opening))
    return Parcel(company, named, UPLOAD_CALL, body, (item,), enclosure)


def send(wire: Wire, parcel: Parcel, reader: Reader, content: BinaryIO) -> list[Outcome]:
    """Send a parcel's bytes with the file's between them, once; never raises for the answer."""
    enclosure = parcel.enclosure
    assert enclosure is not None, "only a parcel with a file is sent so"
    media_type = f"multipart/form-data; boundary={boundary_of(enclosure.sha256)}"
    try:
        opening, closing = parcel.body[: enclosure.at], parcel.body[enclosure.at :]
        stream = Stream(opening, closing, content, enclosure.size_bytes)
        reply = wire.upload(stream, media_type)
        with understood("The answer to an upload", write=True, trace_id=reply.trace_id):
            answers = reply.body.get("AttachableResponse")
            if not isinstance(answers, list) or len(answers) != 1:
                raise OutcomeUnknown(
                    "The answer to an upload is of no one file.", trace_id=reply.trace_id
                )
            return [outcome_of(parcel.items[0], answers[0], reply.trace_id, reader)]
    except TieoutError as error:
        return failed(parcel, error)


def _attachable(values: Mapping[str, object], key: Key) -> bytes:
    return dump_json(
        {
            "AttachableRef": [
                {
                    "EntityRef": {"type": "Invoice", "value": str(values["invoice"])},
                    "IncludeOnSend": False,
                }
            ],
            "FileName": str(values["name"]),
            "ContentType": str(values["media_type"]),
            "Note": key.marker,
        }
    )


def _around(first: bytes, values: Mapping[str, object], sha256: str) -> tuple[bytes, bytes]:
    """Return what stands before and behind the file's bytes."""
    boundary = boundary_of(sha256)
    name = str(values["name"]).replace("\\", "%5C").replace('"', "%22")
    opening = [
        f"--{boundary}",
        'Content-Disposition: form-data; name="file_metadata_01"; filename="attachment.json"',
        "Content-Type: application/json; charset=UTF-8",
        "",
        first.decode(),
        f"--{boundary}",
        f'Content-Disposition: form-data; name="file_content_01"; filename="{name}"',
        f"Content-Type: {values['media_type']}",
        "",
        "",
    ]
    return LINE.join(opening).encode(), f"{LINE}--{boundary}--{LINE}".encode()
