"""When a plan needs a person: ``automatic``, ``by_hand``, ``automatic under 5000 EUR``."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tieout.model.errors import ConfigError, ValueRefused
from tieout.model.money import Money

_UNDER = re.compile(r"automatic under (\S+) ([A-Z]{3})\Z")


@dataclass(frozen=True, slots=True)
class Policy:
    """The rule that asks. ``under`` None with ``automatic`` means that nothing asks."""

    name: str
    automatic: bool
    under: Money | None = None

    def approves(self, net: Money | None) -> bool:
        """Whether a plan of this net needs no person.

        An amount in another currency than the limit's is never under it: no rate is guessed.
        """
        if not self.automatic:
            return False
        if self.under is None:
            return True
        return net is not None and net.currency == self.under.currency and net < self.under


def parse_policy(text: str) -> Policy:
    """Return the policy of its words.

    Raises:
        ConfigError: not one of the three forms.
    """
    if text == "automatic":
        return Policy(text, automatic=True)
    if text == "by_hand":
        return Policy(text, automatic=False)
    form = _UNDER.match(text)
    if form is not None:
        try:
            under = Money.of(form[1], form[2])
        except ValueRefused as wrong:
            raise ConfigError(f"approve: {wrong}") from wrong
        if under.amount > 0:
            return Policy(text, automatic=True, under=under)
    raise ConfigError(
        f"approve: {text!r} is not a policy.",
        remedy="Write automatic, by_hand, or automatic under 5000 EUR.",
    )
