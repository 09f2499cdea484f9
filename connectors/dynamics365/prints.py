"""The books' PDF of an invoice, as a note of its opportunity: one call, the file in it as base64.

Source: page "Use file data with Attachment and Note records": ``documentbody`` holds base64, of at
most ``MaxUploadFileSize`` of the organization, 5 MB unless it was raised (to 128 MB at most). The
note's id is made of our key, and the call makes a record or none (page "Perform conditional
operations", "Prevent update in upsert"): so a second note cannot be made, and the first is found by
its id. Our marker stands in its text, for people.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import BinaryIO
from uuid import UUID

from connectors.dynamics365.facts import ETAG
from connectors.dynamics365.files import FILE
from connectors.dynamics365.reading import Reading
from tieout.model.contract import Outcome, Parcel, Receipt, Request
from tieout.model.enclosed import PRINT, Enclosed, print_parcel
from tieout.model.errors import Duplicate, InvalidField, OutcomeUnknown, TieoutError
from tieout.model.lookup import MARKER, Absent, Answer, Found, NotKnown
from tieout.model.record import Record
from tieout.model.ref import Key, Ref, Version
from tieout.transport import Stream, dump_json

OPENS, CLOSES = b',"documentbody":"', b'"}'  # behind all other values


def pack(reading: Reading, request: Request) -> Parcel:
    """Return the parcel of one PDF: its body is all but the file, whose place it names.

    Raises:
        InvalidField: the change lacks what it is of, or whose.
    """
    file = Enclosed.of(request.change, request.about)
    kind = reading.facts.kinds.get(file.about.kind)
    if kind is None:
        raise InvalidField("It names no kind of record to belong to.", record=request.about)
    values = {
        "subject": file.name,
        "notetext": Key.parse(request.key).marker,
        "filename": file.name,
        "mimetype": file.media_type,
        f"objectid_{kind.table}@odata.bind": f"/{kind.set}({file.about.id})",
    }
    opening = dump_json(values).removesuffix(b"}") + OPENS
    body = opening + CLOSES
    call = f"PATCH {reading.facts.kinds[FILE].set}({_note_id(reading, request.key)})"
    return print_parcel(
        request, file, company=reading.company, call=call, opening=opening, body=body
    )


def send(reading: Reading, parcel: Parcel, content: BinaryIO) -> list[Outcome]:
    """Send a parcel's bytes with the file's between them, once; never raises for the answer."""
    (item,) = parcel.items
    enclosure = parcel.enclosure
    assert enclosure is not None, "only a parcel with a file is sent so"
    opening, closing = parcel.body[: enclosure.at], parcel.body[enclosure.at :]
    stream = Stream(opening, closing, content, enclosure.size_bytes, as_base64=True)
    try:
        answer = reading.wire.make(parcel.call.partition(" ")[2], stream)
    except Duplicate as there:  # nobody else has its id: an earlier asking made it
        words = {"vendor_code": there.vendor_code, "vendor_words": there.vendor_words}
        unknown = OutcomeUnknown("The note is there already.", trace_id=there.trace_id, **words)
        return [Outcome(item.key, item.item_id, error=unknown, trace_id=there.trace_id)]
    except TieoutError as error:
        return [Outcome(item.key, item.item_id, error=error, trace_id=error.trace_id)]
    receipt = Receipt(Ref(reading.company, PRINT, _note_id(reading, item.key)), Version("1"))
    return [Outcome(item.key, item.item_id, receipt, trace_id=answer.trace_id)]


def find(reading: Reading, keys: Sequence[str]) -> Mapping[str, Answer]:
    """Find what was made under keys: each has the id that its key makes."""
    ids = {key: _note_id(reading, key) for key in keys}
    read = reading.rows(reading.facts.kinds[FILE], list(ids.values()))
    known: dict[str, Answer] = {}
    for key, one in ids.items():
        told = read.found.get(one)
        if told is not None:
            ref = Ref(reading.company, PRINT, one)
            fields = {"name": str(told.get("filename") or ""), MARKER: key}
            record = Record(ref, Version(str(told.get(ETAG) or "1")), fields)
            known[key] = Found(ref, MARKER, record=record)
        elif one in read.missing:
            known[key] = Absent(reading.server_now())
        else:
            known[key] = NotKnown(read.refused[one])
    return known


def _note_id(reading: Reading, key: str) -> str:
    """Return the id of the note of a key; other installations that have it make the same note."""
    return str(UUID(bytes=sha256(f"{reading.company} {key}".encode()).digest()[:16], version=5))
