"""Dynamics 365 keeps the contract that every connector keeps."""

import base64
from decimal import Decimal

import pytest

from connectors.dynamics365 import Dynamics365
from tieout.conformance import SPELLINGS, Bench, Calls, ConnectorConformance, Fault
from tieout.model.contract import Opening
from tieout.model.ref import Ref
from tieout.simulator.dynamics365 import deeds
from tieout.simulator.dynamics365.merging import merge_records
from tieout.simulator.dynamics365.org import Grant
from tieout.simulator.dynamics365.schema import Column, Key, Target

TABLES = {
    "deal": "opportunity",
    "line_item": "opportunityproduct",
    "company": "account",
    "contact": "contact",
    "crm_invoice": "invoice",
}
OTHER_NAME = {
    "opportunityproduct": "productdescription",
    "contact": "lastname",
}
NAME = "Søn's “Ägir” 株式会社"
SPELT = {
    **SPELLINGS,
    Fault.OMIT_ITEM: {"fault": "drop_item"},
    Fault.REORDER: {"fault": "reorder"},
    Fault.SHORT_PAGE: {"fault": "short_page"},
    Fault.WRONG_PAGE: {"fault": "wrong_page"},
}


class DynamicsBench(Bench):
    """An organization where people sell, and a session with it."""

    reads = Calls(path=r"^/api/data/", body=r"\A\Z|\bGET /api")
    writes = Calls(path=r"^/api/data/", body=r"\b(PATCH|POST) /api")
    file_reads = Calls(path=r"/documentbody/")
    spellings = SPELT
    remembers = False  # Dataverse has no request ids: what is created has a unique name
    many = 250  # of pages of a hundred
    roles = (
        ("deal", "line_items"),
        ("deal", "company"),
        ("deal", "contact"),
        ("deal", "owner"),
        ("deal", "invoices"),
        ("company", "contact"),
        ("line_item", "deal"),
    )
    kinds = tuple(TABLES)
    history = ("deal",)  # the others are read by those who need them
    merged_kinds = ("company", "contact")  # opportunities cannot be merged (R49)
    copied_kinds = ()  # an alternate key's value is refused to a second record
    dated_kinds = ("deal", "crm_invoice")

    def __init__(self, org):
        super().__init__(org.url, org.token)
        self.org = org
        for kind in ("opportunityproduct", "account", "contact"):
            org.define(kind, Column("new_erp", "String", max_length=50, custom=True))
            org.add_key(kind, Key("new_erp_key", ("new_erp",), ""))
        org.faults.transformers["short_page"] = self._short
        org.faults.transformers["wrong_page"] = self._wrong
        self.before = None
        self.connector = self.opened(org.url)

    def _short(self, asked, right, dice):
        """Leave a row out; a page of changes, which has no count to show it by, lacks its link."""
        if "$deltatoken" in asked.query or "track-changes" in asked.headers.get("prefer", ""):
            return {name: held for name, held in right.items() if not name.endswith("Link")}
        return self.org.faults.transformers["drop_item"](asked, right, dice)

    def _wrong(self, asked, right, _):
        """Show the page before once more, under the links of this one."""
        rows = right.get("value")
        again = self.before if "skiptoken" in asked.query else None
        self.before = rows
        return right if again is None else {**right, "value": again}

    def opened(self, url):
        options = {"calls_per_five_mins": 1_000_000, "page_rows": 100, "batch": 20}
        return Dynamics365.open(
            Opening(self.org.org_id, options=options, time_zone="Europe/Berlin"),
            urls={"api": url},
            credentials=self.credentials,
            now=self.now,
            sleep=self.sleep,
        )

    def accept(self, token):
        self.org.grants = {token: Grant()}

    def plant(self, kind, number):
        values = {k: v for k, v in self._values(kind, number).items() if v is not None}
        with self.org.lock:
            return self.ref(kind, self.org.create(TABLES[kind], values).id)

    def edit(self, ref, number):
        table = TABLES[ref.kind]
        self.org.edit(table, ref.id, **{OTHER_NAME.get(table, "name"): f"Edited {number}"})

    def remove(self, ref):
        self.org.take_away(TABLES[ref.kind], ref.id)

    def merge(self, kept, other):
        table = TABLES[kept.kind]
        with self.org.lock:
            merge_records(self.org, Target(table, kept.id), Target(table, other.id))
        return kept

    def keep_file(self, content):
        note = ("Contract.pdf", "application/pdf", base64.b64encode(content).decode())
        return self.ref("file", deeds.add_note(self.org, "opportunity", self.org.deal(), *note))

    def drop_file(self, ref):
        self.org.take_away("annotation", ref.id)

    def count(self, kind):
        if kind == "column":
            return sum(len(table.columns) for table in self.org.tables.values())
        if kind == "alternate_key":
            return sum(len(table.keys) for table in self.org.tables.values())
        return len(self.org.shelves[TABLES.get(kind, kind)].records)

    def truth(self, ref):
        match ref.kind:
            case "deal":
                return {"name": NAME, "estimated_value": Decimal("1900.07"), "is_won": True}
            case "line_item":
                return {"description": NAME, "price": Decimal("0.07"), "quantity": Decimal(3)}
            case "company":
                return {"name": NAME, "country": "NO"}
            case "contact":
                return {"last_name": NAME, "email": self.held(ref)["emailaddress1"]}
            case _:
                return {"name": NAME, "freight": Decimal("0.29")}

    def planted_on(self, kind, day):
        column = {"deal": "actualclosedate", "crm_invoice": "duedate"}[kind]
        values = {**self._values(kind, self.number()), column: day.isoformat()}
        with self.org.lock:
            made = self.org.create(TABLES[kind], {k: v for k, v in values.items() if v})
        return {self.ref(kind, made.id): "close_date" if kind == "deal" else "due_date"}

    def relate(self, ref, role):
        if role == "owner":
            with self.org.lock:
                owner = self.org.create("systemuser", {"lastname": "Byron"}).id
            self.org.edit(TABLES[ref.kind], ref.id, ownerid=Target("systemuser", owner))
            return [self.ref("owner", owner)]
        if role == "line_items":
            places = [(2, 1), (1, 9), (None, None), (1, 2)]
            lines = [self.plant("line_item", self.number()) for _ in places]
            for line, (place, number) in zip(lines, places, strict=True):
                self.org.edit(
                    "opportunityproduct",
                    line.id,
                    opportunityid=Target("opportunity", ref.id),
                    sequencenumber=place,
                    lineitemnumber=number,
                )
            return [lines[3], lines[1], lines[0], lines[2]]
        kind = {"invoices": "crm_invoice"}.get(role, role)
        several = (ref.kind, role) in {("company", "contact"), ("deal", "invoices")}
        others = sorted(self.plant(kind, self.number()) for _ in range(2 if several else 1))
        for other in others:
            self._link(ref, role, other)
        return others

    def new_values(self, kind, number):
        named = {"object": "deal", "name": f"tieout_made_{number}", "label": f"Made {number}"}
        if kind == "column":
            return {**named, "type": "text"}
        if kind == "alternate_key":
            self.org.define("opportunity", Column(f"new_k{number}", "String", max_length=50))
            return {**named, "column": f"new_k{number}"}
        named |= {"object": "organization", "name": f"made{number}"}
        if kind == "solution":
            publisher = self.asked(self.change_of("publisher"))
            (parcel,) = self.connector.prepare([publisher])
            self.connector.apply(parcel)
            return {**named, "publisher": publisher.change.values["name"]}
        return named

    def change_of(self, kind):
        from tieout.model.change import Create

        return Create(kind, self.new_values(kind, self.number()))

    def other_values(self, kind, number):
        if kind != "deal":
            return {"last_name" if kind == "contact" else "name": f"Written {number}"}
        return {
            "name": f"Written {number}",
            "invoice_number": f"B-{number}",
            "invoice_url": f"https://books.example/{number}",
            "invoice_status": "part-paid",
            "invoice_total": "2261.08",
            "invoice_balance": "0.08",
            "invoice_due_date": "2026-04-30",
            "last_payment_date": "2026-04-29",
            "invoice_error": "None",
            "invoice_checked_at": "2026-03-31T10:00:00.000Z",
        }

    def refused_values(self, kind, number):
        if kind in ("column", "alternate_key"):
            return {"name": f"No Name {number}", "column": "no_such"}
        if kind == "solution":
            return {"publisher": "nobody"}
        if kind == "publisher":
            return {"name": f"No Name {number}"}
        return {"no_such_column": str(number)}

    def texts(self, kind):
        known = super().texts(kind)
        return {name: limit for name, limit in known.items() if name != "invoice_url"}

    def clue(self, record, by):
        if by == "unique":
            if record.ref.kind == "deal":
                return "mark", self.held(record.ref)["tieout_mark"]
            return "new_erp", self.held(record.ref)["new_erp"]
        return super().clue(record, by)

    def nobody(self, kind, by):
        return super().nobody(kind, {"deal": "mark"}.get(kind, "new_erp") if by == "unique" else by)

    def name_of(self, request):
        return f"{request.change.values['object']}.{request.change.values['name']}"

    def ref(self, kind, record_id):
        return Ref(f"dynamics365:{self.org.org_id}", kind, str(record_id))

    def held(self, ref):
        return self.org.record(TABLES[ref.kind], ref.id).values

    def _link(self, ref, role, other):
        match ref.kind, role:
            case "company", "contact":
                target = Target("account", ref.id)
                self.org.edit("contact", other.id, parentcustomerid=target)
            case "deal", "invoices":
                target = Target("opportunity", ref.id)
                self.org.edit("invoice", other.id, opportunityid=target)
            case "line_item", "deal":
                target = Target("opportunity", other.id)
                self.org.edit("opportunityproduct", ref.id, opportunityid=target)
            case _:
                table = TABLES[other.kind]
                target = Target(table, other.id)
                self.org.edit("opportunity", ref.id, **{f"parent{table}id": target})

    def _values(self, kind, number):
        match kind:
            case "deal":
                return {
                    "name": NAME,
                    "statecode": 1,
                    "statuscode": 3,
                    "estimatedvalue": Decimal("1900.07"),
                    "actualclosedate": "2026-03-31",
                    "transactioncurrencyid": self.org.euro,
                    "tieout_mark": f"MARK{number}",
                }
            case "line_item":
                return {
                    "productdescription": NAME,
                    "isproductoverridden": True,
                    "quantity": Decimal(3),
                    "priceperunit": Decimal("0.07"),
                    "transactioncurrencyid": self.org.euro,
                    "new_erp": f"E{number}",
                }
            case "company":
                return {"name": NAME, "address1_country": "NO", "new_erp": f"E{number}"}
            case "contact":
                email = f"c{number}@x.example"
                return {"lastname": NAME, "emailaddress1": email, "new_erp": f"E{number}"}
            case _:
                return {
                    "name": NAME,
                    "invoicenumber": f"I{number}",
                    "freightamount": Decimal("0.29"),
                    "duedate": "2026-04-30",
                    "transactioncurrencyid": self.org.euro,
                }


class TestDynamics365(ConnectorConformance):
    @pytest.fixture
    def bench(self, org):
        bench = DynamicsBench(org)
        yield bench
        bench.connector.close()
