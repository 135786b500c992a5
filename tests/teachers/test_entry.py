from __future__ import annotations

import ast

from limbeck.core.contract import Access
from limbeck.core.registry import TEACHERS
from limbeck.teachers.entry import TeacherEntry, entries, entry_of


def test_every_kind_declares_itself_in_one_line_that_python_can_read():
    for name, made, entry in entries():
        assert isinstance(made.entry, TeacherEntry), name
        assert entry.summary
        assert "\n" not in entry.summary + entry.example
        ast.parse(entry.example)
        assert Access.SCORES in entry.grants
        assert callable(made.accepts)


def test_functions_are_asked_last():
    assert [name for name, _, _ in entries()][-1] == "function"


def test_a_class_without_a_declaration_is_described_by_its_docstring():
    class Plain:
        """Some model. And more."""

        access = Access.SCORES

    assert entry_of(Plain).summary == "Some model. And more"
    assert entry_of(Plain).grants is Access.SCORES


def test_names_are_those_of_the_registry():
    assert {name for name, _, _ in entries()} == set(TEACHERS.names())
