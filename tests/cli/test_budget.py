from __future__ import annotations

from typing import Any

from typer.testing import CliRunner

from limbeck.cli.app import app


def plain(text: str) -> str:
    return " ".join(text.split())


def limbeck(*arguments: object) -> Any:
    return CliRunner().invoke(app, [str(a) for a in arguments])


def test_budget_prints_a_table():
    result = limbeck(
        "budget", "--epsilon", 0.01, "--delta", 0.05, "--into", "tree", "--depth", 4,
        "--features", 100,
    )  # fmt: skip
    assert result.exit_code == 0
    said = plain(result.output)
    assert "formula" in said
    assert "300" in said  # ln(1 / 0.05) / 0.01 = 299.57 rows check a perfect student
    assert {"upper", "lower"} <= set(said.split())


def test_budget_of_a_teacher_whose_frontier_is_known():
    common = ["budget", "--epsilon", 0.01, "--delta", 0.05, "--depth", 4, "--features", 100]
    alone = limbeck(*common, "--frontier", 1)
    assert alone.exit_code == 0
    assert "one member" in " ".join(plain(alone.output).split())
    few = limbeck(*common, "--frontier-vc", 2, "--disagreement", 0.02, "--mutual-vc", 60)
    assert "94,253" in plain(few.output)  # (4 * .02 / 1e-4 + 10 / .03) ln((|G| - 1) / .05)
    refused = limbeck(*common, "--frontier", 0)
    assert refused.exit_code == 2
    assert "frontier is 0" in plain(refused.output)


def test_help_of_budget_calls_upper_bounds_so():
    said = " ".join(plain(limbeck("budget", "--help").output).split())
    assert "Upper and lower bounds on the rows" in said


def test_budget_without_a_size():
    result = limbeck("budget", "--epsilon", 0.01, "--delta", 0.05, "--into", "forest")
    assert result.exit_code == 2
    assert "no budget for 'forest': limbeck does not distil into forests" in plain(result.output)
