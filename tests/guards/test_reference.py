"""The pages that are made from the code say what the code says."""

import re
from collections import Counter

import click

from tieout.app.settings import schema
from tieout.model.errors import TieoutError
from tieout.simulator import dynamics365, hubspot, quickbooks, salesforce
from tieout.simulator.dynamics365 import DynamicsOrg, dynamics365_app
from tieout.simulator.faults import GENERIC
from tieout.simulator.hubspot import HubSpotPortal, hubspot_app
from tieout.simulator.quickbooks import QuickBooksCompany, quickbooks_app
from tieout.simulator.salesforce import SalesforceOrg, salesforce_app


def test_no_page_is_out_of_date(generate):
    """`make docs` writes them."""
    stale = [
        str(path.relative_to(generate.ROOT))
        for path, text in generate.pages().items()
        if not path.exists() or path.read_text() != text
    ]
    assert stale == [], "\n".join(stale)


def test_every_error_is_on_its_page(generate, root):
    page = (root / "docs" / "reference" / "errors.md").read_text()
    known = generate.error_classes()
    assert [each.__name__ for each in known if f"`{each.__name__}`" not in page] == []
    assert TieoutError in known


def test_every_code_is_some_error_s_own(generate):
    codes = Counter(vars(each)["code"] for each in generate.error_classes() if "code" in vars(each))
    assert [code for code, count in codes.items() if count > 1] == []
    assert [code for code in codes if not re.fullmatch(r"[a-z]+(-[a-z]+)*", code)] == []


def test_every_error_says_a_sentence_of_its_own(generate):
    silent = [each.__name__ for each in generate.error_classes() if not vars(each)["__doc__"]]
    assert silent == []


def test_every_verb_and_option_is_on_its_page(generate, root):
    page = (root / "docs" / "reference" / "cli.md").read_text()
    missing = [
        f"{path} {option}"
        for path, command in verbs_below(generate.root, "tieout")
        for option in ["", *(opt for held in command.params for opt in held.opts if opt[0] == "-")]
        if (f"`{option}" if option else f"### {path}\n") not in page
    ]
    assert missing == []


def test_every_option_says_what_it_means(generate):
    silent = [
        f"{path} {held.name}"
        for path, command in verbs_below(generate.root, "tieout")
        for held in command.params
        if isinstance(held, click.Option) and not held.help
    ]
    assert silent == []


def test_every_fault_and_deed_of_a_simulator_is_on_its_page(root):
    pages = {
        vendor: (root / "docs" / "reference" / f"simulators-{vendor}.md").read_text("utf-8")
        for vendor in ("hubspot", "salesforce", "quickbooks", "dynamics365")
    }
    portal = HubSpotPortal(1)
    company = QuickBooksCompany(realm_id="1", now=portal.now)
    known = {
        "hubspot": {*hubspot.deeds.DEEDS, *hubspot_app(portal).state.faults.transformers},
        "salesforce": {
            *salesforce.deeds.DEEDS,
            *salesforce_app(SalesforceOrg()).state.faults.transformers,
        },
        "dynamics365": {
            *dynamics365.deeds.DEEDS,
            *dynamics365_app(DynamicsOrg()).state.faults.transformers,
        },
        "quickbooks": {*quickbooks.deeds.DEEDS, *quickbooks_app(company).state.faults.transformers},
    }
    missing = [
        f"{vendor}: {name}"
        for vendor, page in pages.items()
        for name in sorted(known[vendor] | GENERIC)
        if f"`{name}`" not in page
    ]
    assert missing == []


def test_every_exit_code_says_what_it_means(generate):
    assert list(generate.EXITS) == list(generate.Exit)


def test_every_variable_that_is_read_is_on_the_page(generate, root, shipped):
    read = {
        name
        for package in shipped
        for path in (root / package).rglob("*.py")
        for name in re.findall(r"\"(TIEOUT_[A-Z_]+|NO_COLOR)\"", path.read_text("utf-8"))
    }
    assert read == set(generate.ENVIRONMENT)


def test_every_setting_is_on_its_page(root):
    page = (root / "docs" / "reference" / "settings.md").read_text()
    told = schema()
    forms = [told, *told["$defs"].values()]
    assert [name for form in forms for name in form["properties"] if f"`{name}`" not in page] == []


def verbs_below(command, path):
    """Every command that can be typed, below the root."""
    for name in command.list_commands(click.Context(command)):
        held = command.get_command(click.Context(command), name)
        yield f"{path} {name}", held
        if isinstance(held, click.Group):
            yield from verbs_below(held, f"{path} {name}")
