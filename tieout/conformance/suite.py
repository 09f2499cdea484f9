"""The whole suite, in the order in which an author meets it."""

from __future__ import annotations

from tieout.conformance.claims import Claims
from tieout.conformance.feeds import Feeds
from tieout.conformance.files import Files
from tieout.conformance.hints import Hints
from tieout.conformance.reading import Reading
from tieout.conformance.refusals import Refusals
from tieout.conformance.relating import Relating
from tieout.conformance.secrecy import Secrecy
from tieout.conformance.updates import Updates
from tieout.conformance.writing import Writing


class ConnectorConformance(
    Claims, Reading, Relating, Feeds, Writing, Updates, Refusals, Secrecy, Hints, Files
):
    """Inherit this and give the fixture ``bench``."""
