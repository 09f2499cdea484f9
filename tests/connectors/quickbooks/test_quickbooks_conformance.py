"""QuickBooks Online keeps the contract that every connector keeps."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from connectors.quickbooks import QuickBooks
from tieout.conformance import SPELLINGS, Bench, Calls, ConnectorConformance, Fault
from tieout.model.contract import Opening
from tieout.model.ref import Key, Ref, crockford
from tieout.simulator.clock import SimulatedClock
from tieout.simulator.quickbooks import (
    NO_LIMITS,
    Authority,
    QuickBooksCompany,
    deeds,
    quickbooks_app,
    seed_company,
    writing,
)

REALM = "913"
START = datetime(2026, 3, 31, 12, tzinfo=UTC)
NAME = "Søn's “Ägir” 株式会社"
ENTITIES = {
    "customer": "Customer",
    "item": "Item",
    "invoice": "Invoice",
    "payment": "Payment",
    "credit_memo": "CreditMemo",
    "refund": "RefundReceipt",
    "vendor": "Vendor",
    "employee": "Employee",
    "term": "Term",
    "class": "Class",
    "department": "Department",
    "payment_method": "PaymentMethod",
    "account": "Account",
}
TRANSACTIONS = ("invoice", "payment", "credit_memo", "refund")
LINE = {"item": "2", "quantity": "3", "unit_price": "33.33", "amount": "99.99"}
SPELT = {
    **SPELLINGS,
    Fault.OMIT_ITEM: {"fault": "omit_batch_item"},
    Fault.REORDER: {"fault": "reorder_batch"},
    Fault.SHORT_PAGE: {"fault": "short_page"},
    Fault.WRONG_PAGE: {"fault": "duplicate_page"},
}


class QuickBooksBench(Bench):
    """Books in Germany, where an accountant works, and a session with them."""

    reads = Calls(path="^/v3/", body=r"\A\Z|\A(?i:select)|\"Query\"")
    writes = Calls(
        path="/(batch|customer|item|invoice|payment|creditmemo)$", body=r"\A\{(?!.*\"Query\")"
    )
    spellings = SPELT
    many = 1050
    kinds = tuple(ENTITIES)
    removed_kinds = TRANSACTIONS  # what is in a list is never deleted (R5)
    merged_kinds = ()  # the API tells of no merge
    copied_kinds = ("customer", *TRANSACTIONS)
    roles = ()  # a mapping asks the CRM alone what belongs to what

    def __init__(self, stage):
        super().__init__(stage.url, "signs-our-calls")
        self.clock = SimulatedClock(START)
        self.company = seed_company(
            QuickBooksCompany(
                realm_id=REALM,
                now=self.clock,
                country="DE",
                home_currency="EUR",
                multicurrency=True,
            ),
            customers=1,
        )
        self.authority = Authority(now=self.clock, static_tokens={self.token: REALM})
        stage.app = quickbooks_app(self.company, authority=self.authority, limits=NO_LIMITS)
        self.connector = self.opened(stage.url)

    def opened(self, url):
        return QuickBooks.open(
            Opening(REALM, cutover_date=date(2026, 1, 1)),
            urls={"api": url},
            credentials=self.credentials,
            now=self.now,
            sleep=self.sleep,
        )

    def now(self):
        return self.clock()

    def sleep(self, secs):
        super().sleep(secs)
        self.clock.advance(secs)

    def accept(self, token):
        self.authority.static_tokens = {token: REALM}

    def plant(self, kind, number):
        return self.make(kind, self._body(kind, number))

    def edit(self, ref, number):
        name = {"customer": "Notes", "item": "Description", "account": "Description"}
        changed = name.get(ref.kind, "PrivateNote" if ref.kind in TRANSACTIONS else "")
        names = {"vendor": "DisplayName", "employee": "DisplayName"}
        changed = changed or names.get(ref.kind, "Name")
        self.deed("edit", ref, changes={changed: f"Edited {number}"})

    def remove(self, ref):
        self.deed("delete", ref)

    def copy(self, ref):
        held = self.held(ref)
        left_behind = {"Id", "SyncToken", "MetaData", "DocNumber", "LinkedTxn", "TxnTaxDetail"}
        body = {name: value for name, value in held.items() if name not in left_behind}
        if ref.kind == "customer":
            body["DisplayName"] += " (copy)"
        return self.make(ref.kind, body)

    def count(self, kind):
        return len(self.company.tables[ENTITIES[kind]].rows)

    def truth(self, ref):
        held = self.held(ref)
        match ref.kind:
            case "customer" | "vendor" | "employee":
                return {"name": held["DisplayName"], "active": True}
            case "item":
                return {"name": held["Name"], "unit_price": Decimal("0.07")}
            case "payment":
                return {"total": Decimal("0.29"), "reference": held["PaymentRefNum"]}
            case kind if kind in TRANSACTIONS:
                net, tax = Decimal("1900.07"), Decimal("361.01")
                return {"net": net, "tax": tax, "total": net + tax, "memo": NAME}
            case _:
                return {"name": held["Name"], "active": True}

    def planted_on(self, kind, day):
        body = {**self._body(kind, self.number()), "TxnDate": day.isoformat()}
        return {self.make(kind, body): "date"}

    def new_values(self, kind, number):
        match kind:
            case "customer":
                return {"name": f"{NAME} new {number}", "currency": "EUR"}
            case "item":
                return {"name": f"{NAME} new {number}", "income_account": "5"}
            case "invoice" | "credit_memo":
                lines = [{**LINE, "tax_code": "1", "description": NAME}]
                return {**self._sold(number), "prices": "exclusive", "lines": lines}
            case _:
                return {**self._sold(number), "amount": "0.29"}

    def other_values(self, kind, number):
        match kind:
            case "customer":
                return {"phone": f"+47 {number}"}
            case "item":
                return {"description": f"Written {number}"}
            case "invoice":
                sold = {"description": f"{NAME} written {number}", "tax_code": "1"}
                return {"memo": f"Written {number}", "lines": [{**LINE, **sold}]}
            case _:
                return {"memo": f"Written {number}"}

    def refused_values(self, kind, number):
        match kind:
            case "customer":
                return {"name": f"not : a name {number}"}
            case "item":
                return {"income_account": "999999"}
            case _:
                return {"customer": "999999"}

    def texts(self, kind):
        formed = {"number", "email"}  # numbers are the books' own here, and an address has a form
        return {name: limit for name, limit in super().texts(kind).items() if name not in formed}

    def make(self, kind, body):
        with self.company.lock:
            made = writing.create(self.company, ENTITIES[kind], body, by_hand=True)
        return Ref(f"quickbooks:{REALM}", kind, made["Id"])

    def deed(self, name, ref, **more):
        told = {"deed": name, "kind": ENTITIES[ref.kind], "id": ref.id, **more}
        with self.company.lock:
            deeds.play(self.company, told)

    def held(self, ref):
        return self.company.find(ENTITIES[ref.kind], ref.id).body

    def _sold(self, number):
        return {"customer": "1", "date": "2026-03-31", "currency": "EUR", "memo": f"Deal {number}"}

    def _body(self, kind, number):
        name = f"{NAME} {number}"
        marker = Key(crockford(name)).marker
        sold = {
            "CustomerRef": {"value": "1"},
            "CurrencyRef": {"value": "EUR"},
            "TxnDate": "2026-03-30",
            "PrivateNote": f"{NAME} {marker}",
        }
        match kind:
            case "customer":
                return {"DisplayName": name, "Notes": marker, "CurrencyRef": {"value": "EUR"}}
            case "vendor":
                return {"DisplayName": name}
            case "employee":
                return {"DisplayName": name, "GivenName": "Ada", "FamilyName": f"Byron {number}"}
            case "item":
                income = {"IncomeAccountRef": {"value": "5"}, "UnitPrice": Decimal("0.07")}
                return {"Name": name, "Type": "Service", **income}
            case "payment":
                return {**sold, "TotalAmt": Decimal("0.29"), "PaymentRefNum": f"R'{number}"}
            case kind if kind in TRANSACTIONS:
                detail = {"ItemRef": {"value": "2"}, "TaxCodeRef": {"value": "1"}}
                line = {"Amount": Decimal("1900.07"), "DetailType": "SalesItemLineDetail"}
                lines = [{**line, "SalesItemLineDetail": detail}]
                bank = {"DepositToAccountRef": {"value": "1"}} if kind == "refund" else {}
                return {**sold, **bank, "GlobalTaxCalculation": "TaxExcluded", "Line": lines}
            case "account":
                return {"Name": name, "AccountType": "Bank", "AccountSubType": "Checking"}
            case "term":
                return {"Name": name, "DueDays": 30}
            case _:
                return {"Name": name}


class TestQuickBooks(ConnectorConformance):
    @pytest.fixture
    def bench(self, stage):
        bench = QuickBooksBench(stage)
        yield bench
        bench.connector.close()
