"""An audit in plain words: what can be concluded, what cannot, and what to do next."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from limbeck.reports.markup import Child, Html, join, tag
from limbeck.reports.numbers import count, percent
from limbeck.results.audit_sections.facts import AuditFacts
from limbeck.results.audit_sections.rates import four_fifths

__all__ = ["Summary", "in_short", "summary_of"]

_SENTENCES = 3  # differences told in the summary; the page has all
_STATEMENTS = 3
_NAMES = 6
_FIRMLY = 0.05
_ALL = 0.98  # of the score, above which hardly anything is left that could be missing
_ALWAYS = (
    "Why the score treats a column as it does: the audit describes, it gives no cause.",
    "That the score uses a column, where another that goes along with it would explain the same"
    " scores.",
    "Anything on people unlike those in these rows, or on a later version of the model.",
    "Whether the outcome column itself records fairly what happened.",
)
_NOTES = ("groups", "certificate")  # caveats that doubt neither rows nor columns
_ACTED = (
    "Ask what was done with the scores, and for whom the outcome could be seen. Audit rows on which"
    " nobody acted, if there are any."
)


@dataclass(frozen=True)
class Summary:
    """Three lists of sentences, each to be read alone."""

    can: tuple[str, ...]
    cannot: tuple[str, ...]
    next: tuple[str, ...]


def summary_of(audit: AuditFacts) -> Summary:
    """What an audit allows to say, in plain words.

    Parameters
    ----------
    audit : AuditFacts
        What was found.

    Returns
    -------
    Summary
        Leaks come first: where a column tells the outcome alone, little else can be said.
    """
    return Summary(
        (*_leaks(audit), *_calibrated(audit), *_explained(audit), *_held(audit), *_told(audit)),
        (*_not_of_missing(audit), *_silent(audit), *_ALWAYS),
        tuple(_steps(audit)),
    )


def in_short(audit: AuditFacts) -> Html:
    """The summary as the page opens with it."""
    found = summary_of(audit)
    parts: tuple[tuple[str, tuple[str, ...], str], ...] = (
        ("What can be concluded", found.can, "yes"),
        ("What cannot be concluded", found.cannot, "no"),
        ("What to do next", found.next, "then"),
    )
    cards: list[Child] = [
        tag("div", tag("h2", title, class_=mark), tag("ul", *(tag("li", s) for s in lines)),
            class_="card")
        for title, lines, mark in parts
        if lines
    ]  # fmt: skip
    return tag("div", join(cards), class_="short")


def _leaks(audit: AuditFacts) -> list[str]:
    leaks = _subjects(audit, "leak")
    if not leaks:
        return []
    many = len(leaks) > 1
    return [
        f"Little, as long as {_list(leaks)} {'are' if many else 'is'} among the columns:"
        f" {'they tell' if many else 'it tells'} the outcome alone, and may have been recorded"
        " after it. All that follows is said of the table as it is."
    ]


def _calibrated(audit: AuditFacts) -> list[str]:
    """Whether higher scores go with more outcomes, and how many at both ends."""
    c = audit.calibration
    if c is None or len(c.rate) < 2 or audit.outcome is None:
        return []
    rises = c.rate[-1] > c.rate[0]
    if rises and c.p_monotone < _FIRMLY:
        return [
            f"The share of rows with {audit.outcome} = 1 falls somewhere as the score rises: see"
            " the curve below."
        ]
    digits = 0 if min(c.rate[0], c.rate[-1]) >= 0.02 else 1
    first, last = percent(c.rate[0], digits), percent(c.rate[-1], digits)
    if first == last:
        return []
    more = "more" if rises else "fewer"
    return [
        f"Higher scores go with {more} outcomes: {first} of the rows with the lowest scores have"
        f" {audit.outcome} = 1, and {last} of those with the highest."
    ]


def _explained(audit: AuditFacts) -> list[str]:
    r2 = audit.fidelity.score_r2
    if not math.isfinite(r2.value):
        return []
    if r2.low >= _ALL:
        return [f"The {_columns(audit)} explain how the scores differ, practically without rest."]
    if r2.high <= _FIRMLY:
        return ["The audited columns explain hardly anything of how the scores differ."]
    return [
        f"The {_columns(audit)} explain {percent(r2.value, 0)} ({percent(max(r2.low, 0), 0)} to"
        f" {percent(r2.high, 0)}) of how the scores differ, as far as one curve for each column"
        " can."
    ]


def _told(audit: AuditFacts) -> list[str]:
    """The surest differences, and impact ratios that are surely low."""
    out = []
    if audit.differences is not None:
        said = [s for s in audit.differences.sentences if not _is_silence(s)]
        out += said[:_SENTENCES]
        left = len(said) - _SENTENCES
        if left > 0:
            out.append(
                f"{count(left)} more such sentence{'s' * (left > 1)} on single columns, below."
            )
    return out + [
        s for s in four_fifths(audit) if "below four fifths, also" in s and " not " not in s
    ]


def _surely_low(audit: AuditFacts) -> list[str]:
    return [s for s in four_fifths(audit) if ", below four fifths" in s]


def _held(audit: AuditFacts) -> list[str]:
    """Directions that hold in every near-equal model of the score."""
    found = audit.model_multiplicity
    if found is None:
        return []
    firm = [s.text for s in found.statements if s.share >= 1 and " for " in s.text]
    if not firm:
        return []
    return [
        f"In all {count(found.students)} models that follow the score about equally well: "
        + " ".join(firm[:_STATEMENTS])
    ]


def _not_of_missing(audit: AuditFacts) -> list[str]:
    if audit.outcome is None:
        return ["Whether the score is right: there is no outcome to check it against."]
    if audit.missing is None:
        return []
    return {
        "missing feature": [
            "What it is that the score knows beyond these columns; that it is wrong to use it."
        ],
        "negative association": ["That a feature is missing, or that none is."],
        "no evidence": [
            "That the score uses nothing beyond these columns: weak influences, and those that have"
            " nothing to do with the outcome, stay unseen."
        ],
        "cannot tell": ["Whether the score knows something beyond these columns."],
        "memorised": ["How well the score forecasts; whether it knows more than these columns."],
    }[audit.missing.verdict]


def _silent(audit: AuditFacts) -> list[str]:
    """Columns of which nothing can be told: no sign of agreement either."""
    if audit.differences is None or audit.outcome is None:
        return []
    said = audit.differences.sentences
    named = [s for s in said if not _is_silence(s)]
    if not any(map(_is_silence, said)):
        return []
    which = "any single column" if not named else "the columns not named here"
    return [f"That score and outcome agree on {which}: these rows cannot tell."]


def _steps(audit: AuditFacts) -> Iterable[str]:
    leaks = _subjects(audit, "leak") + _subjects(audit, "outcome")
    near = _subjects(audit, "score")
    if leaks:
        yield (
            f"Find out when {_list(leaks)} {'were' if len(leaks) > 1 else 'was'} recorded. If that"
            f" was after the outcome, leave {'them' if len(leaks) > 1 else 'it'} out and audit"
            " again."
        )
    if near:
        yield (
            f"Find out whether {_list(near)} {'were' if len(near) > 1 else 'was'} made from the"
            f" score. If so, leave {'them' if len(near) > 1 else 'it'} out and audit again."
        )
    if any(c.kind == "" and c.subject not in _NOTES for c in audit.caveats):
        yield "Read the warnings before you rely on anything here."
    if audit.outcome is None:
        yield "Add a column with what really happened, and audit again."
    elif audit.missing is not None:
        yield from _after_verdict(audit)
    if audit.differences is not None and audit.outcome is not None:
        if any(not _is_silence(s) for s in audit.differences.sentences):
            yield (
                "Ask the score's maker about the columns on which score and outcome differ: whether"
                " that is meant, and whom it touches."
            )
        elif audit.differences.sentences:
            yield "To see smaller differences on single columns, audit more rows."
    if _surely_low(audit):
        yield (
            "A low impact ratio is a reason to look closer, no proof of discrimination: ask whether"
            " the decision can be justified."
        )


def _after_verdict(audit: AuditFacts) -> Iterable[str]:
    found = audit.missing
    if found is None:
        return
    if found.verdict == "missing feature":
        yield (
            "Ask the score's maker what goes into the score beyond these columns. Add that, or"
            " finer columns (days instead of years), and audit again."
        )
        yield "Ask what was done with high scores: one that brings its outcome about looks so, too."
    elif found.verdict == "negative association":
        yield _ACTED
    elif found.verdict == "memorised":
        yield "Get scores that were given before the outcome was known, and audit those."
    elif found.verdict == "cannot tell":
        tested = any(p <= _FIRMLY for p in (found.matched_pairs.p_value, found.model.p_value))
        yield _ACTED if tested else "Audit more rows: too few could be tested."
    elif not audit.fidelity.score_r2.low >= _ALL:
        yield (
            "To find weaker influences, audit more rows: four times as many show one about half as"
            " strong."
        )
        if found.matched_pairs.kind != "exact":
            yield (
                "Audit once more without columns that make nearly every row unique, such as exact"
                " dates and free text: people who agree in all columns make the test exact."
            )


def _subjects(audit: AuditFacts, kind: str) -> list[str]:
    return [c.subject for c in audit.caveats if c.kind == kind]


def _is_silence(sentence: str) -> bool:
    return sentence.startswith("Nothing can be told")


def _columns(audit: AuditFacts) -> str:
    n = len(audit.features)
    return "one audited column" if n == 1 else f"{count(n)} audited columns"


def _list(names: list[str]) -> str:
    if len(names) > _NAMES:
        return f"{', '.join(names[:_NAMES])} and {len(names) - _NAMES} more"
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
