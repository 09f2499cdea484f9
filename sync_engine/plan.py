"""plan: what would be done about each sketch, frozen with its hash, and why not where it cannot.

A plan is made anew whenever its world moved; it keeps its approval only while its hash stays the
same. What is already posted is never planned again: a change of it is for ``reconcile``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime

from sync_engine.addresses import source_address
from sync_engine.collected import sent_with
from sync_engine.frozen import keep_plan, recall, standing_decision, state_of_same_plan
from sync_engine.kin import leaves_its_kin
from sync_engine.ledger.spelling import amount_text
from sync_engine.ledger.store import Row, Writes
from sync_engine.mirror import preferences
from sync_engine.mirror_rows import Mirror
from sync_engine.new_records import document_row, made_since, plan_new_records
from sync_engine.pair import Pair
from sync_engine.preflight import preflight
from sync_engine.receipts import adopt
from sync_engine.resolve import Resolved, Resolver
from sync_engine.sketch import Sketch, content_of, order_of
from sync_engine.states import (
    ASKED,
    COLLECTED,
    LEFT_ALONE,
    NOT_DUE,
    OVERRULED,
    UNREADABLE,
)
from sync_engine.tasks import APPROVAL, FINDING, REFUSED, Wanted, answers, from_finding, keep
from sync_engine.twins import identity, twins
from tieout.model.canonical import canonical, digest
from tieout.model.change import Create, Finding, Plan, Severity
from tieout.model.dates import day_of
from tieout.model.document import Document, Payment, TaxBy
from tieout.model.money import Money

HOLDABLE = frozenset({"planned", COLLECTED, "waiting", "approved", "blocked"})
CONSEQUENCES = {  # what a finding brings with it, by its code
    "missing-relation": ("no-customer", "no-tax-code"),
    "ambiguous-relation": ("no-customer", "no-tax-code"),
    "formula": ("no-tax-code",),
}
FINAL = frozenset({LEFT_ALONE, "retry"})  # the later of the two holds


def plan_sketch(tx: Writes, pair: Pair, sketch: Sketch, now: datetime, mirror: Mirror) -> None:
    """Write down what a source's document is now: planned, blocked with reasons, or left alone."""
    held = tx.one("document_get", key=str(sketch.key))
    if held is not None and (
        held["state"] in ASKED or (sketch.is_member and sent_with(tx, held["key"]))
    ):
        _keep_what_it_says_now(tx, held, sketch)
        return
    if sketch.state not in ("unreadable", "unknown") and adopt(tx, pair, sketch):
        adopted = tx.one("document_get", key=str(sketch.key))
        assert adopted is not None
        _keep_what_it_says_now(tx, adopted, sketch)
        return
    if sketch.skipped or sketch.state in ("gone", "merged"):
        if held is not None or sketch.skipped:
            tx.run("needs_clear", key=str(sketch.key))
            _put(tx, pair, sketch, held, state="skipped", reason=sketch.skipped or sketch.state)
            _keep_tasks(tx, pair, sketch, held, (), state="skipped")
        return
    was_whole = held is not None and (held["plan_hash"] or (sketch.is_member and held["net"]))
    if held is not None and was_whole and sketch.is_unread:
        _hold_as_it_was(tx, pair, sketch, held)
        return
    _plan_or_block(tx, pair, sketch, held, now, mirror)


def _hold_as_it_was(tx: Writes, pair: Pair, sketch: Sketch, held: Row) -> None:
    """Hold a document whose records cannot be read now: its plan and what it comes to stay."""
    if held["state"] not in HOLDABLE:
        return
    if held["reason"] != UNREADABLE:
        at = tx.now_text()
        decided = held["plan_hash"] and standing_decision(tx, held["key"], held["plan_hash"])
        if decided not in (None, held["state"]):
            recall(tx, held, at)
        tx.run("document_state", key=held["key"], state="blocked", reason=UNREADABLE, at=at)
    _keep_tasks(tx, pair, sketch, held, sketch.findings, state="blocked")


def _plan_or_block(
    tx: Writes, pair: Pair, sketch: Sketch, held: Row | None, now: datetime, mirror: Mirror
) -> None:
    answered = answers(tx, str(sketch.key))
    if _left_alone(answered):
        _put(tx, pair, sketch, held, state="rejected", reason="ignored")
        _keep_tasks(tx, pair, sketch, held, (), state="rejected")
        return
    resolved, findings = _judged(tx, pair, sketch, answered, mirror)
    if sketch.is_member:
        tx.run("needs_clear", key=str(sketch.key))
        _collect(tx, pair, sketch, held, resolved, _standing(findings, answered))
        return
    findings += plan_new_records(tx, pair, sketch, resolved, now)
    findings = _standing(findings, answered)
    along = tuple(row["plan_hash"] for row in tx.all("needs_plans", key=str(sketch.key)))
    plan = _plan(sketch, resolved, tuple(dict.fromkeys(findings)), along)
    reason: str | None = None
    not_due = _not_due(sketch, day_of(now, pair.time_zone))
    if plan is None and not_due and not findings:
        state, reason = "planned", not_due
    elif plan is None or plan.blocked:
        state = "blocked"
        reason = next(found.code for found in findings if found.severity is not Severity.WARN)
    else:
        state = state_of_same_plan(tx, held, plan)
        if held is not None and state == "rejected":
            reason = held["reason"]
        if state == "approved" and tx.all("needs_planned", key=str(sketch.key)):
            state = "planned"  # what it waits for moved: both are decided about anew
        if not_due and state not in ("rejected", "refused"):
            state, reason = "planned", not_due
    keep_plan(tx, pair, plan, now)
    _put(tx, pair, sketch, held, state=state, reason=reason, plan=plan, resolved=resolved)
    if held is not None and held["state"] == "approved" and state != "approved":
        tx.journal("tieout", "approval fell", str(sketch.key), {"plan": held["plan_hash"]})
    _keep_tasks(tx, pair, sketch, held, tuple(findings), state=state)


def _judged(
    tx: Writes, pair: Pair, sketch: Sketch, answered: Mapping[str, Row], mirror: Mirror
) -> tuple[Resolved, list[Finding]]:
    """Return a document's values for the books, and all that was found about it."""
    findings = [*sketch.findings, *identity(tx, pair, sketch)]
    document = sketch.document
    if document is None:
        return Resolved(), findings
    said = {code: row for key, _ in sketch.members for code, row in answers(tx, key).items()}
    resolver = Resolver(tx, pair, mirror, sketch.mapping.identity, {**said, **answered})
    resolved = resolver.resolve(document, made_since(tx, str(sketch.key)))
    findings += resolved.findings
    findings += preflight(
        document,
        resolved.values,
        preferences(tx, pair),
        pair.books.capabilities,
        numbers_ours=pair.numbers_ours,
    )
    findings += twins(tx, pair, document, resolved)
    return resolved, findings


def _standing(findings: list[Finding], answered: Mapping[str, Row]) -> list[Finding]:
    """Leave out what only follows from another finding, and what a person overruled."""
    return [found for found in _causes(findings) if not _overruled(found, answered)]


def _collect(
    tx: Writes,
    pair: Pair,
    sketch: Sketch,
    held: Row | None,
    resolved: Resolved,
    findings: list[Finding],
) -> None:
    """Write down that a source goes with others, or what holds it: it has no plan of its own."""
    blocking = [found.code for found in findings if found.severity is not Severity.WARN]
    state = "blocked" if blocking else COLLECTED
    reason = blocking[0] if blocking else None
    if not blocking:
        assert sketch.goes_with is not None  # its period and customer are known, or else found
        reason = sketch.goes_with.period.name
    _put(tx, pair, sketch, held, state=state, reason=reason, resolved=resolved)
    _keep_tasks(tx, pair, sketch, held, tuple(findings), state=state)


def _not_due(sketch: Sketch, today: date) -> str | None:
    """Return why a part waits for its day, None where that has come or it waits for none."""
    if not sketch.is_dated or (sketch.day is not None and sketch.day <= today):
        return None
    return NOT_DUE if sketch.day is None else f"{NOT_DUE}:{sketch.day.isoformat()}"


def _plan(
    sketch: Sketch, resolved: Resolved, findings: tuple[Finding, ...], along: tuple[str, ...]
) -> Plan | None:
    document = sketch.document
    if document is None:
        return None
    return Plan(
        key=str(sketch.key),
        mapping=sketch.mapping.name,
        mapping_version=sketch.mapping.version,
        change=Create(document.kind, resolved.values),
        title=sketch.title,
        needs=tuple(sorted(resolved.needs)),
        findings=findings,
        net=document.net,
        expected=_expected(document),
        tolerance=_tolerance(document),
        source=sketch.ref,
        along=along,
    )


def _causes(findings: list[Finding]) -> list[Finding]:
    """Leave out what only follows from another finding: one cause is one task."""
    found = {finding.code for finding in findings}
    follow = {code for cause in found for code in CONSEQUENCES.get(cause, ())}
    return [finding for finding in findings if finding.code not in follow]


# -- answers ------------------------------------------------------------------------------------


def _left_alone(answered: Mapping[str, Row]) -> bool:
    """Whether the latest word on this document is to ignore it."""
    said = sorted(answered.values(), key=lambda row: int(row["id"]))
    return next(
        (row["answer"] == LEFT_ALONE for row in reversed(said) if row["answer"] in FINAL), False
    )


def _overruled(finding: Finding, answered: Mapping[str, Row]) -> bool:
    row = answered.get(finding.code)
    return (
        row is not None
        and finding.severity is Severity.ASK
        and row["answer"] == OVERRULED
        and OVERRULED in finding.choices
        and not finding.code.startswith(("no-", "which-"))
    )


# -- writing down -------------------------------------------------------------------------------


def _put(
    tx: Writes,
    pair: Pair,
    sketch: Sketch,
    held: Row | None,
    *,
    state: str,
    reason: str | None,
    plan: Plan | None = None,
    resolved: Resolved | None = None,
) -> None:
    document = sketch.document
    content = canonical(content_of(document))
    net = None if state == "skipped" else sketch.net
    customer = None if resolved is None else resolved.customer
    plan_hash = None if plan is None else plan.hash
    known = (state, reason, digest(content), plan_hash, amount_text(net), customer)
    if held is not None and known == (
        held["state"], held["reason"], held["content_hash"], held["plan_hash"], held["net"],
        held["customer"],
    ):  # fmt: skip
        return
    leaves_its_kin(tx, held, state)
    tx.run(
        "document_put",
        **document_row(pair, sketch, str(sketch.key), sketch.key, tx.now_text()),
        **source_address(sketch.ref),
        part=sketch.part,
        kind=sketch.mapping.to,
        state=state,
        reason=reason,
        title=sketch.title,
        content=content,
        content_hash=digest(content),
        net=amount_text(net),
        currency=None if sketch.net is None else sketch.net.currency.code,
        purchase_order=order_of(document) or (held["purchase_order"] if held else None),
        customer=customer,
        name_key=None,
        plan_hash=plan_hash,
    )


def _keep_what_it_says_now(tx: Writes, held: Row, sketch: Sketch) -> None:
    """Keep what the source of a posted document says now; reconcile compares the two."""
    alive = sketch.state == "live" and not sketch.skipped
    if sketch.state in ("unreadable", "unknown") or sketch.is_unread:
        return  # a failed read says nothing (pain 13)
    content = canonical(content_of(sketch.document)) if sketch.document else "null"
    now = {
        "content_hash": digest(content),
        "net": amount_text(sketch.net) if alive else None,
        "currency": held["currency"] if sketch.net is None else sketch.net.currency.code,
        "reason": None if alive else (sketch.skipped and "not-won") or sketch.state,
        "purchase_order": order_of(sketch.document) or held["purchase_order"],
    }
    if any(held[name] != value for name, value in now.items()):
        tx.run("document_now", key=held["key"], content=content, at=tx.now_text(), **now)


def _keep_tasks(
    tx: Writes,
    pair: Pair,
    sketch: Sketch,
    held: Row | None,
    findings: tuple[Finding, ...],
    *,
    state: str,
) -> None:
    blocking = [finding for finding in findings if finding.severity is not Severity.WARN]
    if held is None and not blocking:
        return
    wanted = {finding.code: from_finding(finding, sketch.title) for finding in reversed(blocking)}
    for code, task in wanted.items():
        messages = [finding.message for finding in blocking if finding.code == code]
        wanted[code] = replace(task, message=_joined(dict.fromkeys(messages)))
    families: dict[str, list[Wanted]] = {}
    for left, family in (("waiting", APPROVAL), ("refused", REFUSED)):
        if held is not None and held["state"] == left and state != left:
            families[family] = []
    families[FINDING] = list(reversed(wanted.values()))  # last: one of its code may stand there
    moved = [
        keep(
            tx,
            pair=pair.name,
            family=family,
            subject=str(sketch.key),
            source=sketch.ref,
            wanted=tasks,
        )
        for family, tasks in families.items()
    ]
    if any(moved):
        tx.run("document_look_at", key=str(sketch.key))


def _joined(messages: Iterable[str]) -> str:
    """Return several messages as sentences of one text."""
    *firsts, last = messages
    return " ".join([*(one if one.endswith(".") else f"{one}." for one in firsts), last])


def _expected(document: Document) -> Money | None:
    """Return the gross that the books should answer, where the mapping knows the tax."""
    if isinstance(document, Payment):
        return document.amount
    tax = document.tax
    if tax.by is TaxBy.BOOKS or tax.amount is None:
        return None
    return document.net + tax.amount if tax.prices.value == "exclusive" else document.net


def _tolerance(document: Document) -> Money | None:
    if isinstance(document, Payment) or not document.tax.tolerance:
        return None
    return Money.rounded(document.tax.tolerance, document.currency)
