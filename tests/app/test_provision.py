"""``tieout provision`` from the command line, of each CRM: once it makes, twice it changes nothing.

A field whose list lacks a choice, as one that was made by an earlier version, is given it; people's
own choices stay.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

import pytest

from tieout.app.cli import exit_code
from tieout.app.cli.exits import Exit
from tieout.app.crms import CRMS
from tieout.app.simulated_crms import CLIENT_ID, CLIENT_SECRET, SIMULATIONS, TENANT_ID
from tieout.simulator.clock import SimulatedClock
from tieout.simulator.faults import Faults
from tieout.simulator.serving import serve

CREDENTIALS = {
    "hubspot": ("token: env:T_SECRET", "simulated-service-key"),
    "salesforce": (
        "client_id: env:T_ID\n    client_secret: env:T_SECRET",
        "simulated-consumer-secret",
    ),
    "dynamics365": (
        f"tenant: {TENANT_ID}\n    client_id: env:T_ID\n    client_secret: env:T_SECRET",
        CLIENT_SECRET,
    ),
}
IDS = {"salesforce": "simulated-consumer-key", "dynamics365": CLIENT_ID}


@dataclass
class Bare:
    """A make-believe CRM that nobody has provisioned, served, and named in a configuration."""

    system: str
    company: Any
    faults: Faults

    def read(self) -> object:
        """Return all that provisioning can change."""
        return fields_of(self.system, self.company)

    @property
    def writes(self) -> int:
        """How many requests other than reads it has answered, without those of signing in.

        Dataverse's batches are not told apart: one may hold reads alone.
        """
        reads = ("GET ", "POST token", "POST $batch", "POST oauth2")
        return sum(n for call, n in self.company.counts.items() if not call.startswith(reads))


def fields_of(system: str, company: Any) -> object:
    """Return all that provisioning can change, as the company holds it."""
    if system == "hubspot":
        return {kind: dict(held) for kind, held in company.properties.items()}, company.groups
    if system == "dynamics365":
        columns = {
            table.name: {name: repr(one) for name, one in table.columns.items()}
            for table in company.tables.values()
        }
        kept = [company.shelves[name].records.values() for name in ("publisher", "solution")]
        return (
            columns,
            {table.name: repr(table.keys) for table in company.tables.values()},
            [repr(record.values) for records in kept for record in records],
        )
    granted = ("PermissionSet", "FieldPermissions", "PermissionSetAssignment")
    return (
        {name: dict(company.kinds[name].fields) for name in ("Opportunity", "Account")},
        {name: dict(company.tables[name].records) for name in granted},
    )


@pytest.fixture
def stand(directory, monkeypatch) -> Iterator[Callable[[str], Bare]]:
    """Return a function that serves a CRM as its sales team left it."""
    with ExitStack() as stack:

        def serving(system: str) -> Bare:
            simulation = SIMULATIONS[system]
            company = simulation.make(SimulatedClock(), 3, 1)
            simulation.limit(company, False, 1.0)
            lines, secret = CREDENTIALS[system]
            monkeypatch.setenv("T_SECRET", secret)
            monkeypatch.setenv("T_ID", IDS.get(system, ""))
            app = simulation.app(company)
            served = stack.enter_context(serve(app))
            urls = f"\n    urls: {{authority: {served.url}}}" if system == "dynamics365" else ""
            file = directory / "tieout.yaml"
            file.write_text(
                file.read_text().replace(
                    'system: hubspot\n    id: "123"\n    token: env:HUBSPOT_TOKEN',
                    f'system: {system}\n    id: "{CRMS[system].company_id}"\n'
                    f"    url: {served.url}{urls}\n    {lines}",
                )
            )
            return Bare(system, company, app.state.faults)

        yield serving


@pytest.fixture(params=sorted(SIMULATIONS))
def bare(request, stand) -> Bare:
    """Return each CRM in turn."""
    return stand(request.param)


def states(told: Any) -> set[str]:
    return {one["state"] for one in told["companies"]["crm"]}


def test_the_second_provision_changes_nothing(bare, spoken):
    code, first = spoken("provision")
    assert (code, "made" in states(first)) == (Exit.DONE, True)
    provided = bare.read()
    bare.company.counts.clear()

    code, second = spoken("provision")
    assert (code, states(second)) == (Exit.DONE, {"there"})
    assert bare.read() == provided
    assert bare.writes == 0


def test_what_people_see_to_by_hand_is_said_last(bare, capsys):
    assert exit_code(["provision"]) == Exit.DONE
    said = capsys.readouterr().out
    assert "By hand, for crm:" in said
    seen = {"hubspot": "nobody edits", "salesforce": "Page Layouts", "dynamics365": "read-only"}
    assert seen[bare.system] in said.partition("By hand, for crm:")[2]


def test_fields_with_names_of_the_companys_own_are_made_once(bare, spoken, directory):
    file = directory / "tieout.yaml"
    prefix, mark = ("Acme", "Acme_Ref__c") if bare.system == "salesforce" else ("acme", "acme_ref")
    options = f"    options: {{field_prefix: {prefix}, field_mark: {mark}}}\n"
    file.write_text(file.read_text().replace("  books:\n", f"{options}  books:\n"))

    code, first = spoken("provision")
    names = {one["name"] for one in first["companies"]["crm"] if one["state"] == "made"}
    assert (code, mark in names) == (Exit.DONE, True)
    assert [name for name in names if "tieout_" in name.lower()] == []
    provided = bare.read()

    _, second = spoken("provision")
    assert states(second) == {"there"}
    assert bare.read() == provided


LABEL = {"label": "Customer's reference"}
PEOPLES = {**LABEL, "group": "information", "description": "Of theirs"}
STRANGE = [  # what a field of people's own is, and how it is refused
    ("hubspot", PEOPLES, "not ours"),
    ("hubspot", {"type": "number"}, "of another type"),
    ("hubspot", {"unique": False}, "must be unique"),
    ("salesforce", LABEL, "not ours"),
    ("salesforce", {"type": "double"}, "of another type"),
    ("salesforce", {"unique": False}, "must be unique"),
    ("dynamics365", LABEL, "not ours"),
    ("dynamics365", {"type": "Decimal"}, "of another type"),  # a key of ours makes it unique
]


def alter(system: str, company: Any, mark: str, changes: dict[str, Any]) -> None:
    """Let the field of the mark be another than we made it."""
    if system == "hubspot":
        company.define("deals", replace(company.properties["deals"][mark], **changes))
        return
    if system == "salesforce":
        held = company.kinds["Opportunity"].fields
    else:
        held = company.tables["opportunity"].columns
    held[mark] = replace(held[mark], **changes)


@pytest.mark.parametrize(("system", "changes", "why"), STRANGE)
def test_a_field_of_peoples_own_is_not_taken_for_ours(
    stand, spoken, directory, system, changes, why
):
    bare = stand(system)
    file = directory / "tieout.yaml"
    mark = "Acme_Ref__c" if system == "salesforce" else "acme_ref"
    prefix = "field_prefix: acme, " if system == "dynamics365" else ""  # its publisher's
    options = f"    options: {{{prefix}field_mark: {mark}}}\n"
    file.write_text(file.read_text().replace("  books:\n", f"{options}  books:\n"))
    spoken("provision")
    alter(system, bare.company, mark, changes)
    provided = bare.read()

    code, told = spoken("provision")
    assert (code, states(told)) == (Exit.TROUBLE, {"there", "by hand"})
    held = [one for one in told["companies"]["crm"] if one["state"] == "by hand"]
    assert (held[0]["name"], all(why in one["why"] for one in held)) == (mark, True)
    assert bare.read() == provided


def test_no_right_is_granted_to_a_field_of_peoples_own(stand, spoken, directory):
    bare = stand("salesforce")
    file = directory / "tieout.yaml"
    options = "    options: {field_mark: Acme_Ref__c}\n"
    file.write_text(file.read_text().replace("  books:\n", f"{options}  books:\n"))
    spoken("provision")
    alter("salesforce", bare.company, "Acme_Ref__c", LABEL)
    _, told = spoken("provision")
    kinds = {one["kind"] for one in told["companies"]["crm"] if one["state"] == "by hand"}
    assert kinds == {"property", "field_permission", "read_permission"}


def test_a_name_that_the_crm_would_not_take_is_refused_before_anything_is_asked(
    bare, directory, capsys
):
    file = directory / "tieout.yaml"
    options = "    options: {field_prefix: 1st}\n"
    file.write_text(file.read_text().replace("  books:\n", f"{options}  books:\n"))
    bare.company.counts.clear()
    assert exit_code(["provision"]) == Exit.TROUBLE
    assert "field_prefix cannot be '1st'" in capsys.readouterr().err
    assert sum(bare.company.counts.values()) == 0


def test_a_dry_provision_changes_nothing_and_says_what_it_would_make(bare, spoken):
    before = bare.read()
    bare.company.counts.clear()
    code, told = spoken("provision", "--dry")
    assert (code, "by hand" in states(told)) == (Exit.TROUBLE, True)
    assert bare.read() == before
    assert bare.writes == 0


def without(system: str, company: Any, choice: str) -> None:
    """Leave our choice as an earlier version made it, with one of people's and one in disuse."""
    if system == "hubspot":
        prop = company.properties["deals"]["tieout_invoice_status"]
        kept = tuple(one for one in prop.options if one[0] != choice)
        company.define(
            "deals",
            replace(
                prop,
                options=(*kept, ("disputed", "In dispute"), ("old", "Old")),
                hidden=("old",),
            ),
        )
    else:
        options = company.tables["opportunity"].columns["tieout_invoice_status"].options
        del options[next(value for value, label in options.items() if label == choice)]
        options[1] = "In dispute"


def choices_of(system: str, company: Any) -> list[tuple[object, str, bool]]:
    """Return the choices of an invoice's status as the company offers them, in their order."""
    if system == "hubspot":
        prop = company.properties["deals"]["tieout_invoice_status"]
        return [(value, label, value in prop.hidden) for value, label in prop.options]
    options = company.tables["opportunity"].columns["tieout_invoice_status"].options
    return [(value, label, False) for value, label in options.items()]


@pytest.fixture(params=["hubspot", "dynamics365"])
def lacking(request, stand, spoken) -> Bare:
    """Return a CRM that was provisioned before there was the choice ``credited``.

    Salesforce is not among them: there the status is a text, which takes any word.
    """
    bare = stand(request.param)
    spoken("provision")
    without(bare.system, bare.company, "credited")
    return bare


def added(told: Any) -> list[tuple[str, str]]:
    """Return the choices that are told of, with their state."""
    rows = told["companies"]["crm"]
    kinds = ("choice", "choices")
    return [(one["name"].partition(".")[0], one["state"]) for one in rows if one["kind"] in kinds]


def test_a_choice_that_is_lacking_is_added_once_and_peoples_own_stay(lacking, spoken):
    before = choices_of(lacking.system, lacking.company)
    code, told = spoken("provision")
    assert (code, added(told)) == (Exit.DONE, [("tieout_invoice_status", "made")])
    after = choices_of(lacking.system, lacking.company)
    assert after[: len(before)] == before
    assert [label for _, label, _ in after[len(before) :]] == ["credited"]

    _, told = spoken("provision")
    assert (added(told), states(told)) == ([], {"there"})
    assert choices_of(lacking.system, lacking.company) == after


def test_a_lacking_choice_is_only_told_where_nothing_is_to_be_changed(lacking, capsys):
    before = choices_of(lacking.system, lacking.company)
    assert exit_code(["provision", "--dry"]) == Exit.TROUBLE
    said = capsys.readouterr().out
    assert "for deals, internal name tieout_invoice_status" in said
    assert "credited" in said
    assert choices_of(lacking.system, lacking.company) == before


def test_a_choice_that_the_crm_refuses_is_left_to_people_with_its_words(stand, spoken):
    bare = stand("hubspot")
    spoken("provision")
    prop = bare.company.properties["deals"]["tieout_invoice_status"]
    kept = tuple(one for one in prop.options if one[0] != "credited")
    bare.company.define("deals", replace(prop, options=(*kept, ("cn", "Credited"))))
    code, told = spoken("provision")
    assert (code, added(told)) == (Exit.TROUBLE, [("tieout_invoice_status", "by hand")])
    (why,) = {one["why"] for one in told["companies"]["crm"] if one["why"]}
    assert "labels must be unique" in why


def test_a_choice_whose_answer_was_lost_is_looked_for_before_it_is_judged(lacking, spoken):
    body = '"options":' if lacking.system == "hubspot" else "InsertOptionValue"
    fault = lacking.faults.add(fault="lose_answer", body=body)
    _, told = spoken("provision")
    assert (fault.fired, added(told)) == (1, [("tieout_invoice_status", "made")])


def test_a_choice_that_was_made_and_not_published_is_published_by_the_next_run(stand, spoken):
    """Dataverse shows only what is published (page "Retrieve published metadata")."""
    bare = stand("dynamics365")
    spoken("provision")
    column = bare.company.tables["opportunity"].columns["tieout_invoice_status"]
    column.unpublished.update(one for one, word in column.options.items() if word == "credited")
    before = dict(column.options)

    code, told = spoken("provision")
    assert (code, added(told)) == (Exit.DONE, [("tieout_invoice_status", "there")])
    assert (column.unpublished, column.options) == (set(), before)
    _, told = spoken("provision")
    assert (added(told), states(told)) == ([], {"there"})
