"""What our own fields are called in a CRM: a prefix and single names that a company chooses.

The option ``field_prefix`` names all anew, ``field_NAME`` one of them by our name for it, as
``field_invoice_number``. A name that the system would not take is refused before anything is asked.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from tieout.model.errors import ConfigError

PREFIX = "field_prefix"
ONE = "field_"


@dataclass(frozen=True, slots=True)
class NameRule:
    """What one system takes as the name of a field.

    Attributes:
        system: its title.
        default: the prefix of ours, without the underscore.
        prefix: what a prefix may be, and ``prefix_words`` says it.
        name: what a whole name without ``suffix`` may be, and ``name_words`` says it.
        longest: how many characters a name without ``suffix`` has at most.
        suffix: how each name of a custom field ends.
        keeps_prefix: whether a single name must begin with the prefix, too.
        reserved: how a name must not begin, as it is the system's own.
    """

    system: str
    default: str
    prefix: str
    prefix_words: str
    name: str
    name_words: str
    longest: int
    suffix: str = ""
    keeps_prefix: bool = False
    reserved: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Names:
    """What a company chose: a prefix, and single names by those that they replace."""

    default: str
    prefix: str
    single: tuple[tuple[str, str], ...] = ()

    def rename(self, text: str) -> str:
        """Return a name of ours as the company wants it; any other text stays."""
        chosen = dict(self.single).get(text)
        if chosen is not None:
            return chosen
        if text == self.default or text.startswith(f"{self.default}_"):
            return f"{self.prefix}{text[len(self.default) :]}"
        return text

    def renamed(self, said: Any) -> Any:
        """Return facts with each text that is a name of ours renamed."""
        if isinstance(said, dict):
            return {name: self.renamed(held) for name, held in said.items()}
        if isinstance(said, list):
            return [self.renamed(held) for held in said]
        return self.rename(said) if isinstance(said, str) else said


def options_of(ours: Collection[str]) -> frozenset[str]:
    """Return the options by which fields can be named."""
    return frozenset({PREFIX, *(f"{ONE}{name}" for name in ours)})


def names_of(
    options: Mapping[str, Any], ours: Mapping[str, str], taken: Collection[str], rule: NameRule
) -> Names:
    """Return what a company chose.

    Args:
        options: the company's.
        ours: the system's names of our fields, by ours.
        taken: names that the system's own fields have.
        rule: what the system takes.

    Raises:
        ConfigError: a name that the system would not take, or that two fields would have.
    """
    prefix = str(options.get(PREFIX, rule.default))
    if re.fullmatch(rule.prefix, prefix, re.ASCII) is None:
        raise ConfigError(
            f"The option {PREFIX} cannot be {prefix!r}.",
            remedy=f"In {rule.system} a prefix is {rule.prefix_words}.",
        )
    single = tuple(
        (old, str(options[f"{ONE}{name}"]))
        for name, old in ours.items()
        if f"{ONE}{name}" in options
    )
    names = Names(rule.default, prefix, single)
    used: dict[str, str] = {name.casefold(): f"{rule.system}'s own field" for name in taken}
    for name, old in ours.items():
        chosen = names.rename(old)
        option = f"{ONE}{name}" if f"{ONE}{name}" in options else PREFIX
        _check(option, chosen, prefix, rule)
        other = used.setdefault(chosen.casefold(), name)
        if other != name:
            raise ConfigError(
                f"{chosen} would be the name of {name} and of {other}.",
                remedy=f"Give the option {option} another name.",
            )
    return names


def _check(option: str, chosen: str, prefix: str, rule: NameRule) -> None:
    plain = chosen.removesuffix(rule.suffix)
    wrong = ""
    if rule.suffix and plain == chosen:
        wrong = f"it must end in {rule.suffix}, as each custom field does"
    elif len(plain) > rule.longest:
        beside = f" beside {rule.suffix}" if rule.suffix else ""
        wrong = f"it has {len(plain)} characters{beside}, and {rule.longest} is the most"
    elif re.fullmatch(rule.name, plain, re.ASCII) is None:
        wrong = f"a name is {rule.name_words}"
    elif plain.startswith(rule.reserved):
        wrong = f"what begins with {' or '.join(rule.reserved)} is {rule.system}'s own"
    elif rule.keeps_prefix and not plain.startswith(f"{prefix}_"):
        wrong = f"it must begin with {prefix}_, the prefix of the publisher that makes it"
    if wrong:
        raise ConfigError(
            f"{rule.system} would not take {chosen!r} as the name of a field: {wrong}.",
            remedy=f"Correct the option {option}.",
        )
