"""Consent: the alarm that rings before a person's consent ends, and with it all that we do."""

from __future__ import annotations

from datetime import datetime, timedelta

from sync_engine.ledger.sqlite import Ledger
from sync_engine.pair import Pair
from sync_engine.tasks import CONSENT, Wanted, keep
from tieout.model.contract import CONSENT_DAYS, Authorises


def judge_consent(ledger: Ledger, pair: Pair, now: datetime) -> None:
    """Keep a task for each company whose consent ends soon; it closes when it was given again.

    Asks no system: the end was said with the tokens. A token that is renewed moves it (R26).

    Raises:
        Unauthorized: there are no tokens, or they cannot be read.
    """
    for connector in (pair.crm, pair.books):
        until = connector.consent_until() if isinstance(connector, Authorises) else None
        wanted = []
        if until is not None and until - now < timedelta(days=CONSENT_DAYS):
            wanted = [
                Wanted(
                    "consent-ends",
                    "Consent ends soon",
                    f"The consent for {connector.company} ends on {until:%Y-%m-%d}. From then on "
                    "nothing is read from it or sent to it.",
                    "Run `tieout connect COMPANY` before that day; the round goes on until then.",
                )
            ]
        subject = f"{pair.name}:{connector.company}"
        if wanted or ledger.all("task_open_of", family=CONSENT, subject=subject):
            with ledger.transaction() as tx:
                keep(
                    tx, pair=pair.name, family=CONSENT, subject=subject, source=None, wanted=wanted
                )
