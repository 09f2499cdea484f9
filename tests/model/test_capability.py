"""A connector claims verbs and limits for each kind; what it does not claim, it cannot do."""

from dataclasses import FrozenInstanceError

import pytest

from tieout.model.capability import Capabilities, KindCapability
from tieout.model.change import Verb
from tieout.model.contract import Authorises

ACME = Capabilities(
    system="acme",
    title="Acme Books",
    kinds={
        "invoice": KindCapability(
            verbs=frozenset({Verb.CREATE, Verb.VOID}), limits={"number": 21, "lines": 750}
        )
    },
)


@pytest.mark.parametrize(
    ("kind", "verb", "can"),
    [
        ("invoice", Verb.CREATE, True),
        ("invoice", Verb.UPDATE, False),
        ("payment", Verb.CREATE, False),
    ],
)
def test_only_what_is_claimed_can_be_done(kind, verb, can):
    assert ACME.can(kind, verb) is can


@pytest.mark.parametrize(
    ("kind", "name", "limit"),
    [("invoice", "number", 21), ("invoice", "memo", None), ("payment", "number", None)],
)
def test_a_limit_that_the_system_does_not_state_is_none(kind, name, limit):
    assert ACME.limit(kind, name) == limit


def test_what_a_connector_claims_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        ACME.system = "other"


def test_a_connector_that_authorises_is_known_by_its_methods():
    class Silent:
        pass

    class Consenting(Silent):
        def authorise_url(self, state, redirect_uri):
            return ""

        def exchange(self, code, redirect_uri, company_id):
            return None

        def consent_until(self):
            return None

    assert isinstance(Consenting(), Authorises)
    assert not isinstance(Silent(), Authorises)
