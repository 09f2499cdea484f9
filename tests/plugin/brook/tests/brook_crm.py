"""Brook, as its pages say it is: a CRM to test against, and to play with.

Odd on purpose: amounts are cents as text, instants are milliseconds of a clock that ticks in
seconds, pages go by offset, and what changed moves to the end of its list.
"""

import json
import sys
import time
from datetime import UTC, datetime

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route

from tieout.simulator.clock import DateHeader
from tieout.simulator.faults import Answer, FaultMiddleware, Faults
from tieout.simulator.jsonwire import ExactJson, loads
from tieout.simulator.serving import serve

ACCOUNT = "77"
FIELDS = {
    "deals": [
        "title",
        "won",
        "cents",
        "currency",
        "closed",
        "company",
        "mark",
        "invoice_number",
        "invoice_status",
        "invoice_cents",
        "invoice_checked",
    ],
    "lines": ["title", "sku", "count", "cents", "deal"],
    "companies": ["title", "email", "country"],
    "payments": ["cents", "currency", "paid", "reference", "deal"],
}


def now():
    return datetime.now(UTC)


class BrookCrm:
    """One account's records."""

    def __init__(self):
        self.start_afresh()

    def start_afresh(self):
        """Forget everything."""
        self.key = "opens-the-brook"
        self.rows = {path: {} for path in FIELDS}
        self.made = 0
        self.writes = 0

    def make(self, path, **fields):
        """Make a record, and return its id."""
        self.made += 1
        row = {"id": str(self.made), "rev": 0, **dict.fromkeys(FIELDS[path]), **fields}
        self.keep(path, row)
        return row["id"]

    def keep(self, path, row):
        """Store a record's next revision."""
        kept = {**row, "rev": row["rev"] + 1, "changed": int(time.time()) * 1000}
        self.rows[path][row["id"]] = kept
        return kept

    def change(self, path, row_id, **fields):
        """Change a record."""
        return self.keep(path, {**self.rows[path][row_id], **fields})

    def live(self, path):
        """Return the records that are not deleted."""
        return [row for row in self.rows[path].values() if not row.get("deleted")]

    async def answer(self, request):
        """Answer one request."""
        path, row_id = request.path_params["path"], request.path_params.get("id")
        if request.headers.get("x-brook-key") != self.key:
            return _no(401, "who_are_you")
        if path == "me":
            return ExactJson({"account": ACCOUNT, "title": "The Brook of Søn & Co"})
        if path not in FIELDS:
            return _no(404, "no_such_list")
        if row_id is None:
            return self._list(path, dict(request.query_params))
        row = self.rows[path].get(row_id)
        if row is None:
            return _no(404, "no_such_record")
        if row.get("deleted"):
            return _no(410, "was_deleted")
        if request.method == "PATCH":
            told = loads(await request.body())
            if not set(told) <= set(FIELDS[path]) or told.get("title") == "refuse me":
                return _no(422, "bad_value")
            self.writes += 1
            row = self.change(path, row_id, **told)
        return ExactJson(row)

    def _list(self, path, query):
        offset, limit = int(query.pop("offset")), int(query.pop("limit"))
        if "changed_from" in query:
            since = int(query["changed_from"])
            rows = [row for row in self.rows[path].values() if row["changed"] >= since]
            rows.sort(key=lambda row: (row["changed"], int(row["id"])))
        else:
            ((name, value),) = query.items()
            rows = [row for row in self.live(path) if row.get(name) == value]
        shown = rows[offset : offset + limit]
        return ExactJson({"rows": shown, "offset": offset, "total": len(rows)})


def brook_app(crm):
    """Return the CRM as an application that can fail on demand."""
    faults = Faults(_spell, now, {"drop_row": _drop_row, "wrong_page": _wrong_page})
    methods = ["GET", "PATCH"]
    return Starlette(
        routes=[
            Route("/{path}", crm.answer, methods=methods),
            Route("/{path}/{id}", crm.answer, methods=methods),
        ],
        middleware=[Middleware(DateHeader, now=now), Middleware(FaultMiddleware, faults=faults)],
    )


def sell(crm, deals):
    """Let a sales team work: won deals with lines, and a payment of every third."""
    closed = int(datetime(2026, 3, 31, 10, tzinfo=UTC).timestamp()) * 1000
    buyers = [
        crm.make("companies", title=f"Buyer {n} GmbH", email=f"ap{n}@buyer.example", country="DE")
        for n in range(1, 6)
    ]
    for n in range(1, deals + 1):
        prices = [(2, 15_000), (1, 50_007 + n)]
        cents = sum(count * price for count, price in prices)
        deal = crm.make(
            "deals",
            title=f"Rollout {n}",
            won=n % 5 != 0,
            cents=str(cents),
            currency="EUR",
            closed=closed,
            company=buyers[n % len(buyers)],
        )
        for (count, price), sku in zip(prices, ("C-1", "L-9"), strict=True):
            crm.make(
                "lines", title=f"Part {sku}", sku=sku, count=count, cents=str(price), deal=deal
            )
        if n % 3 == 0 and n % 5:
            crm.make(
                "payments",
                cents="10000",
                currency="EUR",
                paid=closed,
                reference=f"P-{n}",
                deal=deal,
            )


def _no(status, code):
    return ExactJson({"error": code, "why": "Brook says no."}, status)


def _spell(fault, _asked):
    return Answer(fault.status, [("content-type", "application/json")], json.dumps({}).encode())


def _drop_row(_asked, right, _dice):
    if right.get("rows"):
        right["rows"].pop(0)
    return right


def _wrong_page(_asked, right, _dice):
    """Show the last row in every place; that it is another page, only its offset says."""
    if "offset" in right:
        right["offset"] += 50
        right["rows"] = right["rows"][-1:] * len(right["rows"])
    return right


if __name__ == "__main__":
    brook = BrookCrm()
    sell(brook, int(sys.argv[2]))
    with serve(brook_app(brook), int(sys.argv[1])) as served:
        sys.stdout.write(f"Brook at {served.url}, its key is {brook.key}\n")
        sys.stdout.flush()
        while True:
            time.sleep(60)
