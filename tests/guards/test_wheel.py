"""The wheel holds what is shipped, under four names, and nothing more."""

import zipfile
from configparser import ConfigParser

import pytest
from wheels import tieout_wheel

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """A wheel that is built, offline, from the tracked files alone."""
    with zipfile.ZipFile(tieout_wheel(tmp_path_factory.mktemp("wheel"))) as opened:
        yield opened


@pytest.fixture(scope="module")
def wheel(archive):
    """The names in it."""
    return archive.namelist()


def test_the_top_level_names_are_the_four_packages(wheel, shipped, pyproject):
    info = f"tieout-{pyproject['project']['version']}.dist-info"
    assert sorted({name.split("/")[0] for name in wheel}) == sorted([*shipped, info])


def test_every_tracked_file_of_the_packages_is_in_it(wheel, tracked, shipped):
    """Also the SQL, the facts in YAML and the marker of types."""
    expected = {path.as_posix() for path in tracked if path.parts[0] in shipped}
    assert expected - set(wheel) == set()
    assert "tieout/py.typed" in wheel


def test_the_starter_configuration_travels_with_it(wheel, tracked):
    expected = {f"tieout/_{path.as_posix()}" for path in tracked if path.parts[0] == "config"}
    assert expected - set(wheel) == set()


def test_each_connector_and_the_command_are_known_by_their_entry_points(archive, root, pyproject):
    """An installed Tieout finds its own connectors as it finds a plug-in's."""
    known = ConfigParser()
    known.optionxform = str
    info = f"tieout-{pyproject['project']['version']}.dist-info"
    known.read_string(archive.read(f"{info}/entry_points.txt").decode())
    systems = {facts.stem for facts in (root / "connectors").glob("*/*.yaml")}
    assert set(known["tieout.connectors"]) == systems
    assert list(known["console_scripts"]) == ["tieout"]


def test_nothing_of_the_workshop_is_in_it(wheel):
    strange = [name for name in wheel if "test" in name.split("/")[-1] or "__pycache__" in name]
    assert strange == []
