"""A student as a JavaScript module (ES 2020) that needs no library."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from limbeck.export.languages.writer import Writer

__all__ = ["JavaScriptWriter"]


class JavaScriptWriter(Writer):
    """``predict(row)`` and, for classes, ``predictProba(row)`` of an object."""

    language: ClassVar[str] = "JavaScript"
    equals: ClassVar[str] = "==="

    def _value(self, column: int) -> str:
        """A local constant."""
        return f"x{column}"

    def _missing(self, column: int) -> str:
        """``Number.isNaN``."""
        return f"Number.isNaN(x{column})"

    def _choose(self, test: str, yes: str, no: str) -> str:
        """A conditional expression."""
        return f"({test} ? {yes} : {no})"

    def written(self) -> str:
        """A module."""
        formula, task = self.formula, self.formula.task
        levels = {
            j: list(formula.features.columns[j].levels)
            for j in self.columns
            if formula.features.columns[j].kind == "categorical"
        }
        lines = ["// A student that limbeck distilled. Rows are objects, by column names.", ""]
        if levels:
            lines.append(f"const LEVELS = {_json({str(j): names for j, names in levels.items()})};")
        if formula.table is not None:
            lines.append(f"const TABLE = {_json(formula.table.tolist())};")
        if task.classifies:
            lines.append(f"export const CLASSES = {_json([_plain(c) for c in task.classes])};")
        lines += ["", "function number(value) {",
                  "  if (value === null || value === undefined) return NaN;",
                  "  return Number(value);", "}"]  # fmt: skip
        if levels:
            lines += ["", "function level(value, names) {", "  const at = names.indexOf(value);",
                      "  return at < 0 ? NaN : at;", "}"]  # fmt: skip
        lines += ["", "function scores(row) {"]
        for j in self.columns:
            name = f"row[{_json(formula.features.names[j])}]"
            read = f"level({name}, LEVELS[{j}])" if j in levels else f"number({name})"
            lines.append(f"  const x{j} = {read};")
        found = ", ".join(self._number(score) for score in formula.scores)
        inner = f"TABLE[{found}]" if formula.table is not None else f"[{found}]"
        lines += [f"  return {inner};", "}", ""]
        lines += _answers(formula.link, task.classifies)
        return "\n".join(lines) + "\n"


def _answers(link: str, classifies: bool) -> list[str]:
    if not classifies:
        return ["export function predict(row) {", "  return scores(row)[0];", "}"]
    label = (
        "CLASSES[scores(row)[0] > 0 ? CLASSES.length - 1 : 0]"
        if link == "logistic"
        else "CLASSES[scores(row).reduce((best, s, i, all) => (s > all[best] ? i : best), 0)]"
    )
    shares = {
        "shares": ["  return scores(row);"],
        "logistic": [
            "  const share = 1 / (1 + Math.exp(-scores(row)[0]));",
            "  return CLASSES.length > 1 ? [1 - share, share] : [1];",
        ],
        "softmax": [
            "  const z = scores(row);",
            "  const e = z.map((s) => Math.exp(s - Math.max(...z)));",
            "  const total = e.reduce((a, b) => a + b, 0);",
            "  return e.map((share) => share / total);",
        ],
    }[link]
    return [
        "export function predict(row) {", f"  return {label};", "}", "",
        "export function predictProba(row) {", *shares, "}",
    ]  # fmt: skip


def _json(value: Any) -> str:
    return json.dumps(value, allow_nan=False)


def _plain(label: Any) -> Any:
    return label.item() if hasattr(label, "item") else label
