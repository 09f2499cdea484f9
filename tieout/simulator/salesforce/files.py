"""Files: a version holds the bytes, a document the versions, a link says where it belongs.

Source: Object Reference, "ContentVersion", "ContentDocument" and "ContentDocumentLink".
"""

import base64
import binascii
import hashlib
from pathlib import PurePosixPath
from typing import Any

from tieout.simulator import jsonwire, multipart
from tieout.simulator.salesforce.errors import Refusal, RowError
from tieout.simulator.salesforce.fields import Blob
from tieout.simulator.salesforce.org import SalesforceOrg
from tieout.simulator.salesforce.tables import Values

MAX_INLINE_BYTES = 50 * 1024 * 1024
"""What a file may have that is sent as base64 within JSON."""
MAX_EXTENSION_CHARS = 40


def settle_version(org: SalesforceOrg, values: Values, changes: dict[str, Any]) -> None:
    """Take the bytes of a version that is made, and say what they are.

    Raises:
        RowError: there are no bytes, no path, or too many.
    """
    if "VersionData" not in changes:
        if values["Id"] not in org.blobs:
            raise RowError(
                "REQUIRED_FIELD_MISSING",
                "Required fields are missing: [VersionData]",
                ["VersionData"],
            )
        return
    if not values.get("PathOnClient"):
        raise RowError(
            "REQUIRED_FIELD_MISSING",
            "Required fields are missing: [PathOnClient]",
            ["PathOnClient"],
        )
    if isinstance(changes["VersionData"], Blob):
        describe_bytes(org, values, bytes(changes["VersionData"]))
        return
    try:
        content = base64.b64decode(changes["VersionData"] or "", validate=True)
    except binascii.Error as error:
        raise RowError("INVALID_BASE64", str(error), ["VersionData"]) from error
    if len(content) > MAX_INLINE_BYTES:
        raise RowError("FILE_SIZE_LIMIT_EXCEEDED", "The file is too large", ["VersionData"])
    describe_bytes(org, values, content)


def sent_in_parts(content_type: str, body: bytes) -> dict[str, Any]:
    """Return the fields of a record that comes with its bytes: a part of each, in this order.

    Source: REST API Developer Guide, "Insert or Update Blob Data".

    Raises:
        Refusal: 400, it is no such request.
    """
    try:
        (about, said), (head, content) = multipart.parts(content_type, body)
        fields = jsonwire.loads(said)
    except ValueError as error:
        raise Refusal(400, "INVALID_MULTIPART_REQUEST", str(error)) from error
    named = multipart.name_of(about)
    if not (isinstance(fields, dict) and named.startswith("entity_") and head.get_filename()):
        raise Refusal(400, "INVALID_MULTIPART_REQUEST", f"{named} is no part of a record")
    return {**fields, multipart.name_of(head): Blob(content)}


def describe_bytes(org: SalesforceOrg, values: Values, content: bytes) -> None:
    """Keep a version's bytes, and write down what is known of them."""
    suffix = PurePosixPath(values["PathOnClient"]).suffix.removeprefix(".")[:MAX_EXTENSION_CHARS]
    org.blobs[values["Id"]] = content
    values |= {
        "VersionData": None,
        "ContentSize": len(content),
        "Checksum": hashlib.md5(content, usedforsecurity=False).hexdigest(),
        "FileExtension": suffix or None,
        "FileType": suffix.upper()[:20] or "UNKNOWN",
        "Title": values.get("Title") or PurePosixPath(values["PathOnClient"]).stem,
    }


def attach(
    org: SalesforceOrg, record_id: str, name: str, content: bytes, title: str | None = None
) -> str:
    """Attach a file of any size and name to a record, as people do; returns the version's id."""
    version: Values = {
        "Id": org.tables["ContentVersion"].take_id(),
        "PathOnClient": name,
        "Title": title,
        "FirstPublishLocationId": record_id,
        "OwnerId": org.admin_id,
    }
    describe_bytes(org, version, content)
    org.plant("ContentVersion", version)
    publish(org, org.tables["ContentVersion"].records[version["Id"]])
    return str(version["Id"])


def replace(org: SalesforceOrg, former: Values, content: bytes) -> str:
    """Give a document a new version, as people do; returns the version's id."""
    kept = ("PathOnClient", "Title", "ContentDocumentId", "OwnerId")
    version: Values = {name: former[name] for name in kept}
    version["Id"] = org.tables["ContentVersion"].take_id()
    describe_bytes(org, version, content)
    org.plant("ContentVersion", version)
    publish(org, org.tables["ContentVersion"].records[version["Id"]])
    return str(version["Id"])


def publish(org: SalesforceOrg, version: Values) -> None:
    """Give a new version its document, made where it names none, and its first link."""
    document_id = version.get("ContentDocumentId")
    if document_id is None:
        document_id = org.plant(
            "ContentDocument", {**_told(version), "OwnerId": version["OwnerId"]}
        )
        place = version.get("FirstPublishLocationId") or version["OwnerId"]
        org.plant(
            "ContentDocumentLink",
            {"ContentDocumentId": document_id, "LinkedEntityId": place, "ShareType": "V"},
        )
        number = 1
    else:
        former = org.tables["ContentVersion"].having("ContentDocumentId", [document_id])
        for one in [one for one in former if one["Id"] != version["Id"]]:
            org.put("ContentVersion", {**one, "IsLatest": False})
        number = len([one for one in former if one["Id"] != version["Id"]]) + 1
        document = org.tables["ContentDocument"].records[document_id]
        org.put(
            "ContentDocument",
            {**document, **_told(version), "SystemModstamp": version["SystemModstamp"]},
        )
    org.put(
        "ContentVersion",
        {
            **version,
            "ContentDocumentId": document_id,
            "IsLatest": True,
            "VersionNumber": str(number),
        },
    )


def _told(version: Values) -> Values:
    return {
        "Title": version["Title"],
        "FileExtension": version["FileExtension"],
        "ContentSize": version["ContentSize"],
        "LatestPublishedVersionId": version["Id"],
    }
