"""Files that are uploaded: what the form must hold, and when the same bytes are one file."""

import json

import pytest

PRIVATE = {
    "access": "PRIVATE",
    "duplicateValidationStrategy": "RETURN_EXISTING",
    "duplicateValidationScope": "EXACT_FOLDER",
}
HEADERS = {"Content-Type": "multipart/form-data; boundary=b"}


def form(content=b"%PDF-1.7", **fields):
    """A form with a file."""
    lines = [
        part
        for name, value in fields.items()
        for part in (b"--b", f'Content-Disposition: form-data; name="{name}"'.encode(), b"", value)
    ]
    file = b'Content-Disposition: form-data; name="file"; filename="a.pdf"'
    return b"\r\n".join([*lines, b"--b", file, b"", content, b"--b--", b""])


def options(**said):
    return json.dumps({**PRIVATE, **said}).encode()


def upload(crm, body):
    headers = {"Authorization": f"Bearer {crm.token}", **HEADERS}
    return crm.send("POST", "/files/2026-03/files", body, headers)


def test_the_same_bytes_in_a_folder_are_one_file_if_so_asked(crm, portal):
    given = {"folderPath": b"/tieout/1", "fileName": b"invoice.pdf"}
    first, second = (upload(crm, form(options=options(), **given)) for _ in range(2))
    assert first == second
    assert first[0] == 201
    assert (first[1]["name"], first[1]["extension"]) == ("invoice", "pdf")
    upload(crm, form(options=options(), folderPath=b"/tieout/2"))
    upload(crm, form(options=options(duplicateValidationStrategy="NONE"), **given))
    upload(crm, form(b"%PDF-1.7 other", options=options(), **given))
    assert len(list(portal.files.live())) == 4


@pytest.mark.parametrize(
    "body",
    [
        form(options=options()),
        form(options=options(), folderPath=b"/a", folderId=b"7"),
        form(options=b"{}", folderPath=b"/a"),
        form(options=b"no JSON", folderPath=b"/a"),
        form(options=b"[]", folderPath=b"/a"),
        form(options=options(), folderPath=b"/a")[:-9],
        b"--b--",
    ],
)
def test_a_form_that_lacks_something_is_refused(crm, portal, body):
    assert upload(crm, body)[0] == 400
    assert list(portal.files.live()) == []


def test_a_file_is_uploaded_as_a_form_only(crm):
    assert crm.post("/files/2026-03/files", {"name": "a.pdf"})[0] == 415
