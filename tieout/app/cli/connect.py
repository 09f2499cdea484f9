"""``tieout connect``: a person lets Tieout reach a company."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from tieout.app.cli.exits import Exit
from tieout.app.cli.verb import Answer, Caller, table, verb
from tieout.model.contract import Authorises, Right
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
    """Let a company be reached, and say which rights that needs.

    COMPANY is its name in tieout.yaml. Where a person must agree (OAuth), a browser opens the
    vendor's page; when you agree, it comes back to a page on this machine and the tokens are
    sealed. Vendors refuse such an address for production keys: then set the company's redirect_url,
    and paste where the browser ends. Then, or where a token of the configuration is enough, it
    lists the least rights that the mappings need, and tries each by a call that changes nothing. It
    leaves with 1 when one is lacking.

    Examples:
      tieout connect books
      tieout connect books --paste

    JSON: {"company", "id", "until": instant or null, "rights": [{"right", "purpose", "held": true,
    false, or null where only the deed would tell, "said"}]}
    """
    from tieout.app import companies, consent, rights  # noqa: PLC0415 (imported when used)

    site = companies.Site(caller.directory, caller.settings())
    chosen = site.company(company)
    reads = rights.reads_of(site, company)
    with companies.session(site, company, reads=reads, asks=False) as connector:
        if chosen.token is None and isinstance(connector, Authorises):
            page = chosen.urls.get("authorise")
            makes_believe = page is not None and page.on_this_machine and not paste
            if not (makes_believe and consent.agree_by_itself(connector, chosen.id)):
                _ask(caller, connector, chosen, paste=paste, port=port, browser=not no_browser)
        elif not (chosen.token or chosen.client_id):
            raise ConfigError(
                f"{chosen.system} asks for no consent.",
                remedy="Set the company's token in tieout.yaml, or its client_id with a secret or "
                "key, as env:NAME or file:PATH; then `tieout connect` again.",
            )
    _, given = rights.who_and_what(site, company)
    until = companies.credentials_of(site, company).until
    values = {
        "company": company,
        "id": chosen.id,
        "until": until.isoformat() if until else None,
        "rights": [rights.plain(right) for right in given],
    }
    lines = [f"{company} ({chosen.system} {chosen.id}) is connected", *_right_lines(given)]
    if until:
        lines.append(f"A person must consent again before {until:%Y-%m-%d}")
    lacking = any(right.held is False for right in given)
    return Answer(values, lines, Exit.TROUBLE if lacking else Exit.DONE)


def _right_lines(given: Sequence[Right]) -> Iterator[str]:
    """Yield each right with whether it is held, and the vendor's words on one that is not."""
    words = {True: "held", False: "LACKING", None: "not to be tried"}
    rows = [(right.name, words[right.held], right.purpose) for right in given]
    yield from (f"  {line}" for line in table(("right", "", "for"), rows))
    yield from (f"  {right.name}: {right.said}" for right in given if right.said)


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
