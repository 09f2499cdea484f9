"""Brook's connector keeps the contract that every connector keeps."""

from datetime import datetime, time
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from brook_crm import ACCOUNT, BrookCrm, brook_app
from brook_tieout import KINDS, Brook, forms

from tieout.conformance import SPELLINGS, Bench, Calls, ConnectorConformance, Fault
from tieout.model.contract import Opening
from tieout.model.ref import Ref
from tieout.simulator.serving import serve

ZONE = "America/Los_Angeles"
NAME = "Søn's 株式会社"
LATE_IN_MARCH = 1_774_920_600_000  # 2026-03-30 18:30 in Los Angeles, the 31st in UTC
SPELT = {
    **SPELLINGS,
    Fault.SHORT_PAGE: {"fault": "drop_row"},
    Fault.WRONG_PAGE: {"fault": "wrong_page"},
}


class BrookBench(Bench):
    reads = Calls(body=r"\A\Z")
    writes = Calls(body=r"\A\{")
    spellings = SPELT
    remembers = False  # Brook knows no request ids; an update says the same again
    merged_kinds = ()  # Brook merges nothing
    versioned_kinds = ()  # and takes an update whatever was read before
    roles = (("deal", "lines"), ("deal", "company"), ("line", "deal"), ("payment", "deal"))

    def __init__(self, url, crm):
        super().__init__(url, crm.key)
        self.crm = crm
        self.connector = self.opened(url)

    def opened(self, url):
        return Brook.open(
            Opening(ACCOUNT, time_zone=ZONE),
            urls={"api": url},
            credentials=self.credentials,
            now=self.now,
            sleep=self.sleep,
        )

    def accept(self, token):
        self.crm.key = token

    def plant(self, kind, number):
        made = {
            "deal": {"title": NAME, "cents": "190007", "currency": "EUR"},
            "line": {"title": NAME, "cents": "7", "count": 3},
            "company": {"title": NAME, "country": "NO"},
            "payment": {"reference": NAME, "cents": "29", "currency": "EUR"},
        }[kind]
        if kind == "deal":
            won = number % 2 == 0
            made = {**made, "won": won, "mark": f"MARK-{number}", "closed": LATE_IN_MARCH}
        return self.ref(kind, self.crm.make(KINDS[kind]["path"], **made))

    def edit(self, ref, number):
        name = "reference" if ref.kind == "payment" else "title"
        self.crm.change(KINDS[ref.kind]["path"], ref.id, **{name: f"Edited {number}"})

    def remove(self, ref):
        self.crm.change(KINDS[ref.kind]["path"], ref.id, deleted=True)

    def copy(self, ref):
        held = self.crm.rows["deals"][ref.id]
        return self.ref("deal", self.crm.make("deals", title=NAME, mark=held["mark"]))

    def count(self, kind):
        return len(self.crm.live(KINDS[kind]["path"]))

    def truth(self, ref):
        if ref.kind == "deal":
            won = self.crm.rows["deals"][ref.id]["won"]
            return {"name": NAME, "amount": Decimal("1900.07"), "is_won": won}
        return {
            "line": {"name": NAME, "price": Decimal("0.07"), "quantity": Decimal(3)},
            "company": {"name": NAME, "country": "NO"},
            "payment": {"reference": NAME, "amount": Decimal("0.29")},
        }[ref.kind]

    def planted_on(self, kind, day):
        field, vendors = ("close_date", "closed") if kind == "deal" else ("date", "paid")
        made = {}
        for clock in (time(), time(23, 59)):
            ref = self.plant(kind, self.number())
            instant = datetime.combine(day, clock, ZoneInfo(ZONE))
            self.crm.change(KINDS[kind]["path"], ref.id, **{vendors: forms.millis(instant)})
            made[ref] = field
        return made

    def relate(self, ref, role):
        if role == "lines":
            lines = [self.plant("line", self.number()) for _ in range(3)]
            for line in lines:
                self.crm.change("lines", line.id, deal=ref.id)
            return lines
        other = self.plant(role, self.number())
        self.crm.change(KINDS[ref.kind]["path"], ref.id, **{role: other.id})
        return [other]

    def new_values(self, kind, number):
        raise NotImplementedError("Nothing is created in Brook.")

    def other_values(self, kind, number):
        return {
            "name": f"Written {number}",
            "invoice_number": f"B-{number}",
            "invoice_status": "part-paid",
            "invoice_total": "2261.08",
            "invoice_checked_at": "2026-03-31T10:00:00.000Z",
        }

    def refused_values(self, kind, number):
        return {"name": "refuse me"}

    def ref(self, kind, row_id):
        return Ref(f"brook:{ACCOUNT}", kind, row_id)


@pytest.fixture(scope="module")
def served():
    crm = BrookCrm()
    with serve(brook_app(crm)) as served:
        yield served.url, crm


class TestBrook(ConnectorConformance):
    @pytest.fixture
    def bench(self, served):
        url, crm = served
        crm.start_afresh()
        bench = BrookBench(url, crm)
        yield bench
        bench.connector.close()
