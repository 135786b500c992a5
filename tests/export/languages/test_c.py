from __future__ import annotations

import ast

import pandas as pd

from limbeck.core.columns import Features
from limbeck.core.task import Task
from limbeck.export.languages.c import CWriter
from limbeck.students.formula import ColumnValue, Formula

NAMES = ["ends */ here", "a*\\b", "/\\* again", "two\nlines", "**/", "*\\", "/*/"]


def test_names_of_columns_do_not_end_the_comment_they_stand_in() -> None:
    features = Features.of(pd.DataFrame([[1.0] * len(NAMES)], columns=NAMES))
    source = CWriter(Formula(features, Task(), (ColumnValue(1),), "value")).written()
    comment = source[: source.index("#include")].rstrip()
    assert comment.index("*/") == len(comment) - 2
    assert comment.count("/*") == 1
    assert "two lines" in comment


def test_classes_are_texts_of_c_whatever_they_are_called() -> None:
    classes = ('quoted "', "ends \\", "é1", "what??/", "%d\n", "\x000")
    features = Features.of(pd.DataFrame({"a": [1.0]}))
    formula = Formula(features, Task(classes), (ColumnValue(0),) * len(classes), "softmax")
    source = CWriter(formula).written()
    (line,) = [x for x in source.splitlines() if x.startswith("static const char *const")]
    assert line.isascii()
    assert "??" not in line  # a trigraph
    texts = ast.literal_eval("[" + line[line.index("{") + 1 : -2].replace('"', 'b"', 1)
                             .replace(', "', ', b"') + "]")  # fmt: skip
    assert [text.decode() for text in texts] == list(classes)
