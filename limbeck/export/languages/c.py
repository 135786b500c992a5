"""A student as C99 that needs no library but libm."""

from __future__ import annotations

from typing import ClassVar

from limbeck.export.languages.writer import Writer

__all__ = ["CWriter"]


class CWriter(Writer):
    """Functions of a row of doubles, encoded as a comment at the top says."""

    language: ClassVar[str] = "C"

    def _value(self, column: int) -> str:
        """An element of the row."""
        return f"x[{column}]"

    def _missing(self, column: int) -> str:
        """NaN is the only number that is not itself."""
        return f"(x[{column}] != x[{column}])"

    def _choose(self, test: str, yes: str, no: str) -> str:
        """A conditional expression."""
        return f"({test} ? {yes} : {no})"

    def written(self) -> str:
        """A source file, which is a header as well."""
        formula, task = self.formula, self.formula.task
        k = len(task.classes) or 1
        lines = ["/* A student that limbeck distilled. A row is an array of doubles:"]
        for j, c in enumerate(formula.features.columns):
            what: str = c.kind
            if c.kind == "categorical":
                what = "level " + ", ".join(f"{i} = {name}" for i, name in enumerate(c.levels))
            lines.append(f"   x[{j}] {_comment(c.name)}: {_comment(what)}")
        lines += ["   A missing value is NaN, and so is a level that is not listed.",
                  "   Compile without -ffast-math, which breaks NaN. */",
                  "", "#include <math.h>", "", f"#define LIMBECK_OUTPUTS {k}", ""]  # fmt: skip
        if task.classifies:
            names = ", ".join(_quoted(str(c)) for c in task.classes)
            lines += [f"static const char *const limbeck_classes[{k}] = {{{names}}};", ""]
        if formula.table is not None:
            rows = ", ".join(
                "{" + ", ".join(self._constant(v) for v in row) + "}" for row in formula.table
            )
            lines += [f"static const double limbeck_table[{len(formula.table)}][{k}] = {{{rows}}};",
                      ""]  # fmt: skip
        m = len(formula.scores)
        lines += ["static void limbeck_scores(const double *x, double *z) {"]
        if formula.table is not None:
            copied = f"  for (int c = 0; c < {k}; c++) z[c] = limbeck_table[piece][c];"
            lines += [f"  const int piece = (int){self._number(formula.scores[0])};", copied, "}"]
            m = k
        else:
            lines += [f"  z[{i}] = {self._number(s)};" for i, s in enumerate(formula.scores)] + [
                "}"
            ]
        lines += ["", *_answers(formula.link, k, m, task.classifies)]
        return "\n".join(lines) + "\n"


def _answers(link: str, k: int, m: int, classifies: bool) -> list[str]:
    if not classifies:
        return ["/* The value. */", "static double limbeck_predict(const double *x) {",
                "  double z[1];", "  limbeck_scores(x, z);", "  return z[0];", "}"]  # fmt: skip
    largest = [f"  for (int c = 1; c < {m}; c++) if (z[c] > z[best]) best = c;"]
    label = [f"  best = z[0] > 0 ? {k - 1} : 0;"] if link == "logistic" else largest
    shares = {
        "shares": [f"  for (int c = 0; c < {k}; c++) p[c] = z[c];"],
        "logistic": ["  p[0] = 1;"] if k == 1 else [
            "  p[1] = 1 / (1 + exp(-z[0]));", "  p[0] = 1 - p[1];"
        ],
        "softmax": [
            "  double most = z[0], total = 0;",
            f"  for (int c = 1; c < {k}; c++) if (z[c] > most) most = z[c];",
            f"  for (int c = 0; c < {k}; c++) total += p[c] = exp(z[c] - most);",
            f"  for (int c = 0; c < {k}; c++) p[c] /= total;",
        ],
    }[link]  # fmt: skip
    return [
        "/* The position of the class in limbeck_classes. */",
        "static int limbeck_predict(const double *x) {",
        f"  double z[{m}];", "  int best = 0;", "  limbeck_scores(x, z);", *label,
        "  return best;", "}", "",
        "/* A probability for each class. */",
        "static void limbeck_probabilities(const double *x, double *p) {",
        f"  double z[{m}];", "  limbeck_scores(x, z);", *shares, "}",
    ]  # fmt: skip


def _comment(text: str) -> str:
    # Backslashes first: one that becomes a slash behind a star would end the comment.
    return text.replace("\\", "/").replace("*/", "* /").replace("/*", "/ *").replace("\n", " ")


def _quoted(text: str) -> str:
    """A string literal: bytes that are not plain ASCII in octal, which ends after three digits."""
    body = "".join(
        chr(b) if 32 <= b < 127 and b not in b'"\\?' else f"\\{b:03o}" for b in text.encode()
    )
    return f'"{body}"'
