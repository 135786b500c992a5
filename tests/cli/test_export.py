from __future__ import annotations

import pytest

from limbeck import load
from tests.cli.conftest import limbeck, plain, table


def test_export_writes_code_that_answers_alike(run):
    result = limbeck("export", "run", "--to", "student.py")
    assert result.exit_code == 0, result.output
    scope: dict = {}
    exec((run.parent / "student.py").read_text(), scope)
    rows = table(20, seed=5)
    student = load(run / "student.json")
    expected = student.predict(rows[list(student.features_.names)])
    assert [scope["predict"](row) for row in rows.to_dict("records")] == expected.tolist()
    pytest.importorskip("onnx")
    wide = ("--inputs", "columns", "--dtype", "float32")
    assert limbeck("export", "run", "--to", "student.onnx", *wide).exit_code == 0
    refused = limbeck("export", "run/student.json", "--to", "student.docx")
    assert refused.exit_code == 2
    assert "There is no export to '.docx'" in plain(refused.output)


def test_a_card_is_made_of_a_run(run):
    assert limbeck("export", "run", "--to", "card.md", "--license", "mit").exit_code == 0
    assert 'license: "mit"' in (run.parent / "card.md").read_text()
    refused = limbeck("export", "run/student.json", "--to", "card.md")
    assert refused.exit_code == 2
    assert "a card is made from its numbers" in " ".join(plain(refused.output).split())


@pytest.mark.parametrize(
    ("to", "more", "message"),
    [
        ("student.py", ("--license", "mit"), "--license was given for '.py'"),
        ("card.md", ("--dtype", "float32"), "--dtype was given for '.md'"),
        ("card.md", ("--inputs", "columns"), "--inputs was given for '.md'"),
        ("card.md", ("--dialect", "sqlite"), "--dialect was given for '.md'"),
        ("student.sql", ("--dtype", "float32"), "dtype was given for '.sql'"),
    ],
)
def test_an_option_that_the_file_does_not_take_is_refused(run, to, more, message):
    refused = limbeck("export", "run", "--to", to, *more)
    assert refused.exit_code == 2
    assert message in plain(refused.output)
    assert not (run.parent / to).exists()
