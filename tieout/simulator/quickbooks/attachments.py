"""Files on records: the upload, whose parts are taken apart as a strict server does.

Source: Intuit's page "Attach images and notes": parts ``file_metadata_NN`` and ``file_content_NN``,
one answer for each file. Of a file its hash and length are kept.
"""

import hashlib
import re
from collections.abc import Iterator
from email.message import Message

from tieout.simulator import jsonwire, multipart
from tieout.simulator.quickbooks import fields, refusals, values
from tieout.simulator.quickbooks.company import QuickBooksCompany
from tieout.simulator.quickbooks.records import FILE_KIND, KIND_OF_PATH, Record
from tieout.simulator.quickbooks.refusals import Json, Refused

MAX_REQUEST_BYTES = 100 * 1024 * 1024
MAX_NAME = 1000
MAX_NOTE = 2000
EXTENSIONS = fields.names(
    "ai csv doc docx eps gif jpeg jpg ods pages pdf png rtf tif txt xls xlsx xml"
)

_PART_NAME = re.compile(r"file_(metadata|content)_(\d{1,2})")


def shape(company: QuickBooksCompany, _kind: str, body: Json, _record: Record | None) -> Json:
    """Check an Attachable and return what is kept of it: a note, or what is said of a file."""
    name, note = values.text(body, "FileName", MAX_NAME), values.text(body, "Note", MAX_NOTE)
    if name is None and note is None:
        raise refusals.missing("FileName or Note")
    kept: Json = {"AttachableRef": list(_references(company, body))}
    for field, held in (
        ("FileName", name),
        ("Note", note),
        ("ContentType", values.text(body, "ContentType", MAX_NAME)),
        ("Size", values.number(body, "Size")),
    ):
        if held is not None:
            kept[field] = held
    return kept


def upload(company: QuickBooksCompany, content_type: str, body: bytes) -> Json:
    """Answer `POST /upload`: each file on its own, made or refused.

    Raises:
        Refused: 6030 the request is too large, 2010 it has no parts that belong together.
    """
    if len(body) > MAX_REQUEST_BYTES:
        raise Refused("6030", "Request size exceeds limit", "The request has more than 100 MB.")
    told: dict[str, Json] = {}
    files: dict[str, tuple[str, bytes]] = {}
    for head, content in _parts(content_type, body):
        said = multipart.name_of(head)
        form = _PART_NAME.fullmatch(said)
        if form is None:
            raise refusals.unsupported_property(said)
        if form[1] == "metadata":
            told[form[2]] = _json(content)
        else:
            files[form[2]] = (head.get_content_type(), content)
    if not files or told.keys() - files.keys():
        raise refusals.missing("file_content")
    return {
        "AttachableResponse": [
            _taken(company, told.get(number, {}), *files[number]) for number in sorted(files)
        ]
    }


def _taken(company: QuickBooksCompany, said: Json, media_type: str, content: bytes) -> Json:
    try:
        fields.check_names(FILE_KIND, said)
        name = str(said.get("FileName") or "")
        if name.rpartition(".")[2].lower() not in EXTENSIONS:
            raise refusals.business(f"The file type of {name} is not supported.")
        if not content:
            raise refusals.business(f"{name} is empty.")
        whole = {"ContentType": media_type, **said, "Size": len(content)}
        record = company.add(FILE_KIND, shape(company, FILE_KIND, whole, None))
    except Refused as refusal:
        return refusal.body()
    company.contents[record.id] = hashlib.sha256(content).hexdigest()
    return {FILE_KIND: company.shown(FILE_KIND, record)}


def _references(company: QuickBooksCompany, body: Json) -> Iterator[Json]:
    """Yield what a file is on; each must be there."""
    for one in values.listed(body, "AttachableRef"):
        target = values.nested(one, "EntityRef")
        kind = KIND_OF_PATH.get(str(target.get("type") or "").lower())
        number = values.text(target, "value", MAX_NAME)
        if kind is None or number is None:
            raise refusals.unsupported_property("EntityRef")
        if number not in company.tables[kind].rows:
            raise refusals.bad_reference(kind, number)
        yield {
            "EntityRef": {"value": number, "type": kind},
            "IncludeOnSend": values.flag(one, "IncludeOnSend", default=False),
        }


def _parts(content_type: str, body: bytes) -> Iterator[tuple[Message, bytes]]:
    """Yield each part's head and its bytes.

    Raises:
        Refused: 2010 they cannot be told apart.
    """
    try:
        yield from multipart.parts(content_type, body)
    except ValueError as wrong:
        raise refusals.unsupported_property(str(wrong)) from wrong


def _json(content: bytes) -> Json:
    try:
        found = jsonwire.loads(content)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise refusals.unsupported_property("file_metadata")
    return found
