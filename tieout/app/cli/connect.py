"""``tieout connect``: a person lets Tieout reach a company."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from tieout.app.cli.verb import Answer, Caller, verb
from tieout.model.contract import Authorises
from tieout.model.errors import ConfigError

if TYPE_CHECKING:
    from tieout.app.settings import Company


@click.command(name="connect")
@click.argument("company")
@click.option("--paste", is_flag=True, help="Paste the address that the browser ends at.")
@click.option(
    "--port",
    default=8803,
    show_default=True,
    type=click.IntRange(1, 65_535),
    help="Of the local page.",
)
@click.option("--no-browser", is_flag=True, help="Only print the address to open.")
@verb
def command(caller: Caller, company: str, *, paste: bool, port: int, no_browser: bool) -> Answer:
    """Let a company's books be reached (OAuth).

    COMPANY is its name in tieout.yaml. A browser opens the vendor's page; when you agree, it comes
    back to a page on this machine and the tokens are sealed. Vendors refuse such an address for
    production keys: then set the company's redirect_url, and paste where the browser ends.

    Examples:
      tieout connect books
      tieout connect books --paste

    JSON: {"company", "id", "until": instant or null}
    """
    from tieout.app import companies, consent  # noqa: PLC0415 (imported when used)

    site = companies.Site(caller.directory, caller.settings())
    chosen = site.company(company)
    with companies.session(site, company, asks=False) as connector:
        if not isinstance(connector, Authorises):
            raise ConfigError(
                f"{chosen.system} asks for no consent.",
                remedy="Set the company's token in tieout.yaml, or its client_id with a secret or "
                "key, as env:NAME or file:PATH; then `tieout check --online`.",
            )
        page = chosen.urls.get("authorise")
        makes_believe = page is not None and page.on_this_machine and not paste
        if not (makes_believe and consent.agree_by_itself(connector, chosen.id)):
            _ask(caller, connector, chosen, paste=paste, port=port, browser=not no_browser)
    until = companies.credentials_of(site, company).until
    values = {"company": company, "id": chosen.id, "until": until.isoformat() if until else None}
    lines = [f"{company} ({chosen.system} {chosen.id}) is connected"]
    if until:
        lines.append(f"A person must consent again before {until:%Y-%m-%d}")
    return Answer(values, lines)


def _ask(
    caller: Caller,
    connector: Authorises,
    company: Company,
    *,
    paste: bool,
    port: int,
    browser: bool,
) -> None:
    """Let a person consent on the vendor's page, and take what it sends back."""
    from tieout.app import consent  # noqa: PLC0415 (imported when used)

    state = consent.new_state()
    if paste or company.redirect_url:
        redirect_uri = str(company.redirect_url or f"http://localhost:{port}{consent.PATH}")
        _open(caller, connector.authorise_url(state, redirect_uri), browser=browser)
        address = click.prompt("Paste the address that the browser shows then", err=True)
    else:
        with consent.LocalPage(port) as page:
            redirect_uri = page.redirect_uri
            _open(caller, connector.authorise_url(state, redirect_uri), browser=browser)
            address = page.wait(time.monotonic)
    consent.settle(connector, consent.read_redirect(address, state), redirect_uri, company.id)


def _open(caller: Caller, address: str, *, browser: bool) -> None:
    caller.say(f"Open this page and agree:\n\n  {address}\n")
    if browser:
        click.launch(address)
