"""The books' PDF of an invoice, as a file of its opportunity: one multipart call.

Source: REST API Developer Guide, "Insert or Update Blob Data": the first part, ``entity_content``,
holds the fields, the second, ``VersionData``, the bytes; a ContentVersion may so have 2 GB, where
base64 in JSON ends at 37.5 MB. Object Reference, "ContentVersion": ``FirstPublishLocationId`` links
the new document to a record. Our marker stands in its description: by that it is found again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import BinaryIO

from connectors.salesforce import soql
from connectors.salesforce.reading import Reading
from connectors.salesforce.refusals import refusal
from connectors.salesforce.translation import MODIFIED
from tieout.model.contract import Outcome, Parcel, Receipt, Request
from tieout.model.enclosed import PRINT, Enclosed, boundary_of, print_parcel
from tieout.model.errors import TieoutError
from tieout.model.lookup import MARKER, Absent, Ambiguous, Answer, Found
from tieout.model.record import Record
from tieout.model.ref import Key, Ref, Version
from tieout.transport import Answer as Told
from tieout.transport import Stream, dump_json, understood

PATH = "sobjects/ContentVersion"
CALL = f"POST {PATH}"
LINE = "\r\n"
COLUMNS = f"Id, ContentDocumentId, Title, Description, {MODIFIED}"


def pack(reading: Reading, request: Request) -> Parcel:
    """Return the parcel of one PDF: its body is all but the file, whose place it names.

    Raises:
        InvalidField: the change lacks what it is of, or whose.
    """
    file = Enclosed.of(request.change, request.about)
    fields = {
        "Title": file.name.rpartition(".")[0],
        "PathOnClient": file.name,
        "Description": Key.parse(request.key).marker,
        "FirstPublishLocationId": file.about.id,
    }
    opening, closing = _around(dump_json(fields), file)
    body = opening + closing
    return print_parcel(
        request, file, company=reading.company, call=CALL, opening=opening, body=body
    )


def send(reading: Reading, parcel: Parcel, content: BinaryIO) -> list[Outcome]:
    """Send a parcel's bytes with the file's between them, once; never raises for the answer."""
    (item,) = parcel.items
    enclosure = parcel.enclosure
    assert enclosure is not None, "only a parcel with a file is sent so"
    opening, closing = parcel.body[: enclosure.at], parcel.body[enclosure.at :]
    stream = Stream(opening, closing, content, enclosure.size_bytes)
    media_type = f'multipart/form-data; boundary="{boundary_of(enclosure.sha256)}"'
    try:
        answer = reading.wire.upload(PATH, stream, media_type)
        with understood("The answer to an upload", write=True, trace_id=answer.trace_id):
            ref = Ref(reading.company, PRINT, _made(answer))
        receipt = Receipt(ref, Version("1"))
        return [Outcome(item.key, item.item_id, receipt, trace_id=answer.trace_id)]
    except TieoutError as error:
        return [Outcome(item.key, item.item_id, error=error, trace_id=error.trace_id)]


def find(reading: Reading, keys: Sequence[str]) -> Mapping[str, Answer]:
    """Find what was made under keys; the versions of one document are one file.

    Raises:
        TieoutError: it was refused, or not answered to its end.
    """
    markers = {Key.parse(key).marker: key for key in keys}
    found: dict[str, dict[str, Record]] = {}
    for part in soql.parts(markers):
        where = soql.within("Description", part)
        statement = f"SELECT {COLUMNS} FROM ContentVersion WHERE {where} ORDER BY Id"  # noqa: S608 - SOQL, its values are markers
        for row in reading.wire.whole(statement):
            key = markers.get(str(row.get("Description")))
            if key is not None:
                ref = Ref(reading.company, PRINT, soql.whole_id(str(row["Id"])))
                fields = {"name": str(row.get("Title") or ""), MARKER: key}
                record = Record(ref, Version(str(row[MODIFIED])), fields)
                found.setdefault(key, {}).setdefault(str(row["ContentDocumentId"]), record)
    return {key: _answer(reading, list(found.get(key, {}).values())) for key in keys}


def _answer(reading: Reading, records: Sequence[Record]) -> Answer:
    if len(records) > 1:
        return Ambiguous(tuple(record.ref for record in records), MARKER)
    if records:
        return Found(records[0].ref, MARKER, record=records[0])
    return Absent(reading.server_now())


def _made(answer: Told) -> str:
    """Return the id of what was made.

    Raises:
        TieoutError: it was refused, or the answer names nothing.
    """
    told = answer.json
    if isinstance(told, Mapping) and told.get("success") is False:
        raise refusal(told.get("errors"), trace_id=answer.trace_id)
    made = soql.whole_id(str(told.get("id"))) if isinstance(told, Mapping) else ""
    if not made:
        raise answer.unclear("Salesforce did not say which file it made.")
    return made


def _around(fields: bytes, file: Enclosed) -> tuple[bytes, bytes]:
    """Return what stands before and behind the file's bytes."""
    safe = file.name.replace("\\", "%5C").replace('"', "%22")
    opening = [
        f"--{file.boundary}",
        'Content-Disposition: form-data; name="entity_content"',
        "Content-Type: application/json",
        "",
        fields.decode(),
        f"--{file.boundary}",
        f'Content-Disposition: form-data; name="VersionData"; filename="{safe}"',
        "Content-Type: application/octet-stream",
        "",
        "",
    ]
    return LINE.join(opening).encode(), f"{LINE}--{file.boundary}--{LINE}".encode()
