"""Rules and known fields in, a Mapping out, or every mistake of the file at once."""

from __future__ import annotations

import pathlib
import re
from collections import abc
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, TypeVar

from mapping import rules, vocabulary
from mapping.formula import Formula, Names, Path, Shape, compile_cell, fits, type_of
from mapping.functions import Type
from mapping.grammar import check
from mapping.mistake import Mistake, Mistakes, nearest
from mapping.yaml12 import Node, read
from tieout.model.canonical import digest
from tieout.model.change import Severity
from tieout.model.document import HUNDRED, Prices, TaxBy
from tieout.model.money import plain_text

KnownFields = abc.Mapping[str, abc.Mapping[str, str]]  # kind -> field -> type, as connectors say it

TYPES: Final[abc.Mapping[str, Type]] = {  # a connector's words for types
    "text": Type.TEXT,
    "number": Type.NUMBER,
    "money": Type.NUMBER,
    "date": Type.DATE,
    "instant": Type.INSTANT,
    "flag": Type.TRUTH,
    "choice": Type.TEXT,
}
ALWAYS: Final[Names] = {
    "cutover_date": Type.DATE,
    "books": Shape({"home_currency": Type.TEXT}),
}
DRAFTED: Final = Shape(  # what checks may ask of the whole document, as ``document.net``
    {
        "net": Type.NUMBER,
        "date": Type.DATE,
        "due_date": Type.DATE,
        "currency": Type.TEXT,
        "terms": Type.TEXT,
    }
)
DRAFTED_LINE: Final[abc.Mapping[str, Type]] = {
    "amount": Type.NUMBER,
    "quantity": Type.NUMBER,
    "unit_price": Type.NUMBER,
    "description": Type.TEXT,
    "tax_code": Type.TEXT,
}
PART: Final = Shape(  # what the head of a part's document may ask of it, as ``part.n``
    {
        "name": Type.TEXT,
        "title": Type.TEXT,
        "value": Type.TEXT,
        "date": Type.DATE,
        "n": Type.NUMBER,
        "count": Type.NUMBER,
    }
)
AFTERWARDS: Final[Names] = {  # what write-back may tell, beside the records themselves
    "receipt": Shape(
        {"id": Type.TEXT, "number": Type.TEXT, "url": Type.TEXT, "posted_at": Type.INSTANT}
    ),
    "status": Type.TEXT,
    "problem": Type.TEXT,
    "synced_at": Type.INSTANT,
    "books": Shape(
        {
            "home_currency": Type.TEXT,
            "total": Type.NUMBER,
            "balance": Type.NUMBER,
            "due_date": Type.DATE,
            "last_payment_date": Type.DATE,
        }
    ),
    "approval": Type.TEXT,
    "tied_out_at": Type.INSTANT,
    rules.RECEIVABLES: Shape(  # of the customer, not of the document
        {
            "currency": Type.TEXT,
            "open_balance": Type.NUMBER,
            "overdue": Type.NUMBER,
            "credit_limit": Type.NUMBER,
            "aged_30": Type.NUMBER,
            "aged_60": Type.NUMBER,
            "aged_90": Type.NUMBER,
            "aged_over_90": Type.NUMBER,
            "oldest_open_invoice": Type.TEXT,
            "other_currencies": Type.TEXT,
        }
    ),
}
OF_CUSTOMER: Final = {*ALWAYS, rules.RECEIVABLES}  # what may stand in one formula with it
RESERVED: Final = {*ALWAYS, *AFTERWARDS, "document", "part"}
FILE_FIELDS: Final = frozenset({"name", "extension", "size_bytes"})  # what a file goes by
_ABSENT: Final = Formula("null", "", 0, Type.NOTHING, (), lambda _scope: None)
_W = TypeVar("_W", bound=str)


def load(
    source: pathlib.Path | str,
    known_fields: KnownFields,
    *,
    name: str = "",
    targets: Collection[str] = vocabulary.TARGETS,
) -> rules.Mapping:
    """Return the mapping of a file (a path) or a text, compiled.

    Raises:
        Mistakes: all that was found, each with file and line.
    """
    return compile_mapping(read(source, name), known_fields, targets=targets)


def compile_mapping(
    tree: Node, known_fields: KnownFields, *, targets: Collection[str] = vocabulary.TARGETS
) -> rules.Mapping:
    """Return the compiled mapping of a file that was read.

    Args:
        tree: the whole file.
        known_fields: for each kind of the source system its fields and their types.
        targets: the systems that may have a block of their own.

    Raises:
        Mistakes: all that was found, each with file and line.
    """
    mistakes = list(check(tree, vocabulary.grammar(targets)))
    if tree.entries is None:
        raise Mistakes(mistakes)
    made = _Compiler(tree, known_fields, targets, mistakes).mapping()
    if mistakes:
        raise Mistakes(mistakes)
    return made


@dataclass(slots=True)
class _Compiler:
    """One file on its way; what its shape lacks is stood in for, so that all the rest is read."""

    tree: Node
    known: KnownFields
    targets: Collection[str]
    mistakes: list[Mistake]
    kinds: dict[str, str] = field(default_factory=dict)  # role -> kind
    many: set[str] = field(default_factory=set)
    names: dict[str, Type | Shape] = field(default_factory=dict)
    tables: abc.Mapping[str, object] = field(default_factory=dict)
    used: dict[str, set[str]] = field(default_factory=dict)  # role -> fields

    def mapping(self) -> rules.Mapping:
        top = _entries(self.tree)
        declared = self.declared(top)
        system, kind, source = self.source(top)
        roles = tuple(self.roles(top))
        self.names = {**ALWAYS, **{role: self.shape(role) for role in self.kinds}}
        self.tables = {name: node.plain() for name, node in _entries(top.get("tables")).items()}
        to = self.word(top, "to", vocabulary.DOCUMENTS, "invoice")
        when = self.cell(top.get("when"), Type.TRUTH)
        worth = self.cell(top.get("worth"), Type.NUMBER)
        document = self.document(top, to)
        parts = tuple(self.parts(top, document))
        checks = tuple(self.checks(top, document))
        write_back = tuple(self.write_back(top, document))
        files = self.files(top, to)
        tests = tuple(self.tests(top))
        name = str(top["mapping"].value) if "mapping" in top else ""
        first = top.get("renamed_from")
        version = top["version"].value if "version" in top else 1
        return rules.Mapping(
            name=name,
            identity=str(first.value) if first else name,
            version=version if isinstance(version, int) else 1,
            file=self.tree.file,
            system=system,
            kind=kind,
            source=source,
            to=to,
            roles=roles,
            when=when,
            worth=worth,
            document=document,
            parts=parts,
            checks=checks,
            write_back=write_back,
            files=files,
            tests=tests,
            fields={role: frozenset(self.used.get(role, ())) for role in self.kinds},
            reads=self.reads(),
            declared=declared,
            hash=digest({key: node.plain() for key, node in top.items() if key != "tests"}),
        )

    def declared(self, top: abc.Mapping[str, Node]) -> dict[str, dict[str, str]]:
        """The fields that the file adds to what its system's connector knows."""
        known = {kind: dict(fields) for kind, fields in self.known.items()}
        added: dict[str, dict[str, str]] = {}
        node = top.get("fields")
        for kind, block in _entries(node).items():
            if kind not in known and node is not None:
                self.wrong_key(node, kind, f"no records of kind {kind!r}", nearest(kind, known))
            for name, typed in _entries(block).items():
                before = TYPES.get(known.get(kind, {}).get(name, ""))
                if before not in (None, TYPES.get(str(typed.value))):
                    self.wrong(typed, f"{kind}.{name} is {before}", "the connector knows it")
                added.setdefault(kind, {})[name] = str(typed.value)
            known.setdefault(kind, {}).update(added.get(kind, {}))
        self.known = known
        return added

    # -- records ------------------------------------------------------------------------------

    def source(self, top: abc.Mapping[str, Node]) -> tuple[str, str, str]:
        node = top.get("from")
        form = re.fullmatch(vocabulary.SOURCE, str(node.value)) if node else None
        if node is None or form is None:
            return "", "", ""
        system, kind, name = form[1], form[2], form[3] or form[2]
        if kind not in self.known:
            self.wrong(node, f"{system} has no kind {kind!r}", nearest(kind, self.known))
        self.kinds[name] = kind
        if "name" in self.known.get(kind, ()):
            self.used[name] = {"name"}  # what people call the document
        return system, kind, name

    def roles(self, top: abc.Mapping[str, Node]) -> Iterator[rules.Role]:
        for name, node in _entries(top.get("with")).items():
            form = re.fullmatch(vocabulary.ROLE, str(node.value))
            if form is None:
                continue
            of, way, mark = form[1], form[2], form[3]
            if of not in self.kinds or of in self.many:
                self.wrong(node, f"{name} hangs on {of!r}", nearest(of, self.kinds))
            if name in self.kinds or name in RESERVED:
                self.wrong(node, f"{name} is a name already", "choose another")
            kind = next((one for one in (way, way.removesuffix("s")) if one in self.known), way)
            if kind not in self.known:
                self.wrong(node, f"no records of kind {way!r}", nearest(way, self.known))
            self.kinds[name] = kind
            if mark == "[]":
                self.many.add(name)
            yield rules.Role(
                name, of, way, kind, optional=mark == "?", many=mark == "[]", line=node.line
            )

    def shape(self, role: str) -> Shape:
        fields = self.known.get(self.kinds[role])
        if fields is None:
            return Shape(None, many=role in self.many)
        typed = {name: TYPES.get(kind, Type.ANY) for name, kind in fields.items()}
        return Shape({"id": Type.TEXT, **typed}, many=role in self.many)

    def reads(self) -> dict[str, frozenset[str]]:
        by_kind: dict[str, set[str]] = {kind: set() for kind in self.kinds.values()}
        for role, fields in self.used.items():
            by_kind[self.kinds[role]] |= fields
        return {kind: frozenset(fields) for kind, fields in by_kind.items()}

    # -- documents ----------------------------------------------------------------------------

    def document(self, top: abc.Mapping[str, Node], to: str) -> rules.DocumentRules:
        node = top.get(to)
        if node is None:
            self.wrong(top.get("to", self.tree), f"the file has no {to} block", f"write `{to}:`")
        for other in vocabulary.DOCUMENTS:
            if other != to and other in top:
                self.wrong_key(self.tree, other, f"{other} stands in a mapping to {to}")
        block = _entries(node)
        if to != "invoice":
            return self.payment(block)
        return self.invoice(block, {**self.names, "part": PART} if "parts" in top else self.names)

    def invoice(self, block: abc.Mapping[str, Node], names: Names) -> rules.InvoiceRules:
        return rules.InvoiceRules(
            customer=self.match(block.get("customer"), "customer", names),
            lines=self.lines(block.get("lines")),
            cells=self.cells(block, vocabulary.INVOICE_CELLS, names),
            tax=self.tax(block.get("tax")),
            discount=self.discount(block.get("discount"), self.names),
            custom_fields=self.free(block.get("custom_fields"), names),
            made_before=self.cells(
                _entries(block.get("made_before")), vocabulary.MADE_BEFORE, self.names
            ),
            target=self.target(block, names),
        )

    def lines(self, node: Node | None) -> rules.LineRules:
        block = _entries(node)
        each = block.get("for")
        form = re.fullmatch(vocabulary.EACH, str(each.value)) if each else None
        row, rows = (form[1], form[2]) if form else ("line", "lines")
        if each is not None and rows not in self.many:
            self.wrong(each, f"{rows!r} is no list of records", nearest(rows, self.many))
        if each is not None and row in self.names:
            self.wrong(each, f"{row} is a name already", "choose another")
        listed = self.names.get(rows)
        fields = listed.fields if isinstance(listed, Shape) else None
        names = {**self.names, row: Shape(fields)}
        aliases = {row: rows}
        item = block.get("item")
        return rules.LineRules(
            each=row,
            rows=rows,
            when=self.cell(block.get("when"), Type.TRUTH, names, aliases),
            item=self.match(item, "item", names, aliases) if item else None,
            discount=self.discount(block.get("discount"), names, aliases),
            cells=self.cells(block, vocabulary.LINE_CELLS, names, aliases),
            target=self.target(block, names, aliases),
            line=node.line if node else 0,
        )

    def files(self, top: abc.Mapping[str, Node], to: str) -> rules.FileRules | None:
        """Which files go along; only an invoice has any, and its document waits for none."""
        node = top.get("files")
        block = _entries(node)
        each = block.get("for")
        form = re.fullmatch(vocabulary.EACH, str(each.value)) if each else None
        if node is None or each is None or form is None:
            return None
        row, rows = form[1], form[2]
        if to != "invoice":
            self.wrong(node, f"files stand in a mapping to {to}", "only an invoice takes files")
        if rows not in self.many or self.kinds[rows] != "file":
            self.wrong(each, f"{rows!r} is no list of files", "write `with: {files: deal.files[]}`")
        if row in self.names:
            self.wrong(each, f"{row} is a name already", "choose another")
        listed = self.names.get(rows)
        names = {**self.names, row: Shape(listed.fields if isinstance(listed, Shape) else None)}
        self.used.setdefault(rows, set()).update(FILE_FIELDS & set(self.known.get("file", ())))
        when = self.cell(block.get("when"), Type.TRUTH, names, {row: rows})
        patterns = tuple(str(each.value).lower() for each in _rows(block.get("names")))
        return rules.FileRules(row, rows, patterns, when, node.line)

    def payment(self, block: abc.Mapping[str, Node]) -> rules.PaymentRules:
        pays = block.get("pays")
        form = re.fullmatch(vocabulary.PAYS, str(pays.value)) if pays else None
        role = form[1] if form else ""
        if pays is not None and form and (role not in self.kinds or role in self.many):
            singles = self.kinds.keys() - self.many
            self.wrong(pays, f"{role!r} is no single record", nearest(role, singles))
        return rules.PaymentRules(
            pays=role,
            cells=self.cells(block, vocabulary.PAYMENT_CELLS, self.names),
        )

    def match(
        self,
        node: Node | None,
        kind: str,
        names: Names,
        aliases: abc.Mapping[str, str] | None = None,
    ) -> rules.MatchRules:
        block = _entries(node)
        clues = []
        source = None
        for row in _rows(block.get("match")):
            for by, cell in _entries(row).items():
                formula = self.cell(cell, Type.TEXT, names, aliases)
                clues.append(rules.MatchRule(by, formula or _ABSENT))
                if by == "bound" and formula and formula.paths:
                    source = formula.paths[0][0]
        create = self.created(block.get("create"), names, aliases)
        choices = (*vocabulary.NONE_CHOICES, "default")
        none = self.word(block, "none", choices, "ask")
        default = block.get("default")
        if node is not None and none == "default" and default is None:
            self.wrong(block["none"], "none: default needs a name", "add `default: NAME`")
        if node is not None and none == "create" and "name" not in create:
            self.wrong(block["none"], "none: create needs a name", "add `create: {name: =…}`")
        return rules.MatchRules(
            kind=kind,
            rules=tuple(clues),
            none=none,
            many=self.word(block, "many", vocabulary.MANY_CHOICES, "ask"),
            default=str(default.value) if default else None,
            create=create,
            source=source,
            line=node.line if node else 0,
        )

    def created(
        self, node: Node | None, names: Names, aliases: abc.Mapping[str, str] | None
    ) -> dict[str, Formula]:
        """What a new record gets; the parts of an address by their whole names."""
        cells: dict[str, Formula] = {}
        for name, cell in _entries(node).items():
            parts = {f"{name}.{part}": held for part, held in _entries(cell).items()}
            for whole, held in (parts or {name: cell}).items():
                wanted = Type.ANY if whole in ("unit_price", "taxable") else Type.TEXT
                cells[whole] = self.cell(held, wanted, names, aliases) or _ABSENT
        return cells

    def tax(self, node: Node | None) -> rules.TaxRules:
        block = _entries(node)
        by = TaxBy(self.word(block, "compute", tuple(TaxBy), TaxBy.BOOKS))
        if node is not None and by is not TaxBy.BOOKS and "expected" not in block:
            self.wrong(block["compute"], f"compute: {by} needs an amount", "add `expected: =…`")
        return rules.TaxRules(
            prices=Prices(self.word(block, "prices", tuple(Prices), Prices.EXCLUSIVE)),
            by=by,
            tolerance=self.cell(block.get("tolerance"), Type.NUMBER),
            expected=self.cell(block.get("expected"), Type.NUMBER),
        )

    def discount(
        self, node: Node | None, names: Names, aliases: abc.Mapping[str, str] | None = None
    ) -> rules.DiscountRule | None:
        grouped = _entries(node)
        if node is None or (node.entries is not None and not grouped):
            return None
        is_percent = "amount" not in grouped
        cell = grouped.get("percent" if is_percent else "amount", node)
        formula = self.cell(cell, Type.NUMBER, names, aliases)
        return rules.DiscountRule(formula or _ABSENT, is_percent)

    def target(
        self,
        block: abc.Mapping[str, Node],
        names: Names,
        aliases: abc.Mapping[str, str] | None = None,
    ) -> dict[str, Formula]:
        """The target's own words; a file that names several targets has one block for each."""
        return {
            f"{system}.{word}": formula
            for system in self.targets
            for word, formula in self.free(block.get(system), names, aliases).items()
        }

    # -- around the document ------------------------------------------------------------------

    def parts(
        self, top: abc.Mapping[str, Node], document: rules.DocumentRules
    ) -> Iterator[rules.PartRule]:
        node = top.get("parts")
        if node is None:
            return
        if not isinstance(document, rules.InvoiceRules):
            self.wrong_key(self.tree, "parts", "only an invoice has parts")
            return
        made = [part for row in _rows(node) if (part := self.part(row, document.lines))]
        for n, part in enumerate(made):
            if part.name in {before.name for before in made[:n]}:
                self.wrong(_rows(node)[n], f"two parts are named {part.name!r}", "rename one")
        self.mistakes.extend(unsummed(node, made))
        yield from made

    def part(self, node: Node, of: rules.LineRules) -> rules.PartRule | None:
        block = _entries(node)
        takes = [one for one in rules.Takes if one in block]
        if len(takes) != 1:
            choices = ", ".join(rules.Takes)
            self.wrong(node, "a part takes one thing of the whole", f"give it one of {choices}")
            return None
        [what] = takes
        listed = self.names.get(of.rows)
        names: dict[str, Type | Shape] = dict(self.names)
        if what in (rules.Takes.LINES, rules.Takes.BY, rules.Takes.PERIODS):
            names[of.each] = Shape(listed.fields if isinstance(listed, Shape) else None)
        aliases = {of.each: of.rows}
        value = self.cell(block[what], vocabulary.PART_TAKES[what][1], names, aliases)
        if what is rules.Takes.REST and block[what].value is not True:
            self.wrong(block[what], "rest is true, or is left out")
        if "every" in block and what is not rules.Takes.PERIODS:
            self.wrong(block["every"], "every stands beside periods only")
        every = self.word(block, "every", tuple(vocabulary.EVERY_MONTHS), "month")
        return rules.PartRule(
            name=str(block["name"].value) if "name" in block else "",
            takes=what,
            value=value or _ABSENT,
            every_months=vocabulary.EVERY_MONTHS[every],
            date=self.cell(block.get("date"), Type.DATE),
            title=self.cell(block.get("title"), Type.TEXT, {**self.names, "part": PART}),
            line=node.line,
        )

    def checks(
        self, top: abc.Mapping[str, Node], document: rules.DocumentRules
    ) -> Iterator[rules.Check]:
        names: dict[str, Type | Shape] = {**self.names, "document": DRAFTED}
        made_here: set[Path] = set()
        if isinstance(document, rules.InvoiceRules):
            rows = document.lines.rows
            listed = self.names.get(rows)
            fields = listed.fields if isinstance(listed, Shape) else None
            names[rows] = Shape({**(fields or {}), **DRAFTED_LINE}, many=True)
            made_here = {(rows, name) for name in DRAFTED_LINE}
        for row in _rows(top.get("checks")):
            block = _entries(row)
            that = self.cell(block.get("that"), Type.TRUTH, names, made_here=made_here)
            say = self.cell(block.get("say"), Type.TEXT, names, made_here=made_here)
            severity = Severity(self.word(block, "else", tuple(Severity), Severity.BLOCK))
            yield rules.Check(that or _ABSENT, say or _ABSENT, severity)

    def write_back(
        self, top: abc.Mapping[str, Node], document: rules.DocumentRules
    ) -> Iterator[rules.WriteBack]:
        names = {**self.names, **AFTERWARDS}
        node = top.get("write_back")
        for key, cell in _entries(node).items():
            assert node is not None
            role, _, name = key.partition(".")
            shape = self.names.get(role)
            if role not in self.kinds or not isinstance(shape, Shape) or shape.many:
                singles = self.kinds.keys() - self.many
                self.wrong_key(
                    node, key, f"{key} is no field of a single record", nearest(role, singles)
                )
                continue
            known = shape.fields
            if known is not None and name not in known:
                self.wrong_key(node, key, f"no field {name!r} in {role}", nearest(name, known))
                continue
            wanted = known[name] if known is not None else Type.ANY
            formula = self.cell(cell, wanted, names)
            self.used.setdefault(role, set()).add(name)
            rule = rules.WriteBack(role, name, formula or _ABSENT)
            if rule.of_customer:
                self.check_of_customer(node, key, cell, rule, document)
            yield rule

    def check_of_customer(
        self,
        node: Node,
        key: str,
        cell: Node,
        rule: rules.WriteBack,
        document: rules.DocumentRules,
    ) -> None:
        """What a customer owes belongs to its own record, and moves when no document is at hand."""
        owner = document.customer.source if isinstance(document, rules.InvoiceRules) else None
        if rule.role != owner:
            said = f"{rule.role} is no record that the customer is matched by"
            self.wrong_key(node, key, said, "" if owner is None else f"{owner} is")
        asked = {path[0] for path in rule.value.paths} - OF_CUSTOMER
        if asked:
            names = ", ".join(sorted(asked))
            self.wrong(cell, f"{names} cannot stand beside {rules.RECEIVABLES}", "take it out")

    def tests(self, top: abc.Mapping[str, Node]) -> Iterator[rules.Test]:
        for row in _rows(top.get("tests")):
            block = _entries(row)
            if not {"name", "given", "expect"} <= block.keys():
                continue
            self.given(block["given"])
            expected = _entries(block["expect"])
            if "parts" in expected and len(expected) > 1:
                self.wrong(block["expect"], "parts stand alone", "move the rest into their rows")
            yield rules.Test(str(block["name"].value), block["given"], block["expect"], row.line)

    def given(self, node: Node) -> None:
        known = {*self.kinds, "books", "cutover_date"}
        for name, held in _entries(node).items():
            if name not in known:
                self.wrong_key(node, name, f"nothing is named {name!r}", nearest(name, known))
            elif name in self.many and held.items is None:
                self.wrong(held, f"{name} takes a list of records")
            elif name in self.kinds:
                for record in held.items or (held,):
                    self.record(record, name)

    def record(self, node: Node, role: str) -> None:
        shape = self.names.get(role)
        if node.entries is None:
            if node.value is not None:
                self.wrong(node, f"{role} takes the fields of a record, or null")
            return
        known = shape.fields if isinstance(shape, Shape) else None
        for name, held in node.entries.items():
            if known is None:
                continue
            if name not in known:
                self.wrong_key(node, name, f"no field {name!r} in {role}", nearest(name, known))
            elif not fits(kind := type_of(held.value), known[name]):
                hint = "quote it" if known[name] is Type.TEXT else ""
                self.wrong(held, f"{role}.{name} is {known[name]}, not {kind}", hint)

    # -- single cells -------------------------------------------------------------------------

    def cells(
        self,
        block: abc.Mapping[str, Node],
        known: abc.Mapping[str, tuple[str, Type, bool]],
        names: Names,
        aliases: abc.Mapping[str, str] | None = None,
    ) -> dict[str, Formula]:
        made = {}
        for name, (_, gives, _required) in known.items():
            formula = self.cell(block.get(name), gives, names, aliases)
            if formula is not None:
                made[name] = formula
        return made

    def free(
        self, node: Node | None, names: Names, aliases: abc.Mapping[str, str] | None = None
    ) -> dict[str, Formula]:
        return {
            name: self.cell(cell, Type.ANY, names, aliases) or _ABSENT
            for name, cell in _entries(node).items()
        }

    def cell(
        self,
        node: Node | None,
        wanted: Type,
        names: Names | None = None,
        aliases: abc.Mapping[str, str] | None = None,
        made_here: Collection[Path] = (),
    ) -> Formula | None:
        """Compile one cell and note what it reads.

        ``aliases`` are names for one row of a role; what is ``made_here`` is no field of a record.
        """
        if node is None:
            return None
        try:
            formula = compile_cell(
                node, self.names if names is None else names, self.tables, wanted
            )
        except Mistakes as wrong:
            self.mistakes.extend(wrong.mistakes)
            return None
        for path in formula.paths:
            role = (aliases or {}).get(path[0], path[0])
            if role in self.kinds and path[-1] != "id" and path not in made_here:
                self.used.setdefault(role, set()).add(path[-1])
        return formula

    def word(
        self, block: abc.Mapping[str, Node], key: str, choices: Collection[_W], otherwise: _W
    ) -> _W:
        value = block[key].value if key in block else otherwise
        return next((choice for choice in choices if choice == value), otherwise)

    def wrong(self, node: Node, what: str, hint: str = "") -> None:
        self.mistakes.append(node.mistake(what, hint))

    def wrong_key(self, node: Node, key: str, what: str, hint: str = "") -> None:
        self.mistakes.append(Mistake(node.file, node.line_of(key), what, hint))


def unsummed(node: Node, parts: list[rules.PartRule]) -> Iterator[Mistake]:
    """Yield where it can be seen in the file alone that the parts cannot sum to the whole."""
    shares = [part for part in parts if part.takes not in (rules.Takes.LINES, rules.Takes.BY)]
    rests = [part for part in shares if part.takes in (rules.Takes.REST, rules.Takes.PERIODS)]
    for second in rests[1:]:
        yield Mistake(node.file, second.line, f"{rests[0].name} takes the rest already", "")
    percents = [part for part in shares if part.takes is rules.Takes.PERCENT]
    if not all(part.value.is_constant for part in percents):
        return
    whole = sum((Decimal(part.value.evaluate({}) or 0) for part in percents), Decimal(0))
    hint = "the parts of a document must sum to it; `rest: true` takes what others leave"
    is_short = bool(shares) and not rests and len(percents) == len(shares) and whole != HUNDRED
    if is_short or whole > HUNDRED:
        said = plain_text(whole)
        yield Mistake(node.file, shares[0].line, f"the parts come to {said} %, not 100", hint)


def _entries(node: Node | None) -> abc.Mapping[str, Node]:
    return (node.entries if node is not None else None) or {}


def _rows(node: Node | None) -> tuple[Node, ...]:
    return (node.items if node is not None else None) or ()
