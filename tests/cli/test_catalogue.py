from __future__ import annotations

from typer.testing import CliRunner

from limbeck.cli.app import app
from limbeck.selection.routes import students
from limbeck.teachers.entry import entries


def printed(command: str) -> str:
    result = CliRunner().invoke(app, [command], env={"COLUMNS": "300"})
    assert result.exit_code == 0
    return result.output


def test_every_student_has_a_line_with_its_methods():
    lines = printed("students").splitlines()
    for into, methods in students().items():
        (line,) = [line for line in lines if line.split()[0] == into]
        assert all(method in line for method in methods)


def test_students_without_a_method_have_a_line_too():
    lines = printed("students").splitlines()
    for into in ("static_embedding", "hf:folder"):
        assert sum(line.split()[0] == into for line in lines) == 1


def test_every_method_has_a_line_and_says_what_it_needs():
    lines = printed("methods").splitlines()
    for into, methods in students().items():
        for method in methods:
            (line,) = [line for line in lines if line.split()[:2] == [into, method]]
            assert "scores" in line or "queries" in line or "gradients" in line or "weights" in line


def test_every_teacher_has_a_line_that_says_what_it_grants():
    lines = printed("teachers").splitlines()
    for name, _, entry in entries():
        (line,) = [line for line in lines if line.split()[:1] == [name]]
        assert entry.summary in line
        assert str(entry.grants) in line
        assert entry.install in line
