"""A portal's consent to an OAuth app, beside service keys: whose tokens sign and renew."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from connectors.hubspot import paths
from connectors.hubspot.facts import SYSTEM, facts
from connectors.hubspot.oauth import App, OAuth
from tieout.credentials import CompanyTokens, secret
from tieout.model.contract import Opening
from tieout.model.errors import ConfigError

APP = frozenset({"client_id", "client_secret"})


class Consents:
    """Who signs for one portal: a service key that somebody keeps, or tokens that a person gave.

    Addresses, beside ``api``: ``authorise`` and ``tokens``; HubSpot's own where they are not given.
    """

    def __init__(
        self,
        opening: Opening,
        urls: Mapping[str, str],
        credentials: Any,
        now: Callable[[], datetime],
        sleep: Callable[[float], None],
    ) -> None:
        self._opening = opening
        self._urls = urls
        self.oauth = OAuth(self._app, now=now, sleep=sleep)
        self._tokens = credentials if isinstance(credentials, CompanyTokens) else None
        self.credentials = credentials
        if self._tokens is not None:
            self.credentials = self._tokens.renewed_by(self.oauth.renew)

    def rates(self, known: Mapping[str, int]) -> Mapping[str, int]:
        """Return the rates that hold before any answer: an app's, where one is registered."""
        if not self._opening.options.get("client_id"):
            return known
        return {**known, "calls_per_ten_secs": facts().app_calls_per_ten_secs}

    def exchange(self, code: str, redirect_uri: str, company_id: str) -> None:
        """Change a code into tokens, if it is this portal's, and keep them.

        An answer that does not say whose it is stands: who asks then is told by ``check``.

        Raises:
            ConfigError: the person chose another portal, or the tokens are kept elsewhere.
            Unauthorized: the code is not accepted.
        """
        if self._tokens is None:
            raise ConfigError(f"The tokens of {SYSTEM}:{company_id} are kept elsewhere.")
        consent = self.oauth.exchange(code, redirect_uri)
        wanted = self._opening.company_id
        if company_id != wanted or consent.portal_id not in ("", wanted):
            raise ConfigError(
                f"The person chose portal {consent.portal_id or company_id}, not {wanted}.",
                remedy="Choose the right account on HubSpot's page, or correct the company's id.",
            )
        self._tokens.store(consent.grant)

    def close(self) -> None:
        """Give back connections."""
        self.oauth.close()

    def _app(self) -> App:
        known, options = facts(), self._opening.options
        if not options.get("client_id") or not options.get("client_secret"):
            raise ConfigError(
                f"There is no way to sign for {SYSTEM}:{self._opening.company_id}.",
                remedy="Set the company's token (a service key), or the client_id and "
                "client_secret of an OAuth app, as env:NAME or file:PATH.",
            )
        api = self._urls.get("api") or known.api
        version = str(options.get("version", known.version))
        return App(
            client_id=secret(str(options["client_id"])),
            client_secret=secret(str(options["client_secret"])),
            authorise_url=self._urls.get("authorise") or known.authorise,
            token_url=self._urls.get("tokens") or api.rstrip("/") + paths.token(version),
        )
