"""The sentences of a certificate, made from its numbers, so that no text need be trusted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from limbeck.certificates.losses import BoundedLoss
from limbeck.certificates.planning import RowsNeeded, plan_counts
from limbeck.certificates.wording import (
    ACTIVE,
    ANYTIME,
    BETTING,
    against_asked,
    assumptions,
    identical_rows,
    in_percent,
    statement,
    surplus,
)
from limbeck.core.certificate import Certificate

__all__ = ["assumptions_of", "freshness", "loss_of", "plan_of", "statement_of"]


def freshness(seen: Mapping[str, Any] | None) -> str:
    """What is known about rows that training saw, from the numbers of the comparison."""
    if not seen:
        return (
            "No list of the rows that training saw was given: that these rows are fresh is"
            " the word of whoever gave them."
        )
    out = (
        f"The rows were compared with the {seen['rows']:,} rows that training saw:"
        f" {seen['hits']:,} of {seen['of']:,} coincide"
    )
    out += ", no more than repeats in the data explain." if seen["hits"] else "."
    if seen.get("cases") is not None:
        out += f" None of their cases is among the {seen['cases']:,} cases that training saw."
    return out


def loss_of(certificate: Certificate) -> BoundedLoss:
    """The loss of a certificate, from its numbers; a function of the user's own is not kept."""
    settings = certificate.settings
    low, high = settings.get("loss_range", (0.0, 1.0))
    found = settings.get("finds_tolerance", False)
    return BoundedLoss(
        certificate.loss,
        float(low),
        float(high),
        str(settings.get("unit", "")),
        None if found else certificate.tolerance,
        _not_kept if settings.get("own_loss") else None,
    )


def plan_of(certificate: Certificate) -> RowsNeeded | None:
    """What more rows would do, where an epsilon was asked for and is not reached."""
    plan, asked = certificate.settings.get("plan"), certificate.asked
    if plan is not None:
        return RowsNeeded(**plan)
    if asked is None or certificate.reached or not loss_of(certificate).counts:
        return None
    level = certificate.delta / certificate.settings.get("candidates", 1)
    return plan_counts(round(certificate.mean_loss * certificate.n), certificate.n, asked, level)


def statement_of(certificate: Certificate) -> str:
    """The statement that the numbers of a certificate make."""
    c, settings, loss = certificate, certificate.settings, loss_of(certificate)
    candidates, cases = settings.get("candidates", 1), settings.get("cases", False)
    out = statement(
        loss,
        epsilon=c.epsilon,
        delta=c.delta,
        n=c.n,
        mean=c.mean_loss,
        tolerance=c.tolerance,
        anytime=c.bound == ANYTIME,
        candidates=candidates,
        rows=settings.get("rows", c.n) - settings.get("copies", 0) if cases else None,
        questions=settings["active"]["asked"] if c.bound == ACTIVE else None,
    )
    if c.bound == ACTIVE and c.asked is not None and not c.reached:
        goal = in_percent(c.asked) if loss.counts else f"{c.asked:.6g}"
        out += f" The {goal} that was asked for is not reached with these rows."
    elif c.asked is not None:
        level, what = c.delta / candidates, "cases" if cases else "rows"
        out += against_asked(loss, c.epsilon, c.asked, level, c.mean_loss, plan_of(c), what)
    out += identical_rows(settings.get("copies", 0), settings.get("coincidences", 0))
    if settings.get("merged"):
        out += f" Cases that share a copied row count as one: {settings['merged']:,} joined others."
    return out + surplus(settings.get("rows", c.n), settings.get("drawn", 0))


def assumptions_of(certificate: Certificate) -> tuple[str, ...]:
    """What must be true for the statement, from the numbers of a certificate."""
    c, settings = certificate, certificate.settings
    return assumptions(
        loss_of(c),
        freshness=freshness(settings.get("seen")),
        anytime=c.bound in (ANYTIME, ACTIVE),
        candidates=settings.get("candidates", 1),
        groups=len(c.groups),
        order=c.bound in (BETTING, ANYTIME, ACTIVE),
        cases=settings.get("cases", False),
        identical=identity(settings),
        chosen=_chosen(settings["active"]) if c.bound == ACTIVE else "",
    )


def _chosen(active: Mapping[str, Any]) -> str:
    """How rows were chosen, from the settings of an active certificate."""
    whose = "the student's own doubt" if active["own_doubt"] else "a doubt that was given"
    return (
        f"Each row was asked about by chance (seed {active['seed']}, fixed before), with a"
        f" probability of at least {active['least']:.6g} that {whose} on it decides."
    )


def identity(settings: Mapping[str, Any]) -> str:
    """What identical rows were taken for, and by whom; empty where there were none."""
    copies, rule = settings.get("copies", 0), settings.get("duplicates", "auto")
    if not copies and not settings.get("coincidences", 0):
        return ""
    if rule == "keep":
        return (
            "Identical rows are draws of their own: so said whoever issued the certificate"
            ' (duplicates="keep").'
        )
    if rule == "drop":
        return (
            "Identical rows are copies: so said whoever issued the certificate"
            ' (duplicates="drop"). The statement is about different rows.'
        )
    if not copies:
        return "Identical rows are draws of their own, as happens where columns are discrete."
    return (
        "Identical rows are copies where chance does not explain them (by a value of their own in a"
        " continuous column, or as far more rows are identical than coincide): the statement is"
        " about different rows."
    )


def _not_kept(*_: Any) -> Any:
    raise NotImplementedError
