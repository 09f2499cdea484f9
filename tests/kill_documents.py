"""What else a process is killed in: a deal of several documents, and files that hang on an invoice."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from kill_crms import Crm
from kill_scenes import Scene

from tieout.app.companies import connector_class

PARTS = """
parts:
  - { name: down-payment, percent: 30, title: Down payment }
  - { name: delivery, percent: 40, date: =deal.close_date + 30 }
  - { name: rest, rest: true, date: =deal.close_date + 60 }
"""
LINES = "  lines: deal.line_items[]"
FILES = """
files:
  for: file in files
  names: ["*.pdf"]
"""
PDF = b"%PDF-1.7 a signed contract, and the terms. "
PIECES = 3_000  # so that a file is read and sent in several pieces


class Parts(Scene):
    """A round that posts a deal in three documents, while the first of another deal is paid."""

    stages = frozenset({"draft", "plan", "approve", "queue", "push", "write-back", "settle"})
    each = 3
    last = ""

    def arrange(self) -> Sequence[str]:
        if not self.last:
            extend(self.on.mapping, PARTS)
        else:
            first = next(one for one in self.on.world.invoices() if one["balance"])
            self.on.payments += 1
            reference = f"R-{self.on.payments}"
            paid = {first["id"]: None}
            self.on.world.books("receive_payment", invoices=paid, reference=reference)
        self.last = self.on.sell()
        return ("run", "--once")


class PartsLooked(Parts):
    """A round that looks for documents of one deal whose answers were lost."""

    stages = frozenset({"look"})

    def arrange(self) -> Sequence[str]:
        self.lose_answer(super().arrange, "/batch$", body='"create"')
        return ("run", "--once")


class Files(Scene):
    """A round that reads two files of a new deal, and hangs them on its invoice."""

    stages = frozenset({"attach", "push"})
    is_mapped = False

    @classmethod
    def fits(cls, crm: type[Crm]) -> bool:
        """Whether the CRM's connector gives files."""
        return hasattr(connector_class(crm.system), "read_file")

    def arrange(self) -> Sequence[str]:
        self.put()
        return ("run", "--once")

    def put(self) -> None:
        """Let a deal with two files be won; a deal before it has one of the same bytes."""
        if not self.is_mapped:
            with_files(self.on.mapping, self.on.mapping)
            self.is_mapped = True
        deal = self.on.sell()
        n = next(self.count)
        self.on.attach(deal, f"Contract {n}.pdf", PDF * PIECES + str(n).encode())
        self.on.attach(deal, "Terms.pdf", PDF)


class FilesLooked(Files):
    """A round that looks for a file whose upload was not answered."""

    stages = frozenset({"look"})

    def arrange(self) -> Sequence[str]:
        self.lose_answer(self.put, "/upload$")
        return ("run", "--once")


class FilesNotArrived(Files):
    """A round that sends a file again which did not arrive, and lies in the spool no more."""

    stages = frozenset({"look", "push"})

    def arrange(self) -> Sequence[str]:
        self.lose_answer(self.put, "/upload$", fault="refuse")
        shutil.rmtree(self.on.ledger.parent / "spool", ignore_errors=True)
        return ("run", "--once")


def extend(mapping: Path, rules: str) -> None:
    """Give a mapping more rules; its own tests do not know them."""
    mapping.write_text(mapping.read_text().partition("\ntests:")[0] + rules)


def with_files(mapping: Path, into: Path) -> None:
    """Copy a mapping so that it sends a deal's files along."""
    text = mapping.read_text()
    into.write_text(text.replace(LINES, f"  files: deal.files[]\n{LINES}", 1))
    extend(into, FILES)
