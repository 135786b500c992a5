from __future__ import annotations

from tests.cli.conftest import limbeck, plain


def test_help_of_tune_shows_its_brackets():
    assert "{setting: [choices]}" in plain(limbeck("tune", "--help").output)


def test_a_run_file_of_a_misspelt_search_is_refused_in_words(here):
    (here / "run.yaml").write_text("out: run\noverr: {lr: [0.1]}\n")
    refused = limbeck("tune", "run.yaml")
    assert refused.exit_code == 2
    assert "'overr' in run.yaml is no setting. Did you mean 'over'?" in plain(refused.output)
    assert not (here / "run").exists()
