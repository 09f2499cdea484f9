"""The parts of a body of several, divided as RFC 2046 says."""

from collections.abc import Iterator
from email.message import Message

END = b"--"
LEAST_PIECES = 3  # what stands before the first part, one part, and the end


def parts(content_type: str, body: bytes) -> Iterator[tuple[Message, bytes]]:
    """Yield each part's head and its bytes.

    Raises:
        ValueError: it has no boundary, no end, or a part without a head.
    """
    head = Message()
    head["content-type"] = content_type
    boundary = head.get_param("boundary")
    if not boundary:
        raise ValueError("boundary")
    mark = b"\r\n--" + str(boundary).encode()
    pieces = (b"\r\n" + body).split(mark)
    if len(pieces) < LEAST_PIECES or pieces[0].strip() or not pieces[-1].startswith(END):
        raise ValueError("multipart")
    for piece in pieces[1:-1]:
        lines, divider, content = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        if not divider:
            raise ValueError("multipart")
        yield _head(lines), content


def name_of(head: Message) -> str:
    """Return what a part of a form is called."""
    return str(head.get_param("name", header="content-disposition"))


def _head(lines: bytes) -> Message:
    head = Message()
    for line in lines.decode(errors="replace").split("\r\n"):
        name, colon, value = line.partition(":")
        if not colon:
            raise ValueError(name)
        head[name.strip()] = value.strip()
    return head
