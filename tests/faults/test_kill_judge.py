"""The judge of killed processes notices what is really wrong, with whichever CRM."""

from hashlib import sha256

import pytest
from kill_crms import CRMS
from kill_documents import PDF, with_files
from kill_judge import File, Judged, judge

COUNTED = ("duplicates", "lost", "off", "customers_twice", "untold", "tasks")


@pytest.mark.parametrize("system", CRMS)
def test_what_is_really_wrong_on_either_side_is_counted(system, tmp_path):
    with CRMS[system].open(tmp_path) as crm:
        world = crm.world
        with_files(world.files[0], tmp_path / world.files[0].name)
        world.files = (tmp_path / world.files[0].name, *world.files[1:])
        first, second = crm.sell(), crm.sell()
        crm.attach(first, "Contract.pdf", PDF)
        file = File(first, sha256(PDF).hexdigest())
        world.round(2)
        world.opened.close()
        ids = {one["po_number"]: one["id"] for one in world.invoices()}
        invoices = {deal.id: ids[deal.order] for deal in crm.deals()}

        def wrong(payments=0, files=(file,), each=1):
            found = judge(crm, tmp_path / "ledger.db", payments, each=each, files=files)
            return {name: getattr(found, name) for name in COUNTED if getattr(found, name)}

        assert wrong() == {}
        assert wrong(payments=1) == {"lost": 1}
        assert wrong(each=2) == {"lost": 2}
        assert wrong(files=[]) == {"duplicates": 1}
        assert wrong(files=[file, File(second, "of others")]) == {"lost": 1}
        crm.sell_less(second)
        assert wrong() == {"off": 1}
        crm.lose(second)
        assert wrong() == {"duplicates": 1, "off": 1, "untold": 1}
        world.books("void", id=invoices[second])
        assert wrong() == {"untold": 1}
        world.books("copy_invoice", id=invoices[first])
        assert wrong() == {"untold": 2, "duplicates": 1, "off": 1}


@pytest.mark.parametrize(
    "wrong",
    [
        {"duplicates": 1},
        {"lost": 1},
        {"off": 1},
        {"customers_twice": 1},
        {"untold": 1},
        {"tasks": ("twin",)},
        {"journal_holds": False},
    ],
)
def test_nothing_that_is_wrong_is_judged_clean(wrong):
    assert not (Judged(deals=3) + Judged(**wrong)).clean
