"""One won deal becomes one invoice, is paid, and is told."""

from decimal import Decimal


def test_a_won_deal_is_invoiced_once_and_told(world, sold):
    deal = sold()
    done = world.engine().round("main")
    assert done.error is None
    [invoice] = world.invoices()
    assert invoice["po_number"] == "PO-0001"
    assert Decimal(invoice["net"]) == Decimal(300)
    assert classes_of(world, invoice) == ["Services", "Services"]
    [told] = [one for one in world.crm_truth()["deals"] if one["id"] == deal]
    assert told["custom"]["tieout_invoice_status"] == "invoiced"
    again = world.engine().round("main")
    assert len(world.invoices()) == 1
    assert (again.pushed.done, again.error) == (0, None)


def classes_of(world, invoice):
    """The classes of an invoice and of its lines, as the books keep them."""
    body = world.company.tables["Invoice"].rows[invoice["id"]].body
    details = [line["SalesItemLineDetail"] for line in body["Line"] if line.get("LineNum")]
    return [each.get("ClassRef", {}).get("name") for each in (body, *details)]
