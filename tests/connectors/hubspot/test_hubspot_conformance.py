"""HubSpot keeps the contract that every connector keeps."""

import re
from datetime import UTC, datetime, time
from decimal import Decimal
from time import sleep
from zoneinfo import ZoneInfo

import pytest

from connectors.hubspot import HubSpot
from tieout.conformance import SPELLINGS, Bench, Calls, ConnectorConformance, Fault
from tieout.model.contract import Opening
from tieout.model.ref import Ref
from tieout.model.role import way_and_label
from tieout.simulator.hubspot import Token, deeds
from tieout.simulator.hubspot.schema import custom

ZONE = "America/Los_Angeles"
OBJECTS = {
    "deal": "deals",
    "line_item": "line_items",
    "company": "companies",
    "contact": "contacts",
    "payment": "commerce_payments",
    "object": "p146000123_subscription",
    "quote": "quotes",
    "invoice": "invoices",
}
CHARGES = {"discounts": "discount", "fees": "fee", "taxes": "tax"}
UNIQUE = {
    "deal": "tieout_mark",
    "object": "tieout_mark",
    "line_item": "erp_id",
    "company": "erp_id",
    "contact": "erp_id",
}
OTHER_NAME = {
    "deal": "dealname",
    "contact": "lastname",
    "payment": "hs_internal_comment",
    "object": "tieout_invoice_number",
    "quote": "hs_title",
    "invoice": "hs_title",
}
PROVIDED = {
    "tieout_invoice_number": "string",
    "tieout_invoice_total": "number",
    "tieout_invoice_due_date": "date",
}
PAYER = 'company labelled "Paying company"'
LINKED = ["companies", "contacts", "deals", "line_items"]
NAME = "Søn's “Ägir” 株式会社"
SPELT = {
    **SPELLINGS,
    Fault.OMIT_ITEM: {"fault": "drop_item"},
    Fault.REORDER: {"fault": "reorder"},
    Fault.SHORT_PAGE: {"fault": "short_page"},
    Fault.WRONG_PAGE: {"fault": "wrong_page"},
}


class HubSpotBench(Bench):
    """A portal where people sell, and a session with it."""

    reads = Calls(
        path=r"^/crm/(?!.*/batch/(update|create)$)", body=r"\A\Z|\"(inputs|filterGroups)\""
    )
    writes = Calls(path=r"/batch/update$|^/crm/properties/", body=r"\A\{")
    file_reads = Calls(path=r"^/signed/")
    spellings = SPELT
    remembers = False  # HubSpot has no request ids: what is created has a unique name
    roles = (
        ("deal", "line_items"),
        ("deal", "company"),
        ("deal", "contact"),
        ("deal", "owner"),
        ("deal", "payments"),
        ("company", "contact"),
        ("line_item", "deal"),
        ("deal", PAYER),
        ("object", "line_items"),
        ("object", "company"),
        ("object", "owner"),
        ("line_item", "object"),
    )
    kinds = tuple(OBJECTS)
    history = (
        "deal",
        "payment",
        "object",
        "quote",
        "invoice",
    )  # the others are read by those who need them
    told_removals = ()  # search shows no archived record; `fetch` says that it is gone
    unlinked_kinds = (
        "deal",
        "company",
        "line_item",
        "object",
    )  # HubSpot says: NO_ASSOCIATIONS_FOUND
    merged_kinds = ("deal", "company", "contact", "object")
    versioned_kinds = ()  # HubSpot takes an update whatever was read before
    copied_kinds = ()  # a unique property's value is refused to a second record

    def __init__(self, portal, url):
        super().__init__(url, portal.token)
        self.portal = portal
        portal.time_zone = ZONE
        deeds.define_object(portal, "subscription", PROVIDED, LINKED)
        for kind in ("deals", OBJECTS["object"]):
            portal.define(kind, custom(name="tieout_mark", label="Mark", unique=True))
        for kind in ("line_items", "companies", "contacts"):
            portal.define(kind, custom(name="erp_id", label="ERP", unique=True))
        self.payer = portal.links.define(("deals", "companies"), "Paying company")
        for n in range(1, 4):
            portal.hire(str(n), f"o{n}@x.example", firstName="O", lastName=str(n))
        portal.faults.transformers["short_page"] = self._short
        self.connector = self.opened(url)

    def _short(self, asked, right, dice):
        """Leave one out; not of one record's own links, which have no count to show it by."""
        if re.search(r"/[0-9]+/associations/", asked.path):
            return right
        return self.portal.faults.transformers["drop_item"](asked, right, dice)

    def opened(self, url):
        options = {
            "searches_per_sec": 10_000,
            "calls_per_ten_secs": 100_000,
            "object": OBJECTS["object"],
            "object_date": "tieout_invoice_due_date",
        }
        return HubSpot.open(
            Opening(str(self.portal.portal_id), options=options),
            urls={"api": url},
            credentials=self.credentials,
            now=self.now,
            sleep=self.sleep,
        )

    def accept(self, token):
        self.portal.tokens = {token: Token()}

    def plant(self, kind, number):
        made = self.portal.create(OBJECTS[kind], self._properties(kind, number))
        return self.ref(kind, made.id)

    def edit(self, ref, number):
        held = self.held(ref)
        while self.portal.present() <= held.modified:  # a version is a millisecond, as in `feed`
            sleep(0.001)
        self.portal.update(
            OBJECTS[ref.kind], held, {OTHER_NAME.get(ref.kind, "name"): f"Edited {number}"}
        )

    def remove(self, ref):
        self.portal.archive(OBJECTS[ref.kind], self.held(ref))

    def merge(self, kept, other):
        made = self.portal.merge(OBJECTS[kept.kind], self.held(kept), self.held(other))
        return self.ref(kept.kind, made.id)

    def count(self, kind):
        if kind == "property":
            return sum(map(len, self.portal.properties.values()))
        if kind == "property_group":
            return sum(map(len, self.portal.groups.values()))
        return sum(1 for _ in self.portal.shelves[OBJECTS[kind]].live())

    def truth(self, ref):
        held = self.held(ref).values
        match ref.kind:
            case "deal":
                return {"name": held["dealname"], "amount": Decimal("1900.07"), "is_won": True}
            case "line_item":
                return {"name": NAME, "price": Decimal("0.07"), "quantity": Decimal(3)}
            case "company":
                return {"name": NAME, "country": "NO"}
            case "object":
                return {"invoice_number": NAME, "invoice_total": Decimal("0.29")}
            case "contact":
                return {"last_name": NAME, "email": held["email"]}
            case "quote" | "invoice":
                return {"name": NAME, "currency": "EUR"}
            case _:
                return {"comment": NAME, "amount": Decimal("0.29"), "status": "succeeded"}

    def planted_on(self, kind, day):
        if kind == "object":  # a plain day; deals and payments have instants
            given = {
                **self._properties(kind, self.number()),
                "tieout_invoice_due_date": day.isoformat(),
            }
            made = self.portal.create(OBJECTS[kind], given)
            return {self.ref(kind, made.id): "invoice_due_date"}
        if kind == "quote":  # HubSpot's own instant of the signature
            edges = [datetime.combine(day, one, ZoneInfo(ZONE)) for one in (time(), time(23, 59))]
            return {self._signed(edge): "signed_on" for edge in edges}
        if kind == "invoice":
            given = self._properties(kind, self.number()) | {"hs_invoice_date": day.isoformat()}
            return {self.ref(kind, self.portal.create(OBJECTS[kind], given).id): "date"}
        if kind == "line_item":  # a date property: a day as it is
            given = {"hs_recurring_billing_start_date": day.isoformat()}
            made = self.portal.create(OBJECTS[kind], self._properties(kind, self.number()) | given)
            return {self.ref(kind, made.id): "billing_start"}
        names = {"deal": "closedate", "payment": "hs_initiated_date"}
        edges = [datetime.combine(day, clock, ZoneInfo(ZONE)) for clock in (time(), time(23, 59))]
        return {
            self.ref(
                kind,
                self.portal.create(
                    OBJECTS[kind],
                    {
                        **self._properties(kind, self.number()),
                        names[kind]: instant.astimezone(UTC).isoformat(),
                    },
                ).id,
            ): "close_date" if kind == "deal" else "date"
            for instant in edges
        }

    def keep_file(self, content):
        return self.ref(
            "file", self.portal.files.keep("Contract.pdf", content, 1_700_000_000_000).id
        )

    def drop_file(self, ref):
        self.portal.files.held[int(ref.id)].archived = True

    def relate(self, ref, role):
        if role == "owner":
            self.portal.update(OBJECTS[ref.kind], self.held(ref), {"hubspot_owner_id": "2"})
            return [self.ref("owner", 2)]
        if role == "line_items":
            places = ["2", "1", None]
            lines = [self.plant("line_item", self.number()) for _ in places]
            for line, place in zip(lines, places, strict=True):
                if place:
                    self.portal.update(
                        "line_items", self.held(line), {"hs_position_on_quote": place}
                    )
                self._link(line, ref)
            return [lines[1], lines[0], lines[2]]
        if role in CHARGES:
            return self._charged(ref, role)
        way, label = way_and_label(role)
        kind = {"payments": "payment"}.get(way, way)
        size = 1 if ref.kind == "line_item" else 2
        others = [self.plant(kind, self.number()) for _ in range(size)]
        for other in others:
            self._link(ref, other, types=[self.payer] if label else ())
        if label:
            self._link(ref, self.plant(kind, self.number()))  # who is tied without it does not pay
        return others

    def _charged(self, ref, role):
        """Let a quote or an invoice have two discounts, the second in order made first."""
        made = [
            self.portal.create(role, {"hs_label": NAME, "hs_sort_order": place}) for place in "21"
        ]
        for one in made:
            self.portal.link((OBJECTS[ref.kind], role), int(ref.id), one.id)
        return [self.ref(CHARGES[role], one.id) for one in reversed(made)]

    def new_values(self, kind, number):
        named = {"object": "deal", "name": f"made_{number}", "label": f"Made {number}"}
        if kind == "property_group":
            return named
        return {**named, "type": "text", "group": "information"}

    def other_values(self, kind, number):
        names = {"contact": "last_name", "object": "invoice_number"}
        return {names.get(kind, "name"): f"Written {number}"}

    def refused_values(self, kind, number):
        if kind in ("property", "property_group"):
            return {"name": f"No Name {number}"}
        return {"no_such_property": str(number)}

    def clue(self, record, by):
        if by == "unique":
            held = self.held(record.ref).values
            return UNIQUE[record.ref.kind], held[UNIQUE[record.ref.kind]]
        return super().clue(record, by)

    def nobody(self, kind, by):
        return super().nobody(kind, UNIQUE[kind] if by == "unique" else by)

    def name_of(self, request):
        return f"{request.change.values['object']}.{request.change.values['name']}"

    def ref(self, kind, record_id):
        return Ref(f"hubspot:{self.portal.portal_id}", kind, str(record_id))

    def held(self, ref):
        return self.portal.find(OBJECTS[ref.kind], ref.id)

    def _signed(self, instant):
        held = self.held(self.plant("quote", self.number()))
        told = {"hs_esign_date": instant.astimezone(UTC).isoformat()}
        return self.ref("quote", self.portal.compute("quotes", held, told).id)

    def _link(self, one, other, types=()):
        pair = (OBJECTS[one.kind], OBJECTS[other.kind])
        self.portal.link(pair, int(one.id), int(other.id), types=types)

    def _properties(self, kind, number):
        match kind:
            case "deal":
                return {
                    "dealname": NAME,
                    "amount": "1900.07",
                    "deal_currency_code": "EUR",
                    "closedate": "2026-03-30T22:30:00Z",
                    "dealstage": "closedwon",
                    "tieout_mark": f"MARK-{number}",
                }
            case "line_item":
                return {"name": NAME, "quantity": "3", "price": "0.07", "erp_id": f"E-{number}"}
            case "company":
                return {"name": NAME, "hs_country_code": "NO", "erp_id": f"E-{number}"}
            case "object":
                return {
                    "tieout_invoice_number": NAME,
                    "tieout_invoice_total": "0.29",
                    "tieout_invoice_due_date": "2026-03-30",
                    "tieout_mark": f"MARK-{number}",
                }
            case "quote" | "invoice":
                dated = {"hs_invoice_date": "2026-03-30"} if kind == "invoice" else {}
                return {"hs_title": NAME, "hs_currency": "EUR", **dated}
            case "contact":
                email = f"c{number}@x.example"
                return {"lastname": NAME, "email": email, "erp_id": f"E-{number}"}
            case _:
                return {
                    "hs_initial_amount": "0.29",
                    "hs_internal_comment": NAME,
                    "hs_latest_status": "succeeded",
                    "hs_initiated_date": "2026-03-30T22:30:00Z",
                }


class TestHubSpot(ConnectorConformance):
    @pytest.fixture
    def bench(self, portal, front):
        bench = HubSpotBench(portal, front.url)
        yield bench
        bench.connector.close()
