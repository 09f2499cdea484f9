"""A mapping compiles whole, or tells every mistake with its line and what may have been meant."""

from collections.abc import Callable

import pytest

from mapping.compiler import load
from mapping.mistake import Mistakes
from mapping.rules import InvoiceRules, Mapping, PaymentRules
from tieout.model.role import way_and_label


def test_a_compiled_mapping_knows_what_it_reads(compiled: Callable[..., Mapping]) -> None:
    mapping = compiled()
    assert mapping.reads == {
        "deal": {
            "name", "is_won", "close_date", "amount", "currency", "pipeline", "stage",
            "invoice_number", "invoice_balance", "invoice_checked_at",
        },
        "company": {"name", "city", "country"},
        "contact": {"email"},
        "line_item": {"sku", "quantity", "price", "discount_percent"},
    }  # fmt: skip


def test_a_compiled_mapping_knows_its_roles(compiled: Callable[..., Mapping]) -> None:
    roles = [
        (role.name, role.of, role.role, role.kind, role.optional, role.many)
        for role in compiled().roles
    ]
    assert roles == [
        ("company", "deal", "company", "company", False, False),
        ("contact", "deal", "contact", "contact", True, False),
        ("lines", "deal", "line_items", "line_item", False, True),
    ]
    assert compiled().names == {
        "deal": "deal",
        "company": "company",
        "contact": "contact",
        "lines": "line_item",
    }


def test_a_role_may_name_the_label_that_the_tie_bears(compiled: Callable[..., Mapping]) -> None:
    roles = compiled(
        ("  contact: deal.contact?", '  contact: deal.contact labelled "Billing contact"?'),
        ("  lines: deal.line_items[]", '  lines: deal.line_items labelled "Sold"[]'),
    ).roles
    assert [(role.role, role.kind, role.label, role.optional, role.many) for role in roles] == [
        ("company", "company", "", False, False),
        ('contact labelled "Billing contact"', "contact", "Billing contact", True, False),
        ('line_items labelled "Sold"', "line_item", "Sold", False, True),
    ]
    assert [way_and_label(role.role) for role in roles] == [
        ("company", ""),
        ("contact", "Billing contact"),
        ("line_items", "Sold"),
    ]


def test_what_is_left_out_has_its_plain_meaning(compiled: Callable[..., Mapping]) -> None:
    rules = compiled().document
    assert isinstance(rules, InvoiceRules)
    assert (rules.customer.none, rules.customer.many, rules.tax.prices, rules.tax.by) == (
        "ask",
        "ask",
        "exclusive",
        "books",
    )
    assert rules.customer.source == "company"


def test_a_hash_follows_the_meaning_and_not_the_tests(compiled: Callable[..., Mapping]) -> None:
    tests = 'tests: [{name: a, given: {deal: {id: "1"}}, expect: skipped}]\n'
    same = compiled(("tables:", f"{tests}tables:"))
    other = compiled(("S19", "S7"))
    assert compiled().hash == same.hash != other.hash


def test_a_renamed_mapping_keeps_its_identity(compiled: Callable[..., Mapping]) -> None:
    mapping = compiled(("mapping: deals", "mapping: sales\nrenamed_from: deals"))
    assert (mapping.name, mapping.identity) == ("sales", "deals")


def test_a_source_may_have_another_name_in_formulas(
    known_fields: dict[str, dict[str, str]],
) -> None:
    text = """\
mapping: paid
version: 1
from: hubspot.payment as money
to: payment
with: {deal: money.deal}
payment: {pays: =invoice_of(deal), amount: =money.amount, date: =money.date, currency: EUR}
"""
    mapping = load(text, known_fields)
    assert (mapping.kind, mapping.source) == ("payment", "money")
    assert mapping.document == PaymentRules("deal", mapping.document.cells)


def test_a_file_declares_the_fields_that_a_portal_added(compiled: Callable[..., Mapping]) -> None:
    mapping = compiled(
        ("with:", "fields: {deal: {po: text}}\nwith:"),
        ("memo: =join", "purchase_order: =deal.po\n  memo: =join"),
    )
    assert mapping.declared == {"deal": {"po": "text"}}
    assert "po" in mapping.reads["deal"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("=company.name\n    create", "=company.nmae\n    create", "m.yaml:15: no field 'nmae' in company; did you mean name?"),
        ("date: =deal.close_date\n", "date: =deal.amount\n", "m.yaml:20: =deal.amount is a number, not a date"),
        ("date: =deal.close_date\n", "date: =deal.invoice_checked_at\n", "m.yaml:20: =deal.invoice_checked_at is an instant, not a date"),
        ("  memo:", "  meno:", "m.yaml:23: invoice has no key 'meno'; did you mean memo?"),
        ("version: 3", "version: 3\nversion: 4", "m.yaml:3: version is written twice (first in line 2)"),
        ("  date:", "\tdate:", "m.yaml:20: a tab (column 1); use spaces"),
        ("  date: =deal.close_date\n", "", "invoice lacks date; date: the posting date"),
        ("version: 3", "version: 0", "m.yaml:2: version must be a whole number from 1, not 0"),
        ("version: 3", "version: true", "m.yaml:2: version must be a whole number from 1, not true"),
        ("mapping: deals", "mapping: My Deals", "mapping must be a name such as hubspot-deal-to-invoice, not My Deals"),
        ("from: hubspot.deal", "from: hubspot", "from must be system.kind"),
        ("from: hubspot.deal", "from: hubspot.dael", "m.yaml:3: hubspot has no kind 'dael'; did you mean deal?"),
        ("to: invoice", "to: invoce", "to cannot be invoce; did you mean invoice?"),
        ("to: invoice", "to: payment", "m.yaml:4: the file has no payment block; write `payment:`"),
        ("to: invoice", "to: payment", "m.yaml:10: invoice stands in a mapping to payment"),
        ("deal.company\n", "deal.compny\n", "m.yaml:6: no records of kind 'compny'; did you mean company?"),
        ("company: deal.company\n", "company: dael.company\n", "m.yaml:6: company hangs on 'dael'; did you mean deal?"),
        ("company: deal.company\n", "company: deal\n", "company must be record.role"),
        ("contact: deal.contact?", "books: deal.contact?", "m.yaml:7: books is a name already; choose another"),
        ("when: =deal.is_won and deal.close_date >= cutover_date", "when: =deal.name", "m.yaml:9: =deal.name is a text, not true or false"),
        ("none: default", "none: defualt", "none cannot be defualt; did you mean default?"),
        ("      default: Services\n", "", "none: default needs a name; add `default: NAME`"),
        ("    create:\n      name: =company.name\n", "    none: create\n    create:\n", "none: create needs a name; add `create: {name: =…}`"),
        ("bound: =company.id", "bond: =company.id", "has no key 'bond'; did you mean bound?"),
        ("- email:", "- phone: x\n        email:", "takes exactly one key, not 2"),
        ("match: [{sku: =line.sku}]", "match: {sku: =line.sku}", "match takes a list; start each entry with `- `"),
        ("for: line in lines", "for: line in company", "m.yaml:25: 'company' is no list of records; there is: lines"),
        ("for: line in lines", "for: deal in lines", "deal is a name already; choose another"),
        ("for: line in lines", "for: each line", "for must be `line in lines`, not each line"),
        ("discount: =line.discount_percent", "discount: {procent: 5}", "discount has no key 'procent'; did you mean percent?"),
        ("discount: =line.discount_percent", "discount: [5]", "discount takes `key: value` entries, not a list"),
        ("quantity: =line.quantity\n", "quantity: [1]\n", "quantity takes one value, not a list"),
        ("version: 3", "version: [3]", "version must be a whole number from 1, not a list"),
        ("version: 3", "version: {a: 3}", "version must be a whole number from 1, not a mapping"),
        ("quantity: =line.quantity\n", "quantity: ten\n", "m.yaml:31: ten is a text, not a number"),
        ("  memo:", "  tax: {prices: exclusive, compute: expect}\n  memo:", "compute: expect needs an amount; add `expected: =…`"),
        ("  memo:", "  tax: {prices: null, compute: books}\n  memo:", "prices cannot be nothing; there is: exclusive, inclusive"),
        ("else: block", "else: stop", "else cannot be stop"),
        ("deal.invoice_number: =", "deal.invoice_nummer: =", "no field 'invoice_nummer' in deal; did you mean invoice_number?"),
        ("deal.invoice_number: =", "lines.sku: =", "lines.sku is no field of a single record"),
        ("deal.invoice_balance: =books.balance", "deal.invoice_balance: =receipt.number", "=receipt.number is a text, not a number"),
        ('lookup("tax",', 'lookup("taxes",', "no table 'taxes'; did you mean tax?"),
        ("deal.contact?", "deal.contact labelled Payer?", "contact must be record.role"),
        ("deal.contact?", 'deal.contact labelled ""?', "contact must be record.role"),
        ("with:", "fields: {deal: {name: money}}\nwith:", "m.yaml:5: deal.name is a text; the connector knows it"),
        ("with:", "fields: {dael: {po: text}}\nwith:", "m.yaml:5: no records of kind 'dael'; did you mean deal?"),
        ("with:", "fields: {deal: {po: string}}\nwith:", "po cannot be string"),
        ("tables:", "tests: [{name: a, given: {dael: {}}, expect: skipped}]\ntables:", "nothing is named 'dael'; did you mean deal?"),
        ("tables:", "tests: [{name: a, given: {deal: {id: 901}}, expect: skipped}]\ntables:", "deal.id is a text, not a number; quote it"),
        ("tables:", "tests: [{name: a, given: {deal: {amount: much}}, expect: skipped}]\ntables:", "deal.amount is a number, not a text"),
        ("tables:", "tests: [{name: a, given: {deal: {nmae: x}}, expect: skipped}]\ntables:", "no field 'nmae' in deal; did you mean name?"),
        ("tables:", "tests: [{name: a, given: {lines: {}}, expect: skipped}]\ntables:", "lines takes a list of records"),
        ("tables:", "tests: [{name: a, given: {deal: won}, expect: skipped}]\ntables:", "deal takes the fields of a record, or null"),
        ("tables:", "tests: [{name: a, given: {}, expect: skiped}]\ntables:", "expect cannot be skiped; did you mean skipped?"),
        ("tables:", "tests: [{name: a, given: {}, expect: {memos: x}}]\ntables:", "expect has no key 'memos'; did you mean memo?"),
        ("tables:", "tests: [{given: {}, expect: skipped}]\ntables:", "lacks name"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_line_and_a_hint(
    compiled: Callable[..., Mapping], old: str, new: str, said: str
) -> None:
    with pytest.raises(Mistakes) as caught:
        compiled((old, new))
    shown = str(caught.value)
    assert said in shown
    assert all(line.startswith("m.yaml:") for line in shown.splitlines())


def test_five_mistakes_are_told_at_once(compiled: Callable[..., Mapping]) -> None:
    with pytest.raises(Mistakes) as caught:
        compiled(
            ("=company.name\n    create", "=company.nmae\n    create"),
            ("  date: =deal.close_date\n", "  date: tomorrow\n"),
            ("  memo:", "  meno:"),
            ("else: block", "else: stop"),
            ('lookup("tax",', 'lookup("taxes",'),
        )
    assert [mistake.line for mistake in caught.value.mistakes] == [15, 20, 23, 34, 43]


@pytest.mark.parametrize("text", ["", "- a", "just a text", "mapping: x\n"])
def test_a_file_that_is_no_mapping_says_so(
    text: str, known_fields: dict[str, dict[str, str]]
) -> None:
    with pytest.raises(Mistakes) as caught:
        load(text, known_fields, name="m.yaml")
    assert "m.yaml:1: the file" in str(caught.value)


def test_a_payment_takes_no_words_that_nothing_would_send(
    known_fields: dict[str, dict[str, str]],
) -> None:
    text = """mapping: pay
version: 1
from: hubspot.payment as money
to: payment
with: {deal: money.deal}
payment: {pays: =invoice_of(deal), amount: =money.amount, date: =money.date, currency: EUR,
  quickbooks: {class: Services}}
"""
    with pytest.raises(Mistakes, match="payment has no key 'quickbooks'"):
        load(text, known_fields, name="pay.yaml")


def test_a_payment_pays_a_single_record(known_fields: dict[str, dict[str, str]]) -> None:
    text = """\
mapping: paid
version: 1
from: hubspot.deal
to: payment
with: {lines: 'deal.line_items[]'}
payment: {pays: =invoice_of(lines), amount: =deal.paid, date: =deal.paid_on, currency: EUR}
"""
    with pytest.raises(Mistakes) as caught:
        load(text, known_fields, name="m.yaml")
    assert str(caught.value) == "m.yaml:6: 'lines' is no single record; there is: deal"


def test_a_kind_that_nobody_described_may_have_any_field() -> None:
    text = """\
mapping: paid
version: 1
from: acme.deal
to: payment
payment: {pays: =invoice_of(deal), amount: =deal.paid, date: =deal.paid_on, currency: EUR}
tests: [{name: a, given: {deal: {paid: 5}}, expect: skipped}]
"""
    with pytest.raises(Mistakes) as caught:
        load(text, {}, name="m.yaml")
    assert str(caught.value) == "m.yaml:3: acme has no kind 'deal'; there is: nothing"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            "deal.invoice_number: =receivables.currency",
            "deal is no record that the customer is matched by",
        ),
        (
            'company.name: =join(" ", company.city, receivables.currency)',
            "company cannot stand beside receivables",
        ),
    ],
)
def test_what_a_customer_owes_is_told_to_its_own_record_and_alone(
    compiled: Callable[..., Mapping], line: str, said: str
) -> None:
    with pytest.raises(Mistakes, match=said):
        compiled(("deal.invoice_number: =receipt.number", line))
