"""The files of notes: base64 that comes in any pieces, and what is none."""

import base64
import itertools
import random

import pytest

from connectors.dynamics365.files import _Unpacked
from tieout.model.errors import NotFound, Unauthorized, Unavailable
from tieout.model.ref import Ref
from tieout.simulator.dynamics365 import deeds


def unpacked(pieces):
    taken = []
    unpacking = _Unpacked(taken.append, "a file")
    for piece in pieces:
        unpacking.take(piece)
    unpacking.end()
    return b"".join(taken)


@pytest.mark.parametrize("size", [0, 1, 2, 3, 4, 100, 1001])
def test_base64_is_the_same_however_it_is_cut(size):
    dice = random.Random(size)
    content = dice.randbytes(size)
    text = base64.b64encode(content)
    for _ in range(20):
        places = sorted(dice.randrange(len(text) + 1) for _ in range(3))
        ends = [0, *places, len(text)]
        pieces = [text[start:end] for start, end in itertools.pairwise(ends)]
        assert unpacked(pieces) == content


@pytest.mark.parametrize(
    "pieces",
    [[b"QUJ"], [b"QQ==", b"QQ=="], [b"QQ==QQ=="], [b"Q!JD"], [b'{"error": 1}'], [b"QUJD", b"Q"]],
)
def test_what_is_no_base64_is_no_file(pieces):
    with pytest.raises(Unavailable):
        unpacked(pieces)


def test_notes_without_a_file_are_none_of_the_deals_files(org, dynamics):
    deal = org.deal()
    deeds.add_note(org, "opportunity", deal, "order.pdf", "application/pdf", "JVBERi0=")
    deeds.add_note(org, "opportunity", deal, "", "", None)
    [files] = dynamics.related([Ref(dynamics.company, "deal", deal)], "files")
    assert [one.fields["name"] for one in files.records.values()] == ["order.pdf"]


def test_a_note_whose_file_was_taken_away_has_no_bytes(org, dynamics):
    deal = org.deal()
    note = deeds.add_note(org, "opportunity", deal, "", "", None)
    taken = []
    dynamics.read_file(Ref(dynamics.company, "file", note), taken.append)
    assert taken == []


def test_a_file_is_read_with_a_renewed_token(org, opened):
    deal = org.deal()
    note = deeds.add_note(org, "opportunity", deal, "a.pdf", "application/pdf", "JVBERi0=")
    dynamics = opened()
    org.faults.add(fault="status", status=401, path="/documentbody/")
    taken = []
    dynamics.read_file(Ref(dynamics.company, "file", note), taken.append)
    assert b"".join(taken) == b"%PDF-"
    org.faults.add(fault="status", status=401, path="/documentbody/", count=None)
    with pytest.raises(Unauthorized):
        dynamics.read_file(Ref(dynamics.company, "file", note), taken.append)


def test_what_is_no_id_is_asked_of_nobody(dynamics):
    before = dict(dynamics.calls)
    with pytest.raises(NotFound):
        dynamics.read_file(Ref(dynamics.company, "file", "7) or (1"), len)
    assert dict(dynamics.calls) == before
