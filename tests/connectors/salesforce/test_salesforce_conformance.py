"""Salesforce keeps the contract that every connector keeps."""

import base64
from decimal import Decimal

import pytest
from salesforce_world import OBJECTS

from connectors.salesforce import Salesforce
from tieout.conformance import SPELLINGS, Bench, Calls, ConnectorConformance, Fault
from tieout.model.contract import Opening
from tieout.simulator.salesforce import deeds
from tieout.simulator.salesforce.fields import Field

UNIQUE = {
    "deal": "tieout_mark__c",
    "line_item": "erp_id__c",
    "company": "erp_id__c",
    "contact": "erp_id__c",
}
EDITED = {"deal": "NextStep", "line_item": "Description", "company": "Phone", "contact": "Title"}
NAME = 'Søn\'s “Ägir” 株式会社 \\ "x"'
SPELT = {
    **SPELLINGS,
    Fault.OMIT_ITEM: {"fault": "omit_item"},
    Fault.REORDER: {"fault": "reorder_results"},
    Fault.SHORT_PAGE: {"fault": "short_page"},
    Fault.WRONG_PAGE: {"fault": "wrong_page"},
}


class SalesforceBench(Bench):
    """An org where people sell, and a session with it."""

    reads = Calls(
        path=r"/(query|queryAll|describe|connect)\b|/sobjects/|/composite$",
        body=r"\A\Z|\"referenceId\":\"q0\"",
    )
    writes = Calls(
        path=r"/composite(/sobjects)?/?$|/sobjects/|/tooling/",
        body=r"\"(write|made|records|FullName|Label)\"",
    )
    file_reads = Calls(path=r"/VersionData$")
    spellings = SPELT
    remembers = False  # Salesforce has no request ids: what is created has a unique name
    roles = (  # each record has an owner, and each line a deal: these are never empty
        ("deal", "line_items"),
        ("deal", "company"),
        ("deal", "contact"),
        ("company", "contact"),
        ("company", "deal"),
        ("contact", "company"),
        ("contact", "deal"),
    )
    kinds = tuple(OBJECTS)
    history = ("deal",)  # the others are read by those who need them
    unlinked_kinds = ()
    merged_kinds = ("company", "contact")  # opportunities cannot be merged (R49)
    versioned_kinds = ()  # Salesforce takes an update whatever was read before
    copied_kinds = ()  # a unique field's value is refused to a second record

    def __init__(self, org, url, clock):
        super().__init__(url, org.open_session())
        self.org = org
        self.clock = clock
        for kind in ("OpportunityLineItem", "Account", "Contact"):
            org.add_field(kind, "ERP_Id__c", unique=True, external_id=True)
        transformers = org.faults.transformers
        transformers["short_page"] = lambda _, right, dice: _lists(right, "records", _less(dice))
        transformers["wrong_page"] = _another_page()
        transformers["omit_item"] = lambda _, right, dice: _results(right, _less(dice))
        transformers["reorder_results"] = lambda _, right, __: _results(right, _turned)
        self.connector = self.opened(url)

    def opened(self, url):
        return Salesforce.open(
            Opening(self.org.org_id, options={"page": 200}),
            urls={"api": url},
            credentials=self.credentials,
            now=self.now,
            sleep=self.sleep,
        )

    def accept(self, token):
        self.org.sessions[token] = next(iter(self.org.sessions.values()))
        for other in list(self.org.sessions):
            if other != token:
                del self.org.sessions[other]

    def plant(self, kind, number):
        fields = self._fields(kind, number)
        if kind == "line_item":
            deal = self.org.deal(won=False, Amount=None)
            return self.org.ref(kind, self.org.line(deal, **fields))
        if kind == "deal":
            return self.org.ref(kind, self.org.deal(**fields))
        return self.org.ref(kind, deeds.create(self.org, OBJECTS[kind], fields))

    def edit(self, ref, number):
        self.clock.pass_secs(1)  # a stamp has whole seconds
        deeds.edit(self.org, OBJECTS[ref.kind], ref.id, {EDITED[ref.kind]: f"Edited {number}"})

    def remove(self, ref):
        deeds.delete(self.org, OBJECTS[ref.kind], ref.id)

    def merge(self, kept, other):
        deeds.merge(self.org, OBJECTS[kept.kind], kept.id, other.id)
        return kept

    def keep_file(self, content):
        text = base64.b64encode(content).decode()
        return self.org.ref("file", deeds.attach(self.org, self.org.deal(), "Contract.pdf", text))

    def drop_file(self, ref):
        document = self.org.tables["ContentVersion"].records[ref.id]["ContentDocumentId"]
        deeds.delete(self.org, "ContentDocument", document)

    def count(self, kind):
        made = {
            "permission_set": "PermissionSet",
            "field_permission": "FieldPermissions",
            "permission_assignment": "PermissionSetAssignment",
        }
        if kind == "property":
            return sum(len(one.fields) for one in self.org.kinds.values() if not one.tooling)
        if kind in made:
            return sum(1 for _ in self.org.tables[made[kind]].alive())
        return sum(1 for _ in self.org.tables[OBJECTS[kind]].alive())

    def truth(self, ref):
        match ref.kind:
            case "deal":
                return {
                    "name": NAME,
                    "amount": Decimal("1900.07"),
                    "is_won": self.org.held(ref)["IsWon"],
                }
            case "line_item":
                return {
                    "name": "Consulting",
                    "unit_price": Decimal("0.07"),
                    "quantity": Decimal(3),
                    "total": Decimal("0.21"),
                }
            case "company":
                return {"name": NAME, "country": "NO"}
            case _:
                return {"last_name": NAME, "email": self.org.held(ref)["Email"]}

    def planted_on(self, kind, day):
        if kind == "deal":
            return {self.org.ref(kind, self.org.deal(CloseDate=day.isoformat())): "close_date"}
        deal = self.org.deal(won=False, Amount=None)
        line = self.org.line(deal, ServiceDate=day.isoformat())
        return {self.org.ref(kind, line): "service_date"}

    def relate(self, ref, role):
        match ref.kind, role:
            case "deal", "line_items":
                made = [self.org.line(ref.id, SortOrder=place) for place in (2, 1, 2)]
                return [self.org.ref("line_item", made[n]) for n in (1, 0, 2)]
            case "deal", "contact":
                others = [self.plant(role, self.number()) for _ in range(2)]
                for other in others:
                    self._join(ref, other)
                return others
            case "contact", "deal":
                others = [self.plant(role, self.number()) for _ in range(2)]
                for other in others:
                    self._join(other, ref)
                return others
            case "company", _:
                others = [self.plant(role, self.number()) for _ in range(2)]
                for other in others:
                    self._set(other, AccountId=ref.id)
                    if role == "deal":  # an account with won deals cannot be removed
                        self._set(other, StageName="Prospecting")
                return others
            case _:
                other = self.plant(role, self.number())
                self._set(ref, AccountId=other.id)
                return [other]

    def new_values(self, kind, number):
        name, label = f"Made_{number}__c", f"Made {number}"
        match kind:
            case "property":
                return {"object": "deal", "name": name, "label": label, "type": "text"}
            case "permission_set":
                return {"object": "user", "name": f"Made_{number}", "label": label}
            case "field_permission":
                self._permission_set()
                self.org.kinds["Opportunity"].add(Field(name, "string", label=label, length=80))
                self.org.tables["Opportunity"].reindex()
                return {"object": "deal", "name": name, "label": label}
            case _:
                self._permission_set()
                user = f"u{number}@x.example"
                self.org.hire("U", str(number), user, self.org.sellers_profile)
                return {"object": "user", "name": user, "label": label}

    def _permission_set(self):
        table = self.org.tables["PermissionSet"]
        if not any(one["Name"] == "Tieout" for one in table.alive()):
            deeds.create(self.org, "PermissionSet", {"Name": "Tieout", "Label": "Tieout"})

    def other_values(self, kind, number):
        match kind:
            case "deal":
                return {
                    "invoice_number": f"INV-{number}",
                    "invoice_url": f"https://x.example/{number}",
                    "invoice_status": "paid",
                    "invoice_total": f"{number}.07",
                    "invoice_balance": f"{number}",
                    "invoice_due_date": "2026-05-31",
                    "last_payment_date": "2026-05-01",
                    "invoice_error": f"It's “{number}”",
                    "invoice_checked_at": "2026-05-01T10:00:00.000Z",
                }
            case "company":
                return {"phone": f"+47 {number}", "website": f"https://{number}.example"}
            case _:
                return {"title": f"Written {number}", "phone": f"+47 {number}"}

    def name_of(self, request):
        return f"{request.change.values['object']}.{request.change.values['name']}"

    def refused_values(self, kind, number):
        if kind in ("property", "field_permission", "permission_assignment"):
            return {"name": f"No Name {number}"}
        if kind == "permission_set":
            return {"name": "n" * 300}
        return {"phone" if kind != "deal" else "invoice_number": "9" * 300}

    def clue(self, record, by):
        if by == "unique":
            name = UNIQUE[record.ref.kind]
            held = self.org.held(record.ref)
            return name, held["Tieout_Mark__c" if record.ref.kind == "deal" else "ERP_Id__c"]
        return super().clue(record, by)

    def nobody(self, kind, by):
        return super().nobody(kind, UNIQUE[kind] if by == "unique" else by)

    def _join(self, deal, contact):
        joined = {"OpportunityId": deal.id, "ContactId": contact.id, "Role": "Other"}
        deeds.create(self.org, "OpportunityContactRole", joined)

    def _set(self, ref, **fields):
        deeds.edit(self.org, OBJECTS[ref.kind], ref.id, fields)

    def _fields(self, kind, number):
        match kind:
            case "deal":
                return {
                    "Name": NAME,
                    "Amount": "1900.07",
                    "CloseDate": "2026-03-30",
                    "Tieout_Mark__c": f"MARK-{number}",
                }
            case "line_item":
                return {"Quantity": "3", "UnitPrice": "0.07", "ERP_Id__c": f"E-{number}"}
            case "company":
                return {"Name": NAME, "BillingCountry": "NO", "ERP_Id__c": f"E-{number}"}
            case _:
                email = f"c{number}@x.example"
                return {"LastName": NAME, "Email": email, "ERP_Id__c": f"E-{number}"}


def _lists(told, name, change):
    """Return an answer with each list of that name, however deep, changed."""
    if isinstance(told, dict):
        return {
            key: change(held)
            if key == name and isinstance(held, list)
            else _lists(held, name, change)
            for key, held in told.items()
        }
    return [_lists(one, name, change) for one in told] if isinstance(told, list) else told


def _results(told, change):
    """Return a write's answer with the collection's results changed."""
    if isinstance(told, list):
        return change(told)
    parts = told.get("compositeResponse", ())
    changed = [
        {**part, "body": change(part["body"])} if part["referenceId"] == "write" else part
        for part in parts
    ]
    return {**told, "compositeResponse": changed}


def _less(dice):
    def change(rows):
        left = list(rows)
        if left:
            del left[dice.randrange(len(left))]
        return left

    return change


def _turned(rows):
    return list(reversed(rows))


def _another_page():
    """Answer each page after the first with the first's rows."""
    first = []

    def change(asked, right, _):
        if "records" not in right:
            return right
        if "/query/" in asked.path or "/queryAll/" in asked.path:
            if asked.path.rstrip("/").endswith(("query", "queryAll")):
                first[:] = right["records"]
                return right
            return {**right, "records": first[: len(right["records"])]}
        return right

    return change


class TestSalesforce(ConnectorConformance):
    @pytest.fixture
    def bench(self, org, front, clock):
        bench = SalesforceBench(org, front.url, clock)
        yield bench
        bench.connector.close()
