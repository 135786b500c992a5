"""A student as one SELECT, in the SQL that DuckDB, SQLite and PostgreSQL share."""

from __future__ import annotations

from typing import Any, ClassVar

from limbeck.export.languages.writer import Writer

__all__ = ["SqlWriter"]


class SqlWriter(Writer):
    """All columns of a table ``rows``, with the label and probabilities, or the value, behind them.

    A missing value is NULL. Comparisons with NULL are NULL, which counts as false in a CASE.
    """

    language: ClassVar[str] = "SQL"
    equals: ClassVar[str] = "="
    joined: ClassVar[tuple[str, str]] = (" AND ", " OR ")

    def _constant(self, value: float) -> str:
        """With an exponent, so that it is read as a double, not as a decimal."""
        text = super()._constant(value).strip("()")
        text = text if "e" in text else f"{text}e0"
        return f"({text})" if value < 0 else text

    def _value(self, column: int) -> str:
        """The column; booleans as 0 and 1, categories as positions."""
        feature, name = self.formula.features.columns[column], self._name(column)
        if feature.kind == "numeric":
            return name
        if feature.kind == "boolean":
            return f"(CASE WHEN {name} THEN 1.0e0 WHEN NOT {name} THEN 0.0e0 END)"
        cases = " ".join(
            f"WHEN {name} = {_text(level)} THEN {self._constant(float(i))}"
            for i, level in enumerate(feature.levels)
        )
        return f"(CASE {cases} END)"

    def _level(self, column: int, value: float) -> str:
        """A category is compared by its name."""
        feature = self.formula.features.columns[column]
        if feature.kind == "categorical":
            return f"COALESCE({self._name(column)} = {_text(feature.levels[int(value)])}, FALSE)"
        return f"COALESCE({super()._level(column, value)}, FALSE)"

    def _missing(self, column: int) -> str:
        """NULL, or a level that is not known."""
        feature, name = self.formula.features.columns[column], self._name(column)
        if feature.kind != "categorical" or not feature.levels:
            return f"({name} IS NULL)"
        known = ", ".join(_text(level) for level in feature.levels)
        return f"({name} IS NULL OR {name} NOT IN ({known}))"

    def _at_most(self, number: str, value: float) -> str:
        """Never NULL, so that it may be negated."""
        return f"COALESCE({number} <= {self._constant(value)}, FALSE)"

    def _choose(self, test: str, yes: str, no: str) -> str:
        """A CASE."""
        return f"CASE WHEN {test} THEN {yes} ELSE {no} END"

    def _count(self, test: str) -> str:
        """In brackets, to be added."""
        return f"({super()._count(test)})"

    def _negated(self, test: str) -> str:
        """``NOT``."""
        return f"(NOT {test})"

    def written(self) -> str:
        """One statement."""
        formula, task = self.formula, self.formula.task
        head = "-- A student that limbeck distilled. Put your table's name in the place of rows.\n"
        if formula.table is not None:
            inner = [f"{self._number(formula.scores[0])} AS limbeck_piece"]
        else:
            inner = [f"{self._number(s)} AS limbeck_{i}" for i, s in enumerate(formula.scores)]
        outer = self._labels() if task.classifies else [f"{self._score(0)} AS predicted"]
        helpers = ", ".join(inner)
        rows = f"(SELECT *, {helpers} FROM rows) AS limbeck_rows"  # noqa: S608  (names are quoted)
        if formula.table is None and formula.link == "softmax":
            return head + self._softmax(rows)
        outputs = ",\n  ".join(outer)
        return f"{head}SELECT *,\n  {outputs}\nFROM {rows};\n"

    def _labels(self) -> list[str]:
        formula, task = self.formula, self.formula.task
        k = len(task.classes)
        if formula.table is not None:
            best = formula.table.argmax(axis=1)
            cases = " ".join(
                f"WHEN {i} THEN {_literal(task.classes[c])}" for i, c in enumerate(best)
            )
            label = f"CASE limbeck_piece {cases} END AS predicted"
            return [label, *(f"{self._score(c)} AS {_p(task.classes[c])}" for c in range(k))]
        if formula.link == "logistic":
            last, first = _literal(task.classes[-1]), _literal(task.classes[0])
            share = "1.0e0 / (1.0e0 + EXP(-limbeck_0))"
            share = f"CASE WHEN limbeck_0 < -700 THEN 0.0e0 ELSE {share} END"
            out = [f"CASE WHEN limbeck_0 > 0 THEN {last} ELSE {first} END AS predicted"]
            if k == 1:
                return [*out, f"1.0e0 AS {_p(task.classes[0])}"]
            return [*out, f"1.0e0 - ({share}) AS {_p(task.classes[0])}",
                    f"{share} AS {_p(task.classes[-1])}"]  # fmt: skip
        return [
            f"{self._largest()} AS predicted",
            *(f"limbeck_{c} AS {_p(task.classes[c])}" for c in range(k)),
        ]

    def _largest(self, given: str = "") -> str:
        """The class whose score is the largest, the first of equal ones; or that score."""
        classes = self.formula.task.classes
        cases = []
        for c, label in enumerate(classes):
            others = [f"limbeck_{c} >= limbeck_{o}" for o in range(len(classes)) if o != c]
            cases.append(
                f"WHEN {' AND '.join(others)} THEN {(given and given + str(c)) or _literal(label)}"
            )
        return f"CASE {' '.join(cases)} END"

    def _softmax(self, rows: str) -> str:
        classes = self.formula.task.classes
        shifted = (
            f"(SELECT *, {self._largest('limbeck_')} AS limbeck_most FROM {rows}) AS limbeck_top"  # noqa: S608
        )
        raised = ", ".join(
            f"EXP(limbeck_{c} - limbeck_most) AS limbeck_e{c}" for c in range(len(classes))
        )
        total = " + ".join(f"limbeck_e{c}" for c in range(len(classes)))
        shares = ",\n  ".join(
            f"limbeck_e{c} / ({total}) AS {_p(label)}" for c, label in enumerate(classes)
        )
        inner = f"(SELECT *, {raised} FROM {shifted}) AS limbeck_raised"  # noqa: S608
        return f"SELECT *,\n  {self._largest()} AS predicted,\n  {shares}\nFROM {inner};\n"

    def _score(self, c: int) -> str:
        formula = self.formula
        if formula.table is None:
            return f"limbeck_{c}"
        cases = " ".join(
            f"WHEN {i} THEN {self._constant(float(v))}" for i, v in enumerate(formula.table[:, c])
        )
        return f"CASE limbeck_piece {cases} END"

    def _name(self, column: int) -> str:
        return _quoted(self.formula.features.names[column])


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _p(label: Any) -> str:
    return _quoted(f"p_{label}")


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _literal(label: Any) -> str:
    if hasattr(label, "item"):
        label = label.item()
    if isinstance(label, bool):
        return "TRUE" if label else "FALSE"
    return repr(label) if isinstance(label, int | float) else _text(str(label))
