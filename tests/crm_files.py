"""A deal's files in each of the three CRMs: how people put them there, and what the mapping says.

``with open_filing("salesforce", tmp_path) as filing``.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dynamics_world import dynamics_seller, open_dynamics_world
from salesforce_world import open_salesforce_world, salesforce_seller
from simulated_world import MAPPINGS, World, open_world, seller

from tieout.simulator.dynamics365.schema import Target

CRMS = ("hubspot", "salesforce", "dynamics365")
LINES = "  lines: deal.line_items[]"
RULES = """
files:
  for: file in files
  names: ["*.pdf", "order*"]
"""


@dataclass
class Filing:
    """A world of one CRM whose mapping sends files along."""

    crm: str
    world: World
    sold: Callable[..., str]

    def put(self, deal: str, name: str, content: bytes, size_bytes: int | None = None) -> str:
        """Let a person put a file on a deal; ``size_bytes`` is what the CRM says of its length."""
        text = b64encode(content).decode()
        extension = name.rpartition(".")[2]
        match self.crm:
            case "hubspot":
                made = self.world.crm("attach_file", deal, name, content.decode(), size_bytes)
            case "salesforce":
                title = name.removesuffix(f".{extension}")
                made = self.world.crm("attach", deal, f"file.{extension}", text, title=title)
                if size_bytes is not None:
                    self._say_length(str(made), size_bytes)
            case _:
                note = (name, "application/pdf", text, size_bytes)
                made = self.world.crm("add_note", "opportunity", deal, *note)
        return str(made)

    def _say_length(self, version: str, size_bytes: int) -> None:
        """Let the org say another length of a file than it has."""
        tables = self.world.org.tables
        shown = tables["ContentVersion"].records[version]
        for one in (shown, tables["ContentDocument"].records[shown["ContentDocumentId"]]):
            one["ContentSize"] = size_bytes

    def replace(self, file: str, content: bytes) -> None:
        """Let a person put other bytes in a file's place."""
        text = b64encode(content).decode()
        match self.crm:
            case "hubspot":
                self.world.crm("replace_file", file, content.decode())
            case "salesforce":
                self.world.crm("replace_file", file, text)
            case _:
                self.world.crm("replace_note_file", file, text)

    def keep_session(self) -> None:
        """Let processes that are forked from here on use a session that the served org knows."""
        if self.crm == "salesforce":
            session = self.world.org.open_session()
            self.world.org.open_session = lambda: session

    def edit(self, deal: str, name: str) -> None:
        """Let a person rename a deal, so that it moves."""
        match self.crm:
            case "hubspot":
                self.world.crm("edit_deal", deal, {"dealname": name})
            case "salesforce":
                self.world.crm("edit_deal", deal, {"Name": name})
            case _:
                self.world.org.edit("opportunity", deal, name=name)

    def attached(self) -> list[tuple[str, Any]]:
        """What hangs on which invoice in the books: names and what each is on, in order."""
        found = [one for one in self.world.books_truth()["attachments"] if not one["deleted"]]
        return [(one["name"], one["on"]) for one in found]

    def names(self) -> list[str]:
        """The names of what hangs in the books, in order of the alphabet."""
        return sorted(name for name, _ in self.attached())

    def printed(self, deal: str) -> list[tuple[str, bytes]]:
        """The PDFs of invoices that hang on a deal in the CRM: names and contents, in order."""
        return [one for one in self.files(deal) if one[0].startswith("Invoice-")]

    def files(self, deal: str) -> list[tuple[str, bytes]]:
        """All files of a deal in the CRM: names and contents, in order."""
        match self.crm:
            case "salesforce":
                tables = self.world.org.tables
                links = tables["ContentDocumentLink"].having("LinkedEntityId", [deal])
                found = tables["ContentVersion"].having(
                    "ContentDocumentId", [one["ContentDocumentId"] for one in links]
                )
                return [(one["PathOnClient"], self.world.org.blobs[one["Id"]]) for one in found]
            case "dynamics365":
                shelf = self.world.org.shelves["annotation"]
                notes = shelf.pointing("objectid", Target("opportunity", deal))
                return [
                    (one.values["filename"], b64decode(one.values["documentbody"])) for one in notes
                ]
            case _:
                portal = self.world.portal
                notes = list(portal.links.of(("deals", "notes"), int(deal)))
                ids = [portal.find("notes", str(one)).values["hs_attachment_ids"] for one in notes]
                found = [portal.files.held[int(one)] for each in ids for one in each.split(";")]
                return [(f"{one.name}.{one.extension}", one.content) for one in found]

    def refuse_files(self, why: str) -> str:
        """Let an administrator forbid new files; return the words of it."""
        match self.crm:
            case "salesforce":
                self.world.crm("add_validation_rule", "ContentVersion", "Title != null", why)
            case "dynamics365":
                self.world.crm("plug_in", "annotation", why)
            case _:
                self.world.fault("crm", fault="status", status=400, path="/files$", method="POST")
                return "something went wrong"
        return why

    def accept_files(self) -> None:
        """Let an administrator allow them again."""
        match self.crm:
            case "salesforce":
                self.world.crm("drop_validation_rules")
            case "dynamics365":
                del self.world.org.plug_in_says["annotation"]
            case _:
                self.world.mend("crm")

    def say(self, rules: str, **instead: str) -> None:
        """Write other rules of files into the mapping."""
        (path, *_) = self.world.files
        path.write_text(with_files(self.crm, rules, instead))


def with_files(crm: str, rules: str = RULES, instead: Mapping[str, str] | None = None) -> str:
    """Return the shipped mapping of a CRM with a list of files and the rules for them."""
    text = (MAPPINGS / f"{crm}-deal-to-invoice.yaml").read_text()
    for old, new in {LINES: f"  files: deal.files[]\n{LINES}", **(instead or {})}.items():
        assert old in text, old
        text = text.replace(old, new, 1)
    return text.replace("\ninvoice:\n", f"{rules}\ninvoice:\n", 1)


@contextmanager
def open_filing(crm: str, path: Path, rules: str = RULES) -> Iterator[Filing]:
    """Give a world of one CRM whose mapping sends files along."""
    opening: Any = {
        "hubspot": (open_world, seller),
        "salesforce": (open_salesforce_world, salesforce_seller),
        "dynamics365": (open_dynamics_world, dynamics_seller),
    }[crm]
    file = path / f"{crm}-deal-to-invoice.yaml"
    file.write_text(with_files(crm, rules))
    with opening[0](path) as world:
        world.files = (file, *world.files[1:])
        if crm == "hubspot":
            world.crm_rates = {"searches_per_sec": 1_000}  # the portal here has no limits to keep
        yield Filing(crm, world, opening[1](world))
