"""The org is spoken to by simple-salesforce as it is: sign-in, queries, collections, bulk."""

from decimal import Decimal
from urllib.parse import urlsplit, urlunsplit

import pytest
import requests
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from simple_salesforce import Salesforce, SalesforceMalformedRequest, format_soql
from simple_salesforce.exceptions import SalesforceAuthenticationFailed

from tieout.simulator.salesforce import salesforce_app, sell
from tieout.simulator.serving import serve


class Rerouted(requests.adapters.HTTPAdapter):
    """Leads every https address to the simulator."""

    def __init__(self, port):
        super().__init__()
        self.place = f"127.0.0.1:{port}"

    def send(self, request, *args, **kwargs):
        parts = urlsplit(request.url)
        request.url = urlunsplit(("http", self.place, parts.path, parts.query, ""))
        return super().send(request, *args, **kwargs)


@pytest.fixture
def served(crm):
    with serve(salesforce_app(crm.org)) as one:
        yield one


@pytest.fixture
def session(served):
    with requests.Session() as one:
        one.mount("https://", Rerouted(served.port))
        yield one


@pytest.fixture
def library(session):
    return Salesforce(
        session=session,
        consumer_key="simulated-consumer-key",
        consumer_secret="simulated-consumer-secret",
        domain="nordlys.my",
        version="66.0",
        parse_float=Decimal,
        object_pairs_hook=dict,
    )


def test_r38_the_library_signs_in_by_an_assertion_or_is_refused(crm, session, key, certificate):
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    words = {
        "session": session,
        "username": "integration@nordlys.example",
        "consumer_key": "simulated-consumer-key",
        "privatekey": pem,
        "version": "66.0",
    }
    crm.clock.instant = crm.clock.instant.now(crm.clock.instant.tzinfo)  # the library's own clock
    with pytest.raises(SalesforceAuthenticationFailed, match="invalid assertion"):
        Salesforce(**words)
    crm.deed("trust", certificate=certificate)
    assert Salesforce(**words).query("SELECT COUNT() FROM Opportunity")["totalSize"] == 0


def test_s3_the_library_reads_every_page(crm, library):
    sell(crm.org, deals=100)
    crm.org.page_rows, crm.org.short_pages = 40, 0.5
    soql = "SELECT Id, Amount, Account.Name FROM Opportunity ORDER BY Id"
    read = list(library.query_all_iter(soql))
    alive = list(crm.org.tables["Opportunity"].alive())
    assert [one["Id"] for one in read] == sorted(one["Id"] for one in alive)
    assert {type(one["Amount"]) for one in read} == {Decimal, type(None)}
    everything = list(library.query_all_iter(soql, include_deleted=True))
    assert len(everything) == len(crm.org.tables["Opportunity"].records)


def test_s2_the_library_s_quoting_is_understood(crm, library):
    crm.create("Account", Name='O\'Brien \\ "Sons"')
    soql = format_soql("SELECT Name FROM Account WHERE Name = {}", 'O\'Brien \\ "Sons"')
    assert library.query(soql)["totalSize"] == 1
    with pytest.raises(SalesforceMalformedRequest) as refused:
        library.query("SELECT Nope FROM Account")
    assert refused.value.content[0]["errorCode"] == "INVALID_FIELD"


def test_s6_the_library_sends_a_collection(crm, library):
    deals = [crm.deal(Name=name) for name in "ab"]
    rows = [{"attributes": {"type": "Opportunity"}, "id": one, "NextStep": "done"} for one in deals]
    told = library.restful(
        "composite/sobjects", method="PATCH", json={"allOrNone": False, "records": rows}
    )
    assert [one["success"] for one in told] == [True, True]
    assert library.api_usage["api-usage"].used == 3
