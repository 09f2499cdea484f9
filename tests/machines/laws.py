"""What must hold whatever happens, judged by what is really there on both sides.

``Laws`` is asked at each write, before it travels and after it landed, after each step of a story,
and when all is quiet.
"""

import hashlib
import json
import re
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from machines.booked import as_asked, as_booked, created, is_same
from machines.exchange import Answered, Asked
from machines.place import Place
from simulated_world import CUTOVER, ZONE
from tie_out import Deal, Rest, is_in_scope, merged_into, tie_out

from sync_engine.ledger.journal import verify

MARKER = re.compile(r"\[TIEOUT:([0-9A-Z]{16})-(\d+)\]")
SMALL = "no small deals"  # the edition of the mapping that leaves out what is not above 40
REASONED = {"blocked", "skipped", "refused", "rejected", "unknown"}
ASKED = {"planned", "waiting", "approved", "sending"}
PASSING = {"on-its-way", "unknown"}  # what a task says while things move
TOLD = {"blocked": "finding", "waiting": "approval", "refused": "refused"}  # by which family
POSTED = ("invoice", "payment")
LIMIT = re.compile(r"automatic under (\d+) ([A-Z]{3})")


class Broken(AssertionError):
    """A law does not hold."""


class Laws:
    """The judge of one story."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.writes = 0
        self._bearers: dict[str, set[str]] = defaultdict(set)
        self._overtaken: set[str] = set()
        place.wire.before_write = self.sent
        place.wire.delivered = self.landed
        place.wire.landing = self.landing

    # At each write

    def sent(self, asked: Asked) -> None:
        """Judge a write that is about to travel: its intent is on the disk, and it was approved."""
        if "/properties" in asked.path:
            return  # fields of ours, made when a process starts for the first time
        self.writes += 1
        with self._read() as disk:
            sha256 = hashlib.sha256(asked.body).hexdigest()
            rows = disk.execute(
                "SELECT * FROM parcel WHERE body_sha256 = ? AND state = 'sending'", (sha256,)
            ).fetchall()
            row = next((one for one in rows if self._is_of(one, asked)), None)
            _demand(row is not None, f"{asked.method} {asked.target} is not in the ledger")
            for _, key, kind, _, _ in json.loads(row["items"]):
                if kind != "deal":
                    self._demand_approved(disk, row["request_id"], key)

    def landed(self, asked: Asked, answer: Answered) -> None:
        """Judge what a write left in the books: exactly what was approved."""
        if asked.side != "books" or not asked.is_write or answer.status != 200:
            return
        told = created(answer.body)
        if told:
            with self._read() as disk:
                for kind, record_id in told:
                    self._demand_booked(disk, kind, record_id)

    def landing(self, asked: Asked) -> None:
        """Note the deals that a ledger which is no more tells something late.

        What a deal was told is not read back, so the ledger that came after it cannot know.
        """
        if asked.side == "crm" and self.place.turned_back:
            self._overtaken |= {one["id"] for one in json.loads(asked.body)["inputs"]}

    def _is_of(self, row: sqlite3.Row, asked: Asked) -> bool:
        return asked.side == "crm" or f"requestid={row['request_id']}" in asked.target

    def _demand_approved(self, disk: sqlite3.Connection, request_id: str, key: str) -> None:
        row = disk.execute(
            "SELECT outbox.change, plan.change AS planned, plan.hash, plan.net, plan.currency,"
            " outbox.kind, credit.net AS credited, credit.currency AS credited_in FROM outbox"
            " JOIN plan ON plan.hash = outbox.plan_hash"
            " LEFT JOIN correction ON correction.along_key = outbox.key"
            " LEFT JOIN document AS credit ON credit.key = correction.key"
            " WHERE outbox.request_id = ? AND outbox.key = ? AND outbox.state = 'sending'",
            (request_id, key),
        ).fetchone()
        _demand(row is not None, f"{key} travels and its plan is not in the ledger")
        said = disk.execute(
            "SELECT verdict, who, policy FROM decision WHERE plan_hash = ? AND key = ?"
            " ORDER BY id DESC LIMIT 1",
            (row["hash"], key),
        ).fetchone()
        _demand(said is not None and said["verdict"] == "approved", f"nobody approved {key}")
        by_nobody = said["who"] == "policy" and row["kind"] in POSTED
        net, currency = row["net"], row["currency"]
        if net is None:  # what a credit brings with it is approved with the credit
            net, currency = row["credited"], row["credited_in"]
        allowed = not by_nobody or _needs_nobody(said["policy"], net, currency)
        _demand(allowed, f"{said['policy']!r} let {key} of {row['net']} {row['currency']} go")
        same = is_same(json.loads(row["planned"]), json.loads(row["change"]))
        _demand(same, f"{key} travels otherwise than it was approved: {row['change']}")

    def _demand_booked(self, disk: sqlite3.Connection, kind: str, record_id: str) -> None:
        name = kind.lower()
        record = self.place.company.tables[kind].rows.get(record_id)
        if record is None or record.token:
            return  # deleted, or changed by a person since a first delivery made it
        marked = MARKER.search(record.body.get("PrivateNote", ""))
        _demand(marked is not None, f"{name} {record_id} was booked without a marker")
        row = disk.execute(
            "SELECT outbox.change, plan.net FROM outbox JOIN plan ON plan.hash = outbox.plan_hash"
            " WHERE outbox.key = ? AND outbox.verb = 'create'"
            " ORDER BY outbox.first_at DESC LIMIT 1",
            (f"{marked[1]}-{marked[2]}",),
        ).fetchone()
        if row is None:
            _demand(self.place.turned_back, f"{name} {record_id} is of no plan")
            return  # it landed after the ledger was lost
        values = json.loads(row["change"])["values"]
        expected = as_asked(name, values, row["net"])
        _demand_equal(expected, as_booked(name, record.body), f"{name} {record_id} as approved")

    # After each step

    def step(self) -> None:
        """Judge both sides between two steps."""
        for deal in self.place.crm_truth()["deals"]:
            if deal["po_number"]:
                self._bearers[deal["po_number"]].add(deal["id"])
        truth = self.place.books_truth()
        self._demand_single(truth)
        self._demand_credits_within(truth)
        self._demand_chain()

    def _demand_single(self, truth: Any) -> None:
        ours = [
            one
            for kind in ("invoices", "payments")
            for one in truth[kind]
            if not (one["voided"] or one["deleted"] or one["by_hand"])
        ]
        stems = Counter(
            MARKER.search(one["private_note"] or "")[1]
            for one in ours
            if MARKER.search(one["private_note"] or "")
        )
        credited = _credits(truth)
        renewed = {
            MARKER.search(one["private_note"])[1]: credited[one["po_number"]]
            for one in ours
            if one.get("po_number") and MARKER.search(one["private_note"] or "")
        }
        twice = {stem: n for stem, n in stems.items() if n > 1 + renewed.get(stem, 0)}
        _demand_equal({}, twice, "live twice")
        orders = Counter(one["po_number"] for one in ours if one.get("po_number"))
        allowed = self._bearers_with_overruled()
        many = {po: n for po, n in orders.items() if n > max(1, allowed[po]) + credited[po]}
        _demand_equal({}, many, "more invoices of an order than deals")
        paid = Counter(one["reference"] for one in ours if one.get("reference"))
        _demand_equal({}, {ref: n for ref, n in paid.items() if n > 1}, "paid twice")

    def _demand_credits_within(self, truth: Any) -> None:
        """No order's invoices are ever credited beyond what they come to, while all of them live."""
        invoiced: Counter[str] = Counter()
        taken_back: set[str] = set()
        for one in truth["invoices"]:
            invoiced[one["po_number"]] += one["net"]
            if one["voided"] or one["deleted"]:
                taken_back.add(one["po_number"])
        credited: Counter[str] = Counter()
        for one in truth["credit_memos"]:
            if not (one["voided"] or one["deleted"] or one["by_hand"]):
                credited[one["po_number"]] += one["net"]
        beyond = {po for po, net in credited.items() if net > invoiced[po]} - taken_back
        _demand_equal(set(), beyond, "credited beyond its invoices")

    def _bearers_with_overruled(self) -> Counter[str]:
        """Return how many invoices each order may have: one a deal, and one a twin overruled."""
        overruled = Counter(self.place.overruled)
        return Counter({po: len(deals) for po, deals in self._bearers.items()}) + overruled

    def _demand_chain(self) -> None:
        if self.place.working is not None and not self.place.doom.dead:
            verdict = verify(self.place.working.ledger)
            _demand(verdict.ok, f"the journal does not hold: {verdict.why}")

    # When all is quiet

    def quiet(self) -> None:
        """Judge a world in which nothing moves: the money, and what became of every deal."""
        self.step()
        self._demand_accounted()
        self._demand_told()
        self._demand_reasons()
        rests = self._rests()
        wrong = {
            deal: [str(n) for n in rest]
            for deal, rest in rests.items()
            if _off(rest) and not self._is_none_of_ours(deal[0], rest)
        }
        _demand_equal({}, wrong, "won = invoiced - credited + held")

    def _rests(self) -> dict[Deal, Rest]:
        """Return won, invoiced and held of each deal; what the mapping leaves out is not won."""
        rests = tie_out(self.place, {})
        crm, orders = self.place.crm_truth(), self.place.orders
        for deal in crm["deals"]:
            if is_in_scope(deal) and self._is_left_out(deal):
                head = merged_into(crm, orders.get(deal["po_number"], deal["id"]))
                won, invoiced, held = rests[head, deal["currency"] or "EUR"]
                left = won - Decimal(deal["net"])
                rests[head, deal["currency"] or "EUR"] = left, invoiced, held
        return rests

    def _is_left_out(self, deal: Any) -> bool:
        small = deal["amount"] is not None and Decimal(deal["amount"]) <= 40
        return self.place.edition == SMALL and small

    def _is_none_of_ours(self, deal: str, rest: Rest) -> bool:
        """Whether what is off is invoiced by what the ledger cannot know for this deal's."""
        won, invoiced, held = rest
        crm = self.place.crm_truth()
        with self._read() as disk:
            rows = disk.execute("SELECT posted_id FROM document WHERE kind = 'invoice'")
            known = {row["posted_id"] for row in rows}
        strange = [
            one["net"]
            for one in self.place.invoices()
            if one["po_number"] and merged_into(crm, self.place.orders[one["po_number"]]) == deal
            if one["id"] not in known and self._is_strange(one, is_won=bool(won))
        ]
        return bool(won == invoiced - sum(strange) + held)

    def _is_strange(self, invoice: Mapping[str, Any], *, is_won: bool) -> bool:
        """Whether nothing that is left binds an invoice to its deal.

        An accountant may invoice by hand a deal that is not in scope, or under the order number of
        one that was merged before the ledger made anything of it. And a ledger that was lost, or is
        an old backup's, does not know what the one before it posted of a deal that is out of scope
        now, or that was merged into another where a person took our marker off too.
        """
        if not is_won:
            return bool(invoice["by_hand"]) or self.place.turned_back
        is_merged = self.place.orders[invoice["po_number"]] in self.place.crm_truth()["merged"]
        unmarked = not MARKER.search(invoice["private_note"] or "")
        return is_merged and (bool(invoice["by_hand"]) or (self.place.turned_back and unmarked))

    def _demand_accounted(self) -> None:
        truth, crm = self.place.books_truth(), self.place.crm_truth()
        alive = {
            (kind, one["id"])
            for kind in POSTED
            for one in truth[f"{kind}s"]
            if not one["voided"] and not one["deleted"]
        }
        deals = [one for one in crm["deals"] if is_in_scope(one) and not self._is_left_out(one)]
        paid = [one["id"] for deal in deals for one in deal["payments"] if _counts(one)]
        sources = [("deal", "invoice", deal["id"]) for deal in deals]
        sources += [("payment", "payment", payment) for payment in paid]
        with self._read() as disk:
            for kind, made, source in sources:
                rows = disk.execute(
                    "SELECT * FROM document WHERE source_kind = ? AND source_id = ? AND kind = ?",
                    (kind, source, made),
                ).fetchall()
                tasks = disk.execute(
                    "SELECT subject, family FROM task WHERE state = 'open' AND source_kind = ?"
                    " AND source_id = ?",
                    (kind, source),
                ).fetchall()
                asked = {(task["subject"], task["family"]) for task in tasks}
                why = "; ".join(_trouble(row, alive, asked) for row in rows)
                if not rows:
                    why = "no document"
                _demand(not why.strip("; "), f"{kind} {source} is not accounted for: {why}")

    def _demand_told(self) -> None:
        """Judge what each posted deal says of its invoice: what the books say."""
        truth = self.place.books_truth()
        invoices = {one["id"]: one for one in truth["invoices"]}
        paid = {
            part["id"]
            for one in truth["payments"]
            if one["total"] and not (one["voided"] or one["deleted"])
            for part in one["allocations"]
        }
        deals = {one["id"]: one for one in self.place.crm_truth()["deals"] if not one["archived"]}
        with self._read() as disk:
            rows = disk.execute(
                "SELECT key, source_id, state, posted_id FROM document WHERE kind = 'invoice'"
                " AND state IN ('posted', 'voided', 'deleted')"
            ).fetchall()
        for row in rows:
            deal, invoice = deals.get(row["source_id"]), invoices.get(row["posted_id"])
            if deal is not None and invoice is not None and deal["id"] not in self._overtaken:
                told = _told(deal["custom"])
                to_tell = _to_tell(invoice, is_paid=invoice["id"] in paid)
                _demand_equal(to_tell, told, f"deal {deal['id']} is told of {row['key']}")

    def _demand_reasons(self) -> None:
        """Judge that each open task names a reason that is still one when nothing moves."""
        with self._read() as disk:
            rows = disk.execute("SELECT code, source_id, message FROM task WHERE state = 'open'")
            vain = [tuple(row) for row in rows if row["code"] in PASSING]
        _demand_equal([], vain, "tasks without a reason")

    @contextmanager
    def _read(self) -> Iterator[sqlite3.Connection]:
        """Open the ledger's file as it is on the disk, past whatever the process has open."""
        file = self.place.path / "ledger.db"
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as disk:
            disk.row_factory = sqlite3.Row
            yield disk


def _trouble(row: sqlite3.Row, alive: set[tuple[str, str]], asked: set[tuple[str, str]]) -> str:
    """Return what is wrong with how a document stands, empty if nothing is.

    Args:
        row: the document.
        alive: kind and id of each record that is live in the books.
        asked: subject and family of each open task of its source.
    """
    state, is_asked = row["state"], bool(asked)
    if state in TOLD and (row["key"], TOLD[state]) not in asked:
        return f"{row['key']} is {state} and no task says so"
    if state in ASKED and not is_asked:
        return f"{row['key']} is {state} and nobody is asked"
    if state in REASONED and not row["reason"] and not is_asked:
        return f"{row['key']} is {state} without a reason"
    if state == "posted" and (row["kind"], row["posted_id"]) not in alive and not is_asked:
        return f"{row['key']} is posted as {row['posted_id']}, which is not there"
    if state in ("unknown", "sending"):
        return f"{row['key']} is {state} when all is quiet"
    return ""


def _counts(payment: Mapping[str, Any]) -> bool:
    """Whether a payment of the CRM is one that the mapping posts."""
    began = datetime.fromisoformat(payment["hs_initiated_date"]).astimezone(ZoneInfo(ZONE))
    return payment["hs_latest_status"] == "succeeded" and began.date() >= CUTOVER


def _told(custom: Mapping[str, str]) -> dict[str, Any]:
    """Return what a deal says of its invoice."""
    said = {name: custom.get(f"tieout_invoice_{name}") for name in ("number", "status")}
    amounts = {name: custom.get(f"tieout_invoice_{name}") for name in ("total", "balance")}
    if said["status"] == "voided":
        return said
    return said | {name: held and Decimal(held) for name, held in amounts.items()}


def _credits(truth: Any) -> Counter[str]:
    """Return how many credits of ours live, by the order number of their invoice."""
    return Counter(
        one["po_number"]
        for one in truth["credit_memos"]
        if one["po_number"] and not (one["voided"] or one["deleted"] or one["by_hand"])
    )


def _to_tell(invoice: Mapping[str, Any], *, is_paid: bool) -> dict[str, Any]:
    """Return what a deal should say of an invoice; of one that is no more, only that."""
    if invoice["voided"] or invoice["deleted"]:
        return {"number": invoice["doc_number"], "status": "voided"}
    total, balance = Decimal(invoice["total"]), Decimal(invoice["balance"])
    covered = "paid" if is_paid else "credited"
    status = "invoiced" if balance == total else "part-paid" if balance else covered
    return {
        "number": invoice["doc_number"],
        "status": status,
        "total": total,
        "balance": balance,
    }


def _needs_nobody(policy: str, net: str, currency: str) -> bool:
    """Whether a policy lets an amount go without a person."""
    limit = LIMIT.fullmatch(policy)
    if limit is None:
        return policy == "automatic"
    return currency == limit[2] and Decimal(net) < Decimal(limit[1])


def _off(rest: tuple[Decimal, Decimal, Decimal]) -> bool:
    won, invoiced, held = rest
    return won != invoiced + held


def _demand(holds: bool, why: str) -> None:
    if not holds:
        raise Broken(why)


def _demand_equal(expected: Any, found: Any, what: str) -> None:
    if expected != found:
        raise Broken(f"{what}: expected {expected}, found {found}")
