"""The starter configuration: packed in a wheel, or the checkout's own; of whichever CRMs.

What is packed is HubSpot's. For others its settings are written anew: each CRM's company stands
in a file of ``starters``, and the pair is repeated for each.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from importlib.resources import files
from pathlib import Path
from textwrap import indent
from typing import Final

import tieout
from tieout.app.crms import CRMS, USUAL, Crm

SETTINGS: Final = Path("tieout.yaml")
CRM: Final = "crm"
PAIR: Final = "main"
_PARTS: Final = re.compile(
    r"(?P<head>.*?^companies:[^\n]*\n)(?P<crm>  crm:.*?)(?P<books>\n  books:.*?^pairs:\n)"
    r"(?P<pair>  main:.*?)(?P<rest>\nledger:.*)",
    re.DOTALL | re.MULTILINE,
)


def starter() -> Path:
    """Return the directory that ``tieout init`` copies."""
    packed = Path(tieout.__file__).with_name("_config")
    return packed if packed.is_dir() else packed.parents[1] / "config"


def settings_of(crms: Sequence[Crm]) -> bytes:
    """Return the starter's ``tieout.yaml`` for some CRMs and one set of books.

    One CRM alone is the company ``crm`` of the pair ``main``; of several each company and each
    pair bears its system's name.
    """
    own = (starter() / SETTINGS).read_bytes()
    if [one.system for one in crms] == [USUAL]:
        return own
    parts = _PARTS.fullmatch(own.decode("utf-8"))
    assert parts is not None, "the starter is not written as it was"
    companies = "\n".join(_company(crm, names[0], parts["crm"]) for crm, names in _named(crms))
    pairs = "\n".join(_pair(crm, names, parts["pair"]) for crm, names in _named(crms))
    return f"{parts['head']}{companies}{parts['books']}{pairs}{parts['rest']}".encode()


def names_of(crms: Sequence[Crm]) -> dict[str, tuple[str, str]]:
    """Return the company's and the pair's name in the starter, by each CRM's system."""
    return {crm.system: names for crm, names in _named(crms)}


def _named(crms: Sequence[Crm]) -> Iterator[tuple[Crm, tuple[str, str]]]:
    for crm in crms:
        yield crm, (CRM, PAIR) if len(crms) == 1 else (crm.system, crm.system)


def _company(crm: Crm, name: str, usual: str) -> str:
    if crm.system == USUAL:
        text = usual
    else:
        told = files("tieout.app").joinpath("starters", f"{crm.system}.yaml")
        text = indent(told.read_text("utf-8"), "  ")
    return text.replace(f"  {CRM}:", f"  {name}:", 1)


def _pair(crm: Crm, names: tuple[str, str], usual: str) -> str:
    company, pair = names
    text = usual.replace(f"  {PAIR}:", f"  {pair}:", 1)
    text = text.replace(f"from: {CRM}\n", f"from: {company}\n", 1)
    mappings = ", ".join(CRMS[USUAL].mappings), ", ".join(crm.mappings)
    return text.replace(*mappings, 1)
