"""A person's consent: what counts as its end, and what is refused."""

import threading
import time
import urllib.request

import pytest
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, RedirectResponse
from starlette.routing import Route

from tieout.app import consent
from tieout.model.errors import ConfigError, Unauthorized
from tieout.simulator.serving import serve


class Vendor:
    """What consent needs of a connector."""

    def __init__(self) -> None:
        self.exchanged: list[tuple[str, str, str]] = []

    def authorise_url(self, state: str, redirect_uri: str) -> str:
        return f"https://vendor.example/?state={state}&redirect_uri={redirect_uri}"

    def exchange(self, code: str, redirect_uri: str, company_id: str) -> None:
        self.exchanged.append((code, redirect_uri, company_id))


def test_the_redirect_brings_the_code_and_the_company():
    address = "https://x.example/connected?code=abc&state=s&realmId=913"

    assert consent.read_redirect(address, "s") == consent.Redirect("abc", "913")


@pytest.mark.parametrize(
    "address",
    [
        "https://x/?code=abc&state=other",
        "https://x/?code=abc",
        "https://x/?state=s",
        "https://x/?error=access_denied",
        "https://x/?error=access_denied&state=other",
        "nonsense",
        "",
    ],
)
def test_another_address_is_refused(address):
    with pytest.raises(ConfigError):
        consent.read_redirect(address, "s")


def test_a_refusal_is_told_in_the_vendors_words():
    with pytest.raises(Unauthorized) as refused:
        consent.read_redirect(
            "https://x/?error=access_denied&error_description=No+thanks&state=s", "s"
        )

    assert (refused.value.vendor_code, refused.value.vendor_words) == ("access_denied", "No thanks")


@pytest.mark.parametrize(
    "answer", [HTMLResponse("<h1>Do you agree?</h1>"), RedirectResponse("/login")]
)
def test_a_page_on_this_machine_that_asks_a_person_is_left_to_one(answer):
    class Elsewhere(Vendor):
        def authorise_url(self, state: str, redirect_uri: str) -> str:
            return f"{page.url}/?state={state}&redirect_uri={redirect_uri}"

    vendor = Elsewhere()
    asking = Starlette(routes=[Route("/", lambda _asked: answer)])
    with serve(asking) as page:
        assert consent.agree_by_itself(vendor, "913") is False

    assert vendor.exchanged == []


def test_tokens_of_another_company_are_never_taken():
    vendor = Vendor()

    with pytest.raises(ConfigError, match="914"):
        consent.settle(vendor, consent.Redirect("abc", "914"), "https://x/", "913")

    assert vendor.exchanged == []


def test_the_code_is_exchanged_for_the_configured_company():
    vendor = Vendor()

    consent.settle(vendor, consent.Redirect("abc", "913"), "https://x/", "913")

    assert vendor.exchanged == [("abc", "https://x/", "913")]


def test_two_states_are_never_alike():
    assert consent.new_state() != consent.new_state()


def test_the_local_page_waits_for_the_redirect_and_ignores_strays():
    with consent.LocalPage() as page:

        def browse() -> None:
            with pytest.raises(urllib.error.HTTPError):
                urllib.request.urlopen(page.redirect_uri.replace("/connected", "/favicon.ico"))
            urllib.request.urlopen(page.redirect_uri + "?code=abc&state=s&realmId=913").close()

        browser = threading.Thread(target=browse)
        browser.start()
        address = page.wait(time.monotonic, 10)
        browser.join()

    assert consent.read_redirect(address, "s") == consent.Redirect("abc", "913")


def test_the_local_page_is_called_localhost():
    """Intuit takes an IP for no key, and localhost for development keys (R29)."""
    with consent.LocalPage() as page:
        assert page.redirect_uri.startswith("http://localhost:")


def test_the_local_page_gives_up():
    with consent.LocalPage() as page, pytest.raises(ConfigError, match="No consent"):
        page.wait(time.monotonic, 0.05)
