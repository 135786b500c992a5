"""A student as a Python module that imports nothing but math."""

from __future__ import annotations

from typing import ClassVar

from limbeck.export.languages.writer import Writer

__all__ = ["PythonWriter"]

_NUMBER = [
    "def _number(value):",
    "    if value is None:",
    "        return math.nan",
    "    value = float(value)",
    "    if math.isinf(value):",
    '        raise ValueError(f"{value} is no number")',
    "    return value",
]
_LEVEL = [
    "def _level(value, levels):",
    "    return float(levels.index(value)) if value in levels else math.nan",
]


class PythonWriter(Writer):
    """``predict(row)`` and, for classes, ``predict_proba(row)`` of a dictionary."""

    language: ClassVar[str] = "Python"
    joined: ClassVar[tuple[str, str]] = (" and ", " or ")

    def _value(self, column: int) -> str:
        """A local variable."""
        return f"x{column}"

    def _missing(self, column: int) -> str:
        """NaN is the only number that is not itself."""
        return f"(x{column} != x{column})"

    def _choose(self, test: str, yes: str, no: str) -> str:
        """A conditional expression."""
        return f"({yes} if {test} else {no})"

    def _negated(self, test: str) -> str:
        """``not``."""
        return f"(not {test})"

    def written(self) -> str:
        """A module."""
        formula, task = self.formula, self.formula.task
        lines = ["# A student that limbeck distilled. Rows are dictionaries, by column names.", ""]
        lines += ["import math", ""]
        levels = {
            j: list(formula.features.columns[j].levels)
            for j in self.columns
            if formula.features.columns[j].kind == "categorical"
        }
        lines += [f"LEVELS = {levels!r}"] if levels else []
        if formula.table is not None:
            lines.append(f"TABLE = {formula.table.tolist()!r}")
        if task.classifies:
            lines.append(f"CLASSES = {[_plain(c) for c in task.classes]!r}")
        lines += ["", "", *_NUMBER]
        if levels:
            lines += ["", "", *_LEVEL]
        lines += ["", "", "def _scores(row):"]
        for j in self.columns:
            name = formula.features.names[j]
            read = f"_level(row.get({name!r}), LEVELS[{j}])" if j in levels else (
                f"_number(row.get({name!r}))")  # fmt: skip
            lines.append(f"    x{j} = {read}")
        scores = ", ".join(self._number(score) for score in formula.scores)
        lines.append(f"    return [{scores}]")
        lines += _answers(formula.link, formula.table is not None, task.classifies)
        return "\n".join(lines) + "\n"


def _answers(link: str, pieces: bool, classifies: bool) -> list[str]:
    at = "TABLE[int(_scores(row)[0])]" if pieces else "_scores(row)"
    if not classifies:
        return ["", "", "def predict(row):", '    """The value of a row."""', f"    return {at}[0]"]
    shares = {
        "shares": [f"    p = {at}"],
        "logistic": [
            f"    z = {at}[0]",
            "    p = 1 / (1 + math.exp(-z)) if z > -700 else 0.0",
            "    p = [1 - p, p] if len(CLASSES) > 1 else [1.0]",
        ],
        "softmax": [
            f"    z = {at}",
            "    p = [math.exp(s - max(z)) for s in z]",
            "    p = [share / sum(p) for share in p]",
        ],
    }[link]
    label = (
        [f"    return CLASSES[-1 if {at}[0] > 0 else 0]"]
        if link == "logistic"
        else [f"    z = {at}", "    return CLASSES[z.index(max(z))]"]
    )
    return [
        "", "", "def predict(row):", '    """The class of a row."""', *label,
        "", "", "def predict_proba(row):", '    """Probabilities by class."""', *shares,
        "    return dict(zip(CLASSES, p))",
    ]  # fmt: skip


def _plain(label: object) -> object:
    return label.item() if hasattr(label, "item") else label
