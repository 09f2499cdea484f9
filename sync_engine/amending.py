"""amending: what an amendment writes on a posted invoice, and why it must not be made. Pure.

Three sides are compared, field by field: what was sent, what the source says now, what the books
say now. What only the source changed is written, what only the books' people changed stays theirs,
and what both changed is for people to say (pain 7).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sync_engine.saying import EMPTY, says
from sync_engine.standing import Standing
from tieout.model.canonical import Plain, Values

OWN_WORDS = ("date", "lines", "custom_fields")  # of an invoice that a person made and linked
NEVER_AMENDED = frozenset({"memo", "prices", "currency", "customer"})  # by themselves
INSTEAD = "or void or credit it and issue it again."


def moved(standing: Standing, wanted: Values) -> Values:
    """Return what the source says otherwise than when it was posted, and the books do not say yet.

    Of an invoice that people made, all but ``OWN_WORDS`` stays theirs. What the connector shows of
    an update is all that a lost answer can be compared with, so nothing else is written.
    """
    fields = standing.invoice.fields
    values = {name: wanted[name] for name in _changed(standing, wanted)}
    if "custom_fields" in values:
        values["custom_fields"] = {**fields["custom_fields"], **_custom(standing, wanted)}
    if "lines" in values:
        values["prices"] = wanted["prices"]
    return values


def overwriting(standing: Standing, wanted: Values) -> Iterator[str]:
    """Yield what the books' people changed and an amendment would overwrite: pain 7."""
    fields, answered = standing.invoice.fields, standing.answered
    for name in _changed(standing, wanted):
        if name == "custom_fields":
            before = _texts(answered.get(name))
            now = _texts(fields[name])
            is_theirs = any(
                before.get(one) != now.get(one) for one in _custom(standing, wanted) if answered
            )
        else:
            is_theirs = name in answered and not says(fields[name], answered[name])
        if is_theirs:
            words = name.replace("_", " ")
            were = "were" if words.endswith("s") else "was"
            yield (
                f"Its {words} {were} changed in the books too, and would be lost: change the "
                f"{words} there to what the deal says, {INSTEAD}"
            )
        elif name == "lines" and not _agrees(standing):
            yield (
                "Its lines in the books were never the deal's, and would be lost: change the lines "
                f"there to what the deal says, {INSTEAD}"
            )


def uncleared(standing: Standing, wanted: Values) -> Iterator[str]:
    """Yield what the source has no more and an amendment would leave on the invoice.

    A sparse update leaves what it does not name, and QuickBooks takes some fields off by neither a
    null nor an empty text (Intuit's answer in intuit/QuickBooks-V3-DotNET-SDK, issue 113), so
    nothing is sent that might leave it there unsaid. What accountants changed since is theirs.
    """
    left = [name.replace("_", " ") for name in _left_behind(standing, wanted)]
    if left:
        names = ", ".join(left)
        yield (
            f"The deal has no longer what its invoice says: {names}. An amendment cannot take that "
            f"off: empty it in the books and amend what else there is, {INSTEAD}"
        )


def _left_behind(standing: Standing, wanted: Values) -> Iterator[str]:
    fields, sent = standing.invoice.fields, standing.sent or {}
    for name, before in sent.items():
        if name in NEVER_AMENDED or name in ("lines", "custom_fields") or name not in fields:
            continue
        if before not in EMPTY and wanted.get(name) in EMPTY and says(fields[name], before):
            yield name
    now, shown = _texts(wanted.get("custom_fields")), _texts(fields.get("custom_fields"))
    for name, before in _texts(sent.get("custom_fields")).items():
        if before not in EMPTY and now.get(name) in EMPTY and says(shown.get(name), before):
            yield f"custom field {name}"


def _changed(standing: Standing, wanted: Values) -> Iterator[str]:
    """Yield the fields that the source changed and the books show otherwise."""
    fields, sent = standing.invoice.fields, standing.sent
    for name, value in wanted.items():
        if name in NEVER_AMENDED or name not in fields:
            continue
        if (name not in OWN_WORDS) if sent is None else (sent.get(name) == value):
            continue
        if name == "custom_fields":
            if _custom(standing, wanted):
                yield name
        elif not says(fields[name], value if name != "lines" else _whole(value, sent)):
            yield name


def _whole(lines: Plain, sent: Values | None) -> Plain:
    """Return lines that say too what they have no longer: a description that was taken away."""
    before = (sent or {}).get("lines")
    if not isinstance(lines, Sequence) or not isinstance(before, Sequence):
        return lines
    named = {name: None for line in before if isinstance(line, Mapping) for name in line}
    return [{**named, **line} if isinstance(line, Mapping) else line for line in lines]


def _custom(standing: Standing, wanted: Values) -> dict[str, Plain]:
    """Return the custom fields that the source changed and the books show otherwise."""
    sent = _texts((standing.sent or {}).get("custom_fields"))
    shown = _texts(standing.invoice.fields["custom_fields"])
    return {
        name: text
        for name, text in _texts(wanted.get("custom_fields")).items()
        if sent.get(name) != text and not says(shown.get(name), text)
    }


def _texts(values: object) -> Mapping[str, Any]:
    return values if isinstance(values, Mapping) else {}


def _agrees(standing: Standing) -> bool:
    """Whether an adopted invoice had the lines of its source; what we sent had."""
    lines = standing.answered.get("lines")
    if standing.agreed is None or lines is None:
        return True
    return tuple(line["amount"] for line in lines) == standing.agreed
