"""resolve: a document's questions answered from the mirror, as plain values with the books' ids.

Matching asks the mirror, never the vendor. What is not there is a finding, so that nobody approves
what the books would refuse (R47). A record that is to be created is a plan of its own: until it has
an id the values name its key.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, TypeAlias

from mapping.matching import match
from sync_engine.addresses import address_of, source_address
from sync_engine.ledger.spelling import fields_of
from sync_engine.ledger.store import Reads, Row
from sync_engine.mirror_rows import Mirror
from sync_engine.pair import Pair, folded
from sync_engine.promised import promised
from tieout.model.canonical import Plain, plain
from tieout.model.change import Finding, Severity
from tieout.model.document import CreditMemo, Document, Invoice, Line, Payment, Prices, TaxBy
from tieout.model.lookup import BOUND, Ambiguous, Found, Match
from tieout.model.record import Record
from tieout.model.ref import Key, Ref

PLACES = 7  # decimals of a unit price, where the books state no other number
NAME_HOLDERS = ("customer", "vendor", "employee")  # share one space of names (R1)
CHOICES_SHOWN = 10
UNSENT = frozenset({"planned", "approved"})  # new records of which nothing was asked yet
ANY_ID = "ID"  # the choice that stands for the id of any record of that kind


Made: TypeAlias = Mapping[tuple[str, str], str]  # kind and id in the books, and the key


@dataclass(slots=True)
class Resolved:
    """Plain values for the books, what they wait for, and what was found on the way."""

    values: dict[str, Plain] = field(default_factory=dict)
    needs: dict[str, NewRecord] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    customer: str | None = None  # its id in the books, or the key of the plan that creates it

    def find(self, code: str, message: str, remedy: str, **rest: Any) -> None:
        """Add a finding that blocks, unless another severity is named."""
        severity = rest.pop("severity", Severity.BLOCK)
        self.findings.append(Finding(code, severity, message, remedy, **rest))


@dataclass(frozen=True, slots=True)
class NewRecord:
    """A customer or item that must be created first, as a plan of its own."""

    key: Key
    kind: str
    source: Ref
    values: Mapping[str, Plain]
    currency: str | None = None
    shared: bool = False  # another document plans it: its words stay as they are


class Resolver:
    """Answers the questions of documents, one after another."""

    def __init__(
        self,
        ledger: Reads,
        pair: Pair,
        mirror: Mirror,
        mapping_identity: str,
        answers: Mapping[str, Row],
    ) -> None:
        """Keep where to ask, and what people have already answered for this document."""
        self._ledger = ledger
        self._pair = pair
        self._mirror = mirror
        self._identity = mapping_identity
        self._answers = answers
        self._books = pair.books.company

    def resolve(self, document: Document, made: Made) -> Resolved:
        """Return the values of a document for the books.

        ``made`` has the key of each record that the document's last plan waited for and that was
        created since: it stays named by key, so that the approval does not fall for it.
        """
        out = Resolved()
        match document:
            case Invoice():
                self._invoice(document, out, made)
            case Payment():
                self._payment(document, out)
            case CreditMemo():
                out.find("unsupported", "Credit memos are not posted yet.", "Post it by hand.")
        return out

    # -- invoices -----------------------------------------------------------------------------

    def _invoice(self, invoice: Invoice, out: Resolved, made: Made) -> None:
        code = invoice.currency.code
        out.customer = self._party(invoice.customer, invoice.source, code, out)
        out.values = {
            "customer": _named("customer", out.customer, out.needs, made),
            "date": plain(invoice.date),
            "currency": code,
            "prices": self._prices(invoice),
            "memo": invoice.memo,
            "lines": [
                self._line(line, invoice, n, out, made) for n, line in enumerate(invoice.lines, 1)
            ],
            "custom_fields": self._custom_fields(invoice, out),
        }
        optional: dict[str, Plain] = {
            "due_date": plain(invoice.due_date),
            "number": invoice.number if self._pair.numbers_ours else None,
            "message": invoice.message or None,
            "email": invoice.email,
            "project": invoice.project,
            "terms": self._id_of("term", invoice.terms, out),
        }
        if invoice.tax.by is TaxBy.OURS and invoice.tax.amount is not None:
            optional["tax"] = plain(invoice.tax.amount.amount)
        for name, value in invoice.target.items():
            optional[name] = self._id_of(name, str(value), out) if value is not None else None
        out.values.update({name: value for name, value in optional.items() if value is not None})

    def _prices(self, invoice: Invoice) -> str:
        if invoice.tax.prices is Prices.INCLUSIVE:
            return "inclusive"
        return "exclusive" if any(line.tax_code for line in invoice.lines) else "untaxed"

    def _line(
        self, line: Line, invoice: Invoice, n: int, out: Resolved, made: Made
    ) -> dict[str, Plain]:
        places = self._pair.books.capabilities.limit("invoice", "unit_price_places") or PLACES
        price = line.net_unit_price(places)
        if price is None:
            out.find(
                "unit-price",
                f"Line {n}: no price of {places} decimals or fewer times {line.quantity} is "
                f"{line.amount}.",
                "Change the quantity, the price or the discount in the CRM.",
                record=line.source,
            )
        item = None
        if line.item is not None:
            item = self._party(line.item, line.source or invoice.source, None, out)
        values: dict[str, Plain] = {
            "item": _named("item", item, out.needs, made),
            "description": line.description,
            "quantity": plain(line.quantity),
            "unit_price": plain(price),
            "amount": plain(line.amount.amount),
            "tax_code": self._id_of("tax_code", line.tax_code, out),
        }
        for name, value in line.extra.items():
            is_plain = name == "service_date" or value is None
            values[name] = value if is_plain else self._id_of(name, str(value), out)
        return {name: value for name, value in values.items() if value not in (None, "")}

    def _custom_fields(self, invoice: Invoice, out: Resolved) -> dict[str, Plain]:
        found: dict[str, Plain] = {}
        for name, words in invoice.custom_fields.items():
            definition = self._id_of("custom_field", name, out)
            if definition is not None:
                found[definition] = words
        return found

    # -- payments -----------------------------------------------------------------------------

    def _payment(self, payment: Payment, out: Resolved) -> None:
        """Apply a payment to the invoice of the deal that it pays, as far as that is open (R17)."""
        invoice = self._invoice_of(payment.pays)
        if invoice is None:
            out.find(
                "invoice-not-posted",
                f"The invoice of {payment.pays} is not in the books yet.",
                "Nothing to do: the payment follows its invoice.",
                record=payment.pays,
            )
            return
        row = self._shown_invoice(invoice["posted_id"])
        shown = {} if row is None else fields_of(row["fields"])
        if row is None or not row["live"] or row["gone"]:
            out.find(
                "invoice-voided",
                f"The invoice of {payment.pays} is voided or deleted in the books.",
                "Re-issue the invoice, or record the payment by hand.",
                record=payment.pays,
            )
            return
        out.customer = str(shown["customer"])
        if shown.get("currency") not in (None, payment.currency.code):
            out.find(
                "currency",
                f"The payment is in {payment.currency.code}, its invoice in {shown['currency']}.",
                "Correct the payment's currency in the CRM.",
                record=payment.source,
            )
        taken = promised(self._ledger, self._pair, payment, invoice["posted_id"])
        open_amount = max(shown["balance"] - taken, Decimal(0))
        applied = min(payment.amount.amount, open_amount)
        if applied < payment.amount.amount:
            out.find(
                "overpayment",
                f"The payment of {payment.amount} is more than the {open_amount} that is open.",
                "The rest stays unapplied with the customer.",
                severity=Severity.WARN,
                record=payment.source,
            )
        allocations: list[Plain] = [
            {"kind": "invoice", "id": invoice["posted_id"], "amount": plain(applied)}
        ]
        values: dict[str, Plain] = {
            "customer": out.customer,
            "date": plain(payment.date),
            "currency": payment.currency.code,
            "amount": plain(payment.amount.amount),
            "method": self._id_of("payment_method", payment.method, out),
            "deposit_to": self._id_of("account", payment.deposit_to, out),
            "reference": payment.reference,
            "memo": payment.memo,
            "allocations": allocations if applied > 0 else [],
        }
        out.values = {name: value for name, value in values.items() if value is not None}

    def _invoice_of(self, deal: Ref) -> Row | None:
        """Return the posted invoice of a deal, else that of a deal that was merged into it."""
        held = self._ledger.one("snapshot_get", pair=self._pair.name, **address_of(deal))
        merged = str((fields_of(held["fields"]) if held else {}).get("merged_ids") or "")
        for number in (deal.id, *filter(None, merged.split(";"))):
            present: dict[str, Row] = {}
            source = source_address(Ref(deal.company, deal.kind, number))
            for row in self._ledger.all("documents_of_source", **source):
                if row["kind"] == "invoice":
                    present.setdefault(row["part"], row)
            posted = [row for row in present.values() if row["posted_id"] is not None]
            if len(posted) > 1:
                return self._earliest_open(posted)
            if posted:
                return posted[0]
        return None

    def _earliest_open(self, invoices: list[Row]) -> Row:
        """Return the earliest of a deal's parts that has a balance; the last where none has."""
        shown = [
            (row["day"], invoice["key"], fields_of(row["fields"]).get("balance"), invoice)
            for invoice in invoices
            for row in [self._shown_invoice(invoice["posted_id"])]
            if row is not None and row["live"] and not row["gone"]
        ]
        ordered = sorted(shown, key=lambda each: each[:2])
        is_open = [invoice for _, _, balance, invoice in ordered if balance]
        return is_open[0] if is_open else ordered[-1][-1] if ordered else invoices[0]

    def _shown_invoice(self, number: str) -> Row | None:
        return self._ledger.one("mirror_get", company=self._books, kind="invoice", id=number)

    # -- records of the books -----------------------------------------------------------------

    def _party(
        self,
        wanted: Match,
        asking: Ref,
        currency: str | None,
        out: Resolved,
    ) -> str | None:
        """Return the id of a customer or item, or the key of the plan that will create it."""
        rows = self._mirror.of(wanted.kind)
        suffix = _suffix(wanted, asking)
        chosen = self._answers.get(f"no-{suffix}") or self._answers.get(f"which-{suffix}")
        choice = None if chosen is None else str(chosen["answer"])
        for record in rows.asked("id", choice) if choice is not None else ():
            self._check_active(Found(record.ref, "choice", record=record), out)
            self._check_currency(record, currency, out)
            return record.ref.id
        bound = {}
        if wanted.source is not None:
            held = self._bound(wanted.source, currency)
            bound = (
                {}
                if held is None
                else {rule.value: held for rule in wanted.rules if rule.by == BOUND}
            )
        answer = match(wanted, rows, bound, currency)
        if isinstance(answer, Found):
            self._check_active(answer, out)
            return answer.ref.id
        if isinstance(answer, Ambiguous) and choice != "create":
            self._ask_which(wanted, answer, asking, out)
            return None
        if wanted.none == "create" or choice == "create":
            return self._new(wanted, asking, currency, out)
        self._absent(wanted, asking, out)
        return None

    def _bound(self, source: Ref, currency: str | None) -> str | None:
        held = self._ledger.value(
            "binding_get",
            company=source.company,
            kind=source.kind,
            id=source.id,
            books=self._books,
            currency=currency or "",
        )
        return None if held is None else str(held)

    def _check_active(self, found: Found, out: Resolved) -> None:
        fields = found.record.fields if found.record is not None else {}
        if fields.get("active") is False:
            out.find(
                f"inactive-{found.ref.kind}",
                f"{found.ref} {fields.get('name')!r} is inactive in the books.",
                "Make it active there, or let the mapping find another.",
                record=found.ref,
                line=found.line,
            )

    def _check_currency(self, chosen: Record, currency: str | None, out: Resolved) -> None:
        """Find a chosen customer that is kept in another currency, which cannot be (R16)."""
        held = chosen.fields.get("currency")
        if currency is not None and held not in (None, currency):
            out.find(
                "customer-currency",
                f"{chosen.ref} {chosen.fields.get('name')!r} is kept in {held}, not in {currency}.",
                "Make the customer in that currency in the books, or correct the deal's.",
                record=chosen.ref,
            )

    def _ask_which(self, wanted: Match, answer: Ambiguous, asking: Ref, out: Resolved) -> None:
        ids = tuple(ref.id for ref in answer.refs[:CHOICES_SHOWN])
        out.find(
            f"which-{_suffix(wanted, asking)}",
            f"{len(answer.refs)} records of the books could be the {wanted.kind} ({answer.by}): "
            f"{', '.join(ids)}.",
            "Choose one with `tieout tasks answer`.",
            severity=Severity.ASK if wanted.many == "ask" else Severity.BLOCK,
            record=asking,
            line=answer.line or wanted.line,
            choices=(*ids, "create"),
        )

    def _absent(self, wanted: Match, asking: Ref, out: Resolved) -> None:
        clues = ", ".join(f"{rule.by} {rule.value!r}" for rule in wanted.rules if rule.by != BOUND)
        asks = wanted.none == "ask"
        out.find(
            f"no-{_suffix(wanted, asking)}",
            f"No {wanted.kind} of the books has {clues or 'any of the clues'}.",
            "Answer with an id or `create`, or add it in the books."
            if asks
            else "Add it in the books, or correct the record in the CRM.",
            severity=Severity.ASK if asks else Severity.BLOCK,
            record=asking,
            line=wanted.line,
            choices=((*(("create",) if wanted.create.get("name") else ()), ANY_ID) if asks else ()),
        )

    def _new(self, wanted: Match, asking: Ref, currency: str | None, out: Resolved) -> str | None:
        """Return the key of the plan that creates a record; dependants of one name share it."""
        values = dict(wanted.create)
        other = values.pop("name_in_other_currency", None)
        name = str(values.get("name") or "")
        if not name:
            self._absent(wanted, asking, out)
            return None
        planned = self._planned(wanted.kind, name, currency, out)
        if planned is None and self._name_taken(wanted.kind, name):
            name = str(other or "")
            planned = self._planned(wanted.kind, name, currency, out) if name else None
            if not name or (planned is None and self._name_taken(wanted.kind, name)):
                out.find(
                    "name-taken",
                    f"The books have {values['name']!r} already, as another {wanted.kind}, a "
                    "vendor, an employee, or in another currency.",
                    "Rename one of the two, or give name_in_other_currency in the mapping.",
                    record=asking,
                    line=wanted.line,
                )
                return None
            values["name"] = name
        source = wanted.source or asking
        own = Key.of(
            source,
            mapping=self._identity,
            document=wanted.kind,
            target_company=self._books,
            part=currency or "",
        )
        key = planned or own
        self._resolve_new(wanted.kind, values, out)
        new = NewRecord(key, wanted.kind, source, values, currency, shared=key != own)
        out.needs.setdefault(str(key), new)
        return str(key)

    def _resolve_new(self, kind: str, values: dict[str, Plain], out: Resolved) -> None:
        """Turn the names in a new record's values into ids."""
        if values.get("tax_id") is not None:
            values["tax_number"] = values.pop("tax_id")
        if values.get("terms") is not None:
            values["terms"] = self._id_of("term", str(values["terms"]), out)
        if kind == "item":
            account = values.get("income_account") or self._pair.default_income_account
            values["income_account"] = self._id_of("account", str(account or ""), out)
            if not account:
                out.find(
                    "no-income-account",
                    f"The new item {values['name']!r} has no income account (R20).",
                    "Name `income_account` for the books in tieout.yaml, or in the mapping.",
                )

    def _planned(self, kind: str, name: str, currency: str | None, out: Resolved) -> Key | None:
        """Return the key of the plan that already creates this record in this currency."""
        for new in out.needs.values():
            if (new.kind, folded(str(new.values["name"])), new.currency) == (
                kind, folded(name), currency,
            ):  # fmt: skip
                return new.key
        is_held = self._in_the_books(kind, name)  # then a plan that was not sent has come too late
        rows = self._ledger.all(
            "planned_by_name", pair=self._pair.name, kind=kind, name=folded(name)
        )
        return next(
            (
                Key.parse(row["key"])
                for row in rows
                if row["currency"] == currency and not (is_held and row["state"] in UNSENT)
            ),
            None,
        )

    def _name_taken(self, kind: str, name: str) -> bool:
        """Whether the books have the name, or a plan creates it in another currency."""
        planned = self._ledger.all(
            "planned_by_name", pair=self._pair.name, kind=kind, name=folded(name)
        )
        return self._in_the_books(kind, name) or bool(planned)

    def _in_the_books(self, kind: str, name: str) -> bool:
        kinds = NAME_HOLDERS if kind in NAME_HOLDERS else (kind,)
        return any(self._mirror.asked(holder, "name", name) for holder in kinds)

    def _id_of(self, kind: str, name: str | None, out: Resolved) -> str | None:
        """Return the id of a record of the books by its name or id; a finding when absent."""
        if not name:
            return None
        found = self._mirror.asked(kind, "name", name) or self._mirror.asked(kind, "id", name)
        active = [row for row in found if row.fields.get("active") is not False]
        if active:
            return active[0].ref.id
        why = "is inactive in the books" if found else "is not in the books"
        words = kind.replace("_", " ")
        out.find(
            f"no-{kind.replace('_', '-')}",
            f"The {words} {name!r} {why}.",
            f"Add or reactivate the {words} there, or correct its name in the mapping.",
        )
        return None


def _suffix(wanted: Match, asking: Ref) -> str:
    """Return what tells one question from another: each line asks for its own item."""
    return wanted.kind if wanted.kind == "customer" else f"{wanted.kind}-{asking.id}"


def _named(kind: str, found: str | None, needs: Mapping[str, NewRecord], made: Made) -> Plain:
    """Return a reference: an id, or the key of the plan that creates or created the record."""
    if found is None:
        return None
    key = found if found in needs else made.get((kind, found))
    return found if key is None else {"key": key}
