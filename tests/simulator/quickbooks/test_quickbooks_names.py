"""Names of people and things: who may be called what (R1-R5, R20, R48)."""

import pytest


@pytest.mark.parametrize("kind", ["Customer", "Vendor", "Employee"])
def test_r1_a_name_is_unique_over_customers_vendors_and_employees(books, kind):
    books.customer("Acme")

    answer = books.post(kind, {"DisplayName": "Acme"})

    assert (answer.status, answer.code) == (400, "6240")


@pytest.mark.parametrize("name", ["ACME", "acme", " Acme "])
def test_r1_case_and_outer_spaces_make_no_other_name(books, name):
    books.customer("Acme")

    assert books.post("Customer", {"DisplayName": name}).code == "6240"


def test_r1_an_inactive_record_keeps_its_name(books):
    books.deed("inactivate", id=books.customer("Acme"))

    assert books.post("Vendor", {"DisplayName": "Acme"}).code == "6240"


@pytest.mark.parametrize("name", ["a:b", "a\tb", "a\nb"])
def test_r1_colon_tab_and_new_line_are_refused(books, name):
    assert books.post("Customer", {"DisplayName": name}).code == "6000"


def test_r1_a_sparse_update_cannot_take_the_name_away(books):
    customer = books.customer("Acme")

    after = books.update(
        "Customer", {"Id": customer, "SyncToken": "0", "sparse": True, "DisplayName": ""}
    )

    assert after["DisplayName"] == "Acme"


def test_r1_a_record_may_keep_its_own_name(books):
    customer = books.customer("Acme")

    after = books.update(
        "Customer", {"Id": customer, "SyncToken": "0", "sparse": True, "DisplayName": "ACME"}
    )

    assert after["DisplayName"] == "ACME"


def test_r1_without_a_display_name_it_is_made_of_the_parts(books):
    made = books.create("Customer", {"GivenName": "Ada", "FamilyName": "Byron"})

    assert made["DisplayName"] == "Ada Byron"


def test_r1_no_name_at_all_is_refused(books):
    assert books.post("Customer", {"Notes": "nobody"}).code == "6080"


@pytest.mark.parametrize(
    ("name", "limit"),
    [
        ("DisplayName", 500),
        ("GivenName", 100),
        ("FamilyName", 100),
        ("CompanyName", 100),
        ("Title", 16),
        ("Suffix", 16),
        ("Notes", 2000),
    ],
)
def test_r2_a_customers_texts_have_lengths(books, name, limit):
    body = {"DisplayName": "Acme", name: "x" * limit}
    assert books.post("Customer", body).status == 200

    answer = books.post("Customer", {"DisplayName": "Other", name: "x" * (limit + 1)})

    assert (answer.status, answer.code) == (400, "2050")


def test_r2_a_phone_has_thirty_characters(books):
    body = {"DisplayName": "Acme", "PrimaryPhone": {"FreeFormNumber": "1" * 31}}

    assert books.post("Customer", body).code == "2050"


@pytest.mark.parametrize("name", ["Name", "Sku"])
def test_r2_an_items_names_have_a_hundred_characters(books, name):
    body = {
        "Name": "Thing",
        "IncomeAccountRef": {"value": books.account("Services")},
        name: "x" * 101,
    }

    assert books.post("Item", body).code == "2050"


@pytest.mark.parametrize("address", ["nobody", "a@b", "a b@c.example", "@c.example"])
def test_r3_an_address_without_at_or_dot_is_refused(books, address):
    body = {"DisplayName": "Acme", "PrimaryEmailAddr": {"Address": address}}

    assert books.post("Customer", body).code == "2210"


def test_r3_an_address_has_a_hundred_characters(books):
    body = {"DisplayName": "Acme", "PrimaryEmailAddr": {"Address": "a" * 92 + "@b.exampl"}}

    assert books.post("Customer", body).code == "2050"


def test_r4_a_job_is_at_most_four_levels_under_the_top(books):
    parent = books.customer("Top")
    for level in range(1, 5):
        made = books.create(
            "Customer",
            {"DisplayName": f"Level {level}", "Job": True, "ParentRef": {"value": parent}},
        )
        parent = made["Id"]
    assert made["FullyQualifiedName"] == "Top:Level 1:Level 2:Level 3:Level 4"

    answer = books.post("Customer", {"DisplayName": "Level 5", "ParentRef": {"value": parent}})

    assert answer.code == "6000"


def test_r4_a_job_needs_a_parent(books):
    assert books.post("Customer", {"DisplayName": "Job", "Job": True}).code == "2020"


def test_r5_a_list_record_cannot_be_deleted(books):
    customer = books.customer()

    answer = books.post("Customer", {"Id": customer, "SyncToken": "0"}, operation="delete")

    assert answer.code == "500"


def test_r5_inactivating_with_a_balance_in_the_ui_makes_a_credit_memo(books):
    customer = books.customer()
    invoice = books.invoice(customer)

    books.deed("inactivate", id=customer)

    truth = books.truth()
    assert [memo["total"] for memo in truth["credit_memos"]] == [100]
    assert books.get("Invoice", invoice["Id"])["Balance"] == 0
    assert books.get("Customer", customer)["Active"] is False


def test_r20_an_item_needs_an_income_account(books):
    assert books.post("Item", {"Name": "Thing", "Type": "Service"}).code == "2020"


def test_r20_an_items_name_is_unique(books):
    body = {"Name": "consulting", "IncomeAccountRef": {"value": books.account("Services")}}

    assert books.post("Item", body).code == "6240"


def test_r48_a_tax_identifier_is_read_back_masked(open_books):
    books = open_books(country="GB", home_currency="GBP")

    made = books.create("Customer", {"DisplayName": "Acme", "PrimaryTaxIdentifier": "GB123456789"})

    assert made["PrimaryTaxIdentifier"] == "XXXXXX56789"


def test_r48_other_countries_have_no_tax_identifier(german_books):
    made = german_books.create(
        "Customer", {"DisplayName": "Acme", "PrimaryTaxIdentifier": "DE811907980"}
    )

    assert "PrimaryTaxIdentifier" not in made


def test_r16_a_customers_currency_never_changes(many_currencies):
    customer = many_currencies.customer(CurrencyRef={"value": "EUR"})

    answer = many_currencies.post(
        "Customer",
        {"Id": customer, "SyncToken": "0", "sparse": True, "CurrencyRef": {"value": "GBP"}},
    )

    assert answer.code == "6000"


def test_r16_a_foreign_currency_needs_the_multicurrency_setting(books):
    body = {"DisplayName": "Acme", "CurrencyRef": {"value": "EUR"}}

    assert books.post("Customer", body).code == "6000"


def test_q3_what_an_object_does_not_have_is_refused_by_name(books):
    answer = books.post("Customer", {"DisplayName": "Acme", "Colour": "red"})

    assert (answer.code, "Colour" in answer.detail) == ("2010", True)


def test_q3_what_the_api_can_only_read_cannot_be_written(books):
    assert books.post("TaxCode", {"Name": "X"}).code == "500"


@pytest.mark.parametrize("several", ["a@b.example, c@d.example", "a@b.example;c@d.example"])
def test_r3_several_addresses_in_one_field_are_refused(books, several):
    body = {"DisplayName": "Acme", "PrimaryEmailAddr": {"Address": several}}

    assert books.post("Customer", body).code == "2210"


def test_r4_only_people_make_a_project(books):
    """A body that says so makes none; an invoice names one beside its customer, and nothing else."""
    customer = books.customer()
    job = books.create(
        "Customer",
        {
            "DisplayName": "Job",
            "Job": True,
            "ParentRef": {"value": customer},
            "IsProject": True,
        },
    )
    project = books.deed("start_project", customer=customer, name="Harbour")
    assert (job["IsProject"], project["IsProject"]) == (False, True)

    made = books.invoice(customer, ProjectRef={"value": project["Id"]})
    refused = books.post("Invoice", books.invoice_body(customer, ProjectRef={"value": job["Id"]}))
    missing = books.post("Invoice", books.invoice_body(customer, ProjectRef={"value": "999"}))

    assert made["ProjectRef"]["value"] == project["Id"]
    assert (refused.code, missing.code) == ("6000", "2500")


def test_r16_an_items_income_account_is_in_the_home_currency(many_currencies):
    books = many_currencies
    body = {"Name": "Yen sales", "AccountType": "Income", "CurrencyRef": {"value": "JPY"}}
    account = books.create("Account", body)["Id"]

    answer = books.post("Item", {"Name": "Sake", "IncomeAccountRef": {"value": account}})

    assert answer.code == "6000"


def test_r16_nobody_switches_currencies_on_or_off(books, many_currencies):
    assert books.post("Preferences", {"CurrencyPrefs": {"MultiCurrencyEnabled": True}}).code == (
        "500"
    )
    off = {"deed": "change_preference", "name": "multicurrency", "value": False}
    assert many_currencies.ask("POST", "/__deeds", off).status == 400


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"BillAddr": {"Street": "1 Main St"}}, "2010"),
        ({"BillAddr": "1 Main St"}, "2010"),
        ({"PrimaryPhone": "555"}, "2010"),
        ({"PrimaryEmailAddr": {"address": "a@b.example"}}, "2010"),
        ({"SalesTermRef": "3"}, "2010"),
        ({"SalesTermRef": {"id": "3"}}, "2010"),
        ({"SalesTermRef": {"value": 3}}, "2010"),
        ({"Active": "perhaps"}, "2010"),
        ({"Active": 1}, "2010"),
        ({"DisplayName": 7}, "2010"),
    ],
)
def test_q3_names_and_types_are_checked_at_any_depth(books, body, code):
    assert books.post("Customer", {"DisplayName": "Acme", **body}).code == code
