"""What a table is: its columns with their types, its keys, and how it leads to others."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

Type = Literal[
    "Uniqueidentifier",
    "String",
    "Memo",
    "Money",
    "Decimal",
    "Integer",
    "BigInt",
    "Boolean",
    "Picklist",
    "State",
    "Status",
    "DateTime",
    "Lookup",
    "Customer",
    "Owner",
]
CHOICES = frozenset({"Picklist", "State", "Status"})
LOOKUPS = frozenset({"Lookup", "Customer", "Owner"})
TEXTS = frozenset({"String", "Memo"})

MONEY_LIMIT = 922_337_203_685_477
"""Money lies between this and its negative, whatever its precision."""


class Target(NamedTuple):
    """The record that a lookup points at."""

    table: str
    id: str


@dataclass(slots=True)
class Column:
    """One column of a table, as the vendor's metadata describes it."""

    name: str
    type: Type
    label: str = ""
    max_length: int = 0
    """Of a text, in characters; 0 for any other type."""
    precision: int = 0
    precision_source: int = 0
    """Of money: 0 its own precision, 1 the organization's for prices, 2 the currency's."""
    targets: Sequence[str] = ()
    options: dict[int, str] = field(default_factory=dict)
    unpublished: set[int] = field(default_factory=set)
    """Options that were inserted since the last publishing: metadata shows what is published."""
    day_only: bool = False
    writable: bool = True
    """False: the server computes it, and leaves out what is written there."""
    required: bool = False
    base_of: str = ""
    """Of a twin in the organization's money: the column that it is computed from."""
    custom: bool = False
    secured: bool = False
    """Whether only who has a column security profile sees and writes it."""
    schema_name: str = ""
    id: str = ""
    """The MetadataId; given when the organization is made."""

    @property
    def wire(self) -> str:
        """How the column is called in an answer: a lookup is called by its value."""
        return f"_{self.name}_value" if self.type in LOOKUPS else self.name

    @property
    def many_targets(self) -> bool:
        """Whether a lookup leads to records of more than one table."""
        return len(self.targets) > 1

    def navigation(self, target: str) -> str:
        """Return the navigation property that leads to a record of the target table."""
        if self.type == "Owner" or not self.many_targets:
            return self.schema_name if self.custom else self.name
        return f"{self.name}_{target}"


@dataclass(slots=True)
class Key:
    """An alternate key."""

    name: str
    columns: Sequence[str]
    active_at: str
    """From when on its index is built, in ISO 8601: until then it is Pending."""
    id: str = ""
    failed: bool = False
    """Whether rows had the same values, so that no index could be built."""

    def status(self, present: str) -> str:
        """Return the EntityKeyIndexStatus at an instant in ISO 8601."""
        if self.failed:
            return "Failed"
        return "Active" if self.active_at <= present else "Pending"


@dataclass(slots=True)
class Table:
    """A table: its names, its columns, its keys, what it is the one side of."""

    name: str
    entity_set: str
    id_column: str
    name_column: str
    type_code: int
    columns: dict[str, Column]
    collections: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Navigation property: (table, its lookup column) of the many side."""
    keys: dict[str, Key] = field(default_factory=dict)
    tracked: bool = True
    """ChangeTrackingEnabled."""
    custom: bool = False
    schema_name: str = ""
    id: str = ""

    @property
    def schema(self) -> str:
        """The SchemaName: how privileges call the table (`prvReadOpportunity`)."""
        return self.schema_name or self.name.capitalize()

    def by_wire(self, name: str) -> Column | None:
        """Return the column that an answer calls so."""
        column = self.columns.get(name)
        if column is not None:
            return column if column.wire == name else None
        if name.startswith("_") and name.endswith("_value"):
            return self.columns.get(name[1:-6])
        return None

    def by_navigation(self, name: str) -> tuple[Column, str] | None:
        """Return the lookup and the target table of a single-valued navigation property."""
        for column in self.columns.values():
            if column.type in LOOKUPS:
                for target in column.targets:
                    if column.navigation(target) == name:
                        return column, target
        return None


def table(
    name: str,
    entity_set: str,
    type_code: int,
    *columns: Column | Iterable[Column],
    named: str = "name",
    collections: Mapping[str, tuple[str, str]] | None = None,
    schema_name: str = "",
) -> Table:
    """Return a table with its id column and the columns that every table has."""
    own: list[Column] = [Column(f"{name}id", "Uniqueidentifier", writable=False)]
    for one in columns:
        own += [one] if isinstance(one, Column) else one
    own += system_columns()
    return Table(
        name,
        entity_set,
        f"{name}id",
        named,
        type_code,
        {column.name: column for column in own},
        collections or {},
        schema_name=schema_name,
    )


def system_columns() -> list[Column]:
    """Return what every table has: when and by whom, and the version."""
    return [
        Column("createdon", "DateTime", "Created On", writable=False),
        Column("modifiedon", "DateTime", "Modified On", writable=False),
        Column("createdby", "Lookup", "Created By", targets=("systemuser",), writable=False),
        Column("modifiedby", "Lookup", "Modified By", targets=("systemuser",), writable=False),
        Column("versionnumber", "BigInt", "Version Number", writable=False),
    ]


def owned() -> list[Column]:
    """Return the columns of a record that a user owns."""
    return [
        Column("ownerid", "Owner", "Owner", targets=("systemuser",)),
        Column("overriddencreatedon", "DateTime", "Record Created On"),
    ]


def text(name: str, max_length: int, label: str = "", *, required: bool = False) -> Column:
    """Return a column of one line of text."""
    return Column(name, "String", label, max_length=max_length, required=required)


def memo(name: str, max_length: int = 2000, label: str = "") -> Column:
    """Return a column of many lines of text."""
    return Column(name, "Memo", label, max_length=max_length)


def money(
    name: str, label: str = "", *, computed: bool = False, precision_source: int = 2
) -> list[Column]:
    """Return a money column and its twin in the organization's own money, which is computed."""
    own = Column(
        name,
        "Money",
        label,
        precision=2,
        precision_source=precision_source,
        writable=not computed,
    )
    twin = Column(
        f"{name}_base",
        "Money",
        f"{label} (Base)".strip(),
        precision=4,
        precision_source=2,
        writable=False,
        base_of=name,
    )
    return [own, twin]


def in_money() -> list[Column]:
    """Return the columns of a record that has a currency."""
    return [
        Column("transactioncurrencyid", "Lookup", "Currency", targets=("transactioncurrency",)),
        Column("exchangerate", "Decimal", "Exchange Rate", precision=12, writable=False),
    ]


def number(name: str, precision: int, label: str = "") -> Column:
    """Return a column of decimals."""
    return Column(name, "Decimal", label, precision=precision)


def whole(name: str, label: str = "", *, computed: bool = False) -> Column:
    """Return a column of whole numbers."""
    return Column(name, "Integer", label, writable=not computed)


def flag(name: str, label: str = "", *, computed: bool = False) -> Column:
    """Return a column of yes and no."""
    return Column(name, "Boolean", label, writable=not computed)


def day(name: str, label: str = "") -> Column:
    """Return a column of dates without a time."""
    return Column(name, "DateTime", label, day_only=True)


def instant(name: str, label: str = "") -> Column:
    """Return a column of instants."""
    return Column(name, "DateTime", label)


def choice(name: str, label: str = "", *options: tuple[int, str], computed: bool = False) -> Column:
    """Return a choice column with its values and labels."""
    return Column(name, "Picklist", label, options=dict(options), writable=not computed)


def state(*options: tuple[int, str]) -> Column:
    """Return the column of a record's state."""
    return Column("statecode", "State", "Status", options=dict(options))


def status(*options: tuple[int, str]) -> Column:
    """Return the column of the reason of a record's state."""
    return Column("statuscode", "Status", "Status Reason", options=dict(options))


def lookup(name: str, *targets: str, label: str = "", computed: bool = False) -> Column:
    """Return a column that points at a record of one of the target tables."""
    type_: Type = "Customer" if set(targets) == {"account", "contact"} else "Lookup"
    return Column(name, type_, label, targets=targets, writable=not computed)
