from __future__ import annotations

import pytest
from typer.testing import CliRunner

from limbeck import __version__
from limbeck.cli.app import app
from tests.cli.conftest import limbeck, plain


def test_help_names_the_commands():
    result = limbeck("--help")
    assert result.exit_code == 0
    for command in ("distill", "certify", "verify", "budget"):
        assert command in result.output


@pytest.mark.parametrize("command", ["certify", "verify"])
def test_help_says_that_rows_may_be_many_files(command):
    assert '"rows/*.parquet"' in plain(limbeck(command, "--help").output)


def test_the_version_is_told():
    found = CliRunner().invoke(app, ["--version"])
    assert found.exit_code == 0
    assert found.stdout == f"limbeck {__version__}\n"
