"""Reading SOQL: the clauses that are simulated; all others are refused as malformed.

Source: SOQL and SOSL Reference, "SOQL SELECT Syntax", "Condition Expression Syntax", "Quoted
String Escape Sequences", "Date Formats and Date Literals".
"""

import re
from dataclasses import dataclass
from decimal import Decimal

from tieout.simulator.salesforce.soql.tree import (
    All,
    Column,
    Comparison,
    Condition,
    Either,
    Literal,
    Membership,
    Not,
    Order,
    Query,
    Selected,
    TypeOf,
    malformed,
)

MAX_CHARS = 100_000
MAX_SUBQUERIES = 20
MAX_OFFSET = 2000
MAX_DEPTH = 50
"""How deep conditions may be nested here; the vendor names no number."""

_TOKEN = re.compile(
    r"""(?P<space>\s+)
    |(?P<string>'(?:[^'\\]|\\.)*')
    |(?P<datetime>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d))
    |(?P<date>\d{4}-\d\d-\d\d)
    |(?P<number>[+-]?\d+(?:\.\d+)?)
    |(?P<money>[A-Z]{3}\d+(?:\.\d+)?(?!\w))
    |(?P<name>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)
    |(?P<operator><=|>=|!=|<>|=|<|>)
    |(?P<sign>[(),:])""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", '"': '"', "'": "'", "\\": "\\"}
_RANGES = frozenset(
    {"TODAY", "YESTERDAY", "TOMORROW", "THIS_MONTH", "LAST_MONTH", "THIS_YEAR", "LAST_YEAR"}
)
_RANGES_OF_N = frozenset({"LAST_N_DAYS", "NEXT_N_DAYS"})
_RESERVED = frozenset(
    [
        "and",
        "asc",
        "desc",
        "excludes",
        "first",
        "from",
        "group",
        "having",
        "in",
        "includes",
        "last",
        "like",
        "limit",
        "not",
        "null",
        "nulls",
        "or",
        "select",
        "where",
        "with",
    ]
)


@dataclass(frozen=True, slots=True)
class _Token:
    type: str
    text: str
    at: int


def parse(text: str) -> Query:
    """Read a query.

    Raises:
        Refusal: MALFORMED_QUERY with the place, or QUERY_TOO_COMPLICATED for one too long.
    """
    if len(text) > MAX_CHARS:
        raise malformed(
            text[:200], 0, f"SOQL statements cannot be longer than {MAX_CHARS} characters."
        )
    reader = _Reader(text)
    query = reader.query(child=False)
    reader.end()
    return query


def parse_condition(text: str) -> Condition:
    """Read what may stand after WHERE.

    Raises:
        Refusal: MALFORMED_QUERY with the place.
    """
    reader = _Reader(text)
    condition = reader.condition(0)
    reader.end()
    return condition


class _Reader:
    """Goes through the tokens of one text from left to right."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = _tokens(text)
        self.place = 0

    def query(self, *, child: bool) -> Query:
        start = self._word("select").at
        counts, select = self._selection(child=child)
        self._word("from")
        source = self._kind()
        if self._peek().type == "name" and self._peek().text.lower() not in _CLAUSES:
            self._next()  # an alias; paths may begin with it, which nobody here does
        where = self.condition(0) if self._has("where") else None
        order = self._orders() if self._has("order") else ()
        limit = self._count() if self._has("limit") else None
        offset = self._count() if self._has("offset") else 0
        if offset > MAX_OFFSET:
            raise malformed(self.text, start, f"Maximum SOQL offset allowed is {MAX_OFFSET}")
        return Query(self.text, select, source.text, source.at, where, order, limit, offset, counts)

    def end(self) -> None:
        if self._peek().type != "end":
            raise self._unexpected(self._peek())

    def condition(self, depth: int) -> Condition:
        if depth > MAX_DEPTH:
            raise malformed(self.text, self._peek().at, "conditions are nested too deeply")
        terms = [self._term(depth)]
        joins = set()
        while self._peek().text.lower() in {"and", "or"}:
            joins.add(self._next().text.lower())
            if len(joins) > 1:
                raise self._unexpected(self.tokens[self.place - 1])
            terms.append(self._term(depth))
        if len(terms) == 1:
            return terms[0]
        return All(tuple(terms)) if "and" in joins else Either(tuple(terms))

    # -- parts -----------------------------------------------------------------------------------

    def _selection(self, *, child: bool) -> tuple[bool, tuple[Selected, ...]]:
        if self._peek().text.lower() == "count" and self.tokens[self.place + 1].text == "(":
            self.place += 2
            self._sign(")")
            return True, ()
        selected: list[Selected] = [self._selected(child=child)]
        while self._takes(","):
            selected.append(self._selected(child=child))
        children = sum(isinstance(one, Query) for one in selected)
        if children > MAX_SUBQUERIES:
            raise malformed(self.text, 0, f"A query may have {MAX_SUBQUERIES} subqueries")
        return False, tuple(selected)

    def _selected(self, *, child: bool) -> Selected:
        if self._takes("("):
            if child:
                raise self._unexpected(self.tokens[self.place - 1])
            query = self.query(child=True)
            self._sign(")")
            return query
        if self._peek().text.lower() == "typeof":
            return self._typeof()
        return self._column()

    def _typeof(self) -> TypeOf:
        at = self._next().at
        relationship = self._name().text
        cases = []
        while self._has("when"):
            kind = self._kind().text
            self._word("then")
            cases.append((kind, self._columns()))
        otherwise = self._columns() if self._has("else") else ()
        self._word("end")
        if not cases:
            raise malformed(self.text, at, "TYPEOF needs WHEN")
        return TypeOf(relationship, at, tuple(cases), otherwise)

    def _columns(self) -> tuple[Column, ...]:
        columns = [self._column()]
        while self._takes(","):
            columns.append(self._column())
        return tuple(columns)

    def _column(self) -> Column:
        token = self._name()
        if self._peek().text == "(":
            raise self._unexpected(self._peek())  # no function but COUNT() is simulated
        return Column(tuple(token.text.split(".")), token.at)

    def _term(self, depth: int) -> Condition:
        if self._has("not"):
            return Not(self._term(depth + 1))
        if self._takes("("):
            inner = self.condition(depth + 1)
            self._sign(")")
            return inner
        column = self._column()
        token = self._next()
        word = token.text.lower()
        if token.type == "operator":
            operator = "!=" if token.text == "<>" else token.text
            return Comparison(column, operator, self._literal())
        if word == "like":
            return Comparison(column, "like", self._literal(like=True))
        if word == "not":
            self._word("in")
            return Membership(column, negated=True, among=self._among())
        if word == "in":
            return Membership(column, negated=False, among=self._among())
        raise self._unexpected(token)

    def _among(self) -> tuple[Literal, ...] | Query:
        self._sign("(")
        if self._peek().text.lower() == "select":
            query = self.query(child=True)
            self._sign(")")
            return query
        values = [self._literal()]
        while self._takes(","):
            values.append(self._literal())
        self._sign(")")
        return tuple(values)

    def _literal(self, *, like: bool = False) -> Literal:
        token = self._next()
        text = token.text
        match token.type:
            case "string":
                return Literal("string", self._unescaped(token, like=like), token.at)
            case "number":
                return Literal("number", Decimal(text), token.at)
            case "money":
                return Literal("money", (text[:3], Decimal(text[3:])), token.at)
            case "date" | "datetime":
                return Literal(token.type, text, token.at)
        word = text.upper()
        if word in {"TRUE", "FALSE"}:
            return Literal("boolean", word == "TRUE", token.at)
        if word == "NULL":
            return Literal("null", None, token.at)
        if word in _RANGES:
            return Literal("range", (word, 0), token.at)
        if word in _RANGES_OF_N and self._takes(":"):
            return Literal("range", (word, self._count()), token.at)
        raise self._unexpected(token)

    def _unescaped(self, token: _Token, *, like: bool) -> str:
        def plain(found: re.Match[str]) -> str:
            sign = found[1]
            if sign.lower() in _ESCAPES:
                return _ESCAPES[sign.lower()]
            if len(sign) > 1:
                return chr(int(sign[1:], 16))
            if like and sign in "_%":
                return f"\\{sign}"
            raise malformed(
                self.text,
                token.at,
                f"Illegal string escape sequence '\\{sign}' in character literal",
            )

        raw = token.text[1:-1]
        if like:  # a backslash of the text stays apart from one that escapes a wildcard
            raw = raw.replace("\\\\", "\\\\\\\\")
        return re.sub(r"\\(u[0-9A-Fa-f]{4}|.)", plain, raw, flags=re.DOTALL)

    def _orders(self) -> tuple[Order, ...]:
        self._word("by")
        orders = [self._order()]
        while self._takes(","):
            orders.append(self._order())
        return tuple(orders)

    def _order(self) -> Order:
        column = self._column()
        descending = self._has("desc") or (self._has("asc") and False)
        last = False
        if self._has("nulls"):
            last = self._has("last")
            if not last:
                self._word("first")
        return Order(column, descending, last)

    def _count(self) -> int:
        token = self._next()
        if token.type != "number" or not token.text.isdigit():
            raise self._unexpected(token)
        return int(token.text)

    # -- tokens ----------------------------------------------------------------------------------

    def _peek(self) -> _Token:
        return self.tokens[self.place]

    def _next(self) -> _Token:
        token = self.tokens[self.place]
        if token.type == "end":
            raise self._unexpected(token)
        self.place += 1
        return token

    def _has(self, word: str) -> bool:
        """Take the next token if it is this word."""
        if self._peek().type == "name" and self._peek().text.lower() == word:
            self.place += 1
            return True
        return False

    def _takes(self, sign: str) -> bool:
        if self._peek().text == sign:
            self.place += 1
            return True
        return False

    def _word(self, word: str) -> _Token:
        token = self._peek()
        if not self._has(word):
            raise self._unexpected(token)
        return token

    def _sign(self, sign: str) -> None:
        token = self._peek()
        if not self._takes(sign):
            raise self._unexpected(token)

    def _name(self) -> _Token:
        token = self._next()
        if token.type != "name" or token.text.lower() in _RESERVED:
            raise self._unexpected(token)
        return token

    def _kind(self) -> _Token:
        """Take the name of a kind; one is called as a clause is (Object Reference, "Group")."""
        return self._next() if self._peek().text.lower() == "group" else self._name()

    def _unexpected(self, token: _Token) -> Exception:
        shown = "<EOF>" if token.type == "end" else token.text
        return malformed(self.text, token.at, f"unexpected token: '{shown}'")


_CLAUSES = frozenset(
    [
        "where",
        "order",
        "limit",
        "offset",
        "group",
        "having",
        "with",
        "for",
        "using",
        "all",
        "update",
        "select",
        "from",
        "end",
    ]
)


def _tokens(text: str) -> list[_Token]:
    tokens = []
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise malformed(
                text, at, f"line 1:{at} no viable alternative at character '{text[at]}'"
            )
        kind = found.lastgroup or "space"
        if kind != "space":
            tokens.append(_Token(kind, found[0], at))
        at = found.end()
    end = _Token("end", "", len(text))
    return [*tokens, end, end]
