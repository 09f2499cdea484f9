"""What is shipped runs with what it declares, and without the workshop's tools."""

import ast
import json
import re
import subprocess
import sys
from importlib.metadata import packages_distributions

import pytest

FEW_PLACES = {  # what is imported in few files, so that nothing of it reaches further
    "apscheduler": ("tieout/app/daemon.py",),
    "cryptography": (
        "tieout/credentials/assertions.py",
        "tieout/credentials/sealing.py",
        "tieout/simulator/dynamics365/signin.py",
        "tieout/simulator/salesforce/assertions.py",
    ),
    "hubspot": ("connectors/hubspot/wire.py",),
    "msal": ("connectors/dynamics365/tokens.py",),
    "pydantic": ("tieout/app/settings.py",),
    "quickbooks": ("connectors/quickbooks/wire.py",),
    "simple_salesforce": ("connectors/salesforce/face.py",),
    "tenacity": ("tieout/transport/retry.py",),
    "uvicorn": ("tieout/app/hint_door.py", "tieout/simulator/serving.py"),
}
COMPANIONS = {"pydantic_core": "pydantic"}  # its manual says to import it for one's own types
IMPORT_ALL = """
import importlib, importlib.abc, json, pkgutil, sys

refused = set(json.loads(sys.argv[1]))

class Workshop(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name.split(".")[0] in refused:
            raise ModuleNotFoundError(f"{name} belongs to the workshop")

sys.meta_path.insert(0, Workshop())
for top in json.loads(sys.argv[2]):
    package = importlib.import_module(top)
    for found in pkgutil.walk_packages(package.__path__, top + "."):
        if not found.name.endswith(".__main__"):
            importlib.import_module(found.name)
"""


def names(path):
    return set(re.findall(r"^([a-z0-9-]+)==", path.read_text(), re.MULTILINE))


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.fixture(scope="module")
def dev_only(root):
    """The importable names that only the workshop installs."""
    only = names(root / "requirements" / "dev.txt") - names(root / "requirements" / "run.txt")
    return {
        top
        for top, owners in packages_distributions().items()
        if {normal(owner) for owner in owners} <= only
    }


def imports(source):
    """Every module that a source imports, also within functions, with its line."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module, node.lineno


@pytest.fixture(scope="module")
def imported(root, shipped):
    return [
        (path.relative_to(root), line, module.split(".")[0])
        for package in shipped
        for path in sorted((root / package).rglob("*.py"))
        for module, line in imports(path.read_text())
    ]


def test_the_workshop_s_tools_are_known(dev_only):
    assert {"pytest", "hypothesis", "responses", "hatchling", "mypy"} <= dev_only


def test_no_shipped_module_imports_a_tool_of_the_workshop(imported, dev_only):
    assert [f"{path}:{line}: {top}" for path, line, top in imported if top in dev_only] == []


def test_every_shipped_module_can_be_imported_without_the_workshop(root, shipped, dev_only):
    ran = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL, json.dumps(sorted(dev_only)), json.dumps(shipped)],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (0, "")


def test_what_is_imported_is_declared(imported, shipped, pyproject):
    """Not only found because another dependency happens to bring it."""
    declared = {
        normal(re.match(r"[\w.-]+", each)[0]) for each in pyproject["project"]["dependencies"]
    }
    owners = packages_distributions()
    told = [
        f"{path}:{line}: {top}"
        for path, line, top in imported
        if top not in sys.stdlib_module_names and top not in shipped
        if not {normal(owner) for owner in owners.get(COMPANIONS.get(top, top), [])} & declared
    ]
    assert told == [], "\n".join(told)


@pytest.mark.parametrize("library", FEW_PLACES)
def test_a_library_that_must_stay_small_is_imported_in_few_files(imported, library):
    places = {path.as_posix() for path, _, top in imported if top == library}
    assert places == set(FEW_PLACES[library])


def test_a_vendor_s_library_is_a_transport_and_no_more(root):
    """Its models, object classes and batches invent data and lose results (sdk.md 0)."""
    used = {
        module
        for package in ("connectors/hubspot", "connectors/quickbooks", "connectors/salesforce")
        for path in (root / package).rglob("*.py")
        for module, _ in imports(path.read_text())
        if module.split(".")[0] in ("hubspot", "quickbooks", "intuitlib", "simple_salesforce")
    }
    assert used == {"hubspot.crm.objects", "quickbooks.client", "simple_salesforce.api"}
