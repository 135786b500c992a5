from __future__ import annotations

import shlex
from dataclasses import replace
from inspect import signature

import pytest

from limbeck.cli.audit import audit
from limbeck.results.audit_sections.sections import asked, repeat, settings
from tests.results.audit_sections.test_page import Reader, example


def command(facts) -> list[str]:
    text = Reader(str(repeat(facts))).text
    written = text[text.index("limbeck audit") : text.index("From Python")]
    return shlex.split(written.replace("\\\n", " "))


def test_a_setting_of_zero_is_repeated_as_any_other() -> None:
    given = {"threshold": 0.0, "positive": 0, "missing": (0, "n/a"), "pairs": 0, "bags": 19,
             "folds": 3, "delta": 0.1, "seed": 0, "favourable": None}  # fmt: skip
    words = command(replace(example(), settings=given))
    options = list(zip(words[3::2], words[4::2], strict=True))
    for pair in (("--threshold", "0.0"), ("--positive", "0"), ("--missing", "0"),
                 ("--missing", "n/a"), ("--pairs", "0"), ("--bags", "19"), ("--folds", "3"),
                 ("--delta", "0.1"), ("--seed", "0"), ("--drop", "leak & co"),
                 ("--group", "race")):  # fmt: skip
        assert pair in options
    assert not {"--favourable", "--cases", "--score-levels"} & set(words)


def test_the_options_of_the_command_are_those_of_the_shell() -> None:
    names = {name.replace("_", "-") for name in signature(audit).parameters} | {"group"}
    full = replace(
        example(), cases="c", frequency_weight="f", sampling_weight="s",
        settings={"positive": 1, "score_levels": ["a", "b"], "threshold": 1, "favourable": "low",
                  "missing": [9], "pairs": 1, "bags": 1, "folds": 2, "delta": 0.1, "seed": 1},
    )  # fmt: skip
    for option in {word for word in command(full) if word.startswith("--")}:
        assert option.removeprefix("--") in names


@pytest.mark.parametrize("name", ["threshold", "seed"])
def test_the_call_names_every_setting(name: str) -> None:
    text = Reader(str(repeat(replace(example(), settings={name: 0})))).text
    assert f"    {name}=0," in text
    assert "    groups=['race']," in text


def test_what_was_left_out_is_told_with_its_reason() -> None:
    text = Reader(str(asked(example()))).text
    assert "Left out as asked" in text
    assert "id, name" in text
    assert "the outcome in disguise" in text
    assert "each row one case" in text


def test_settings_are_in_words() -> None:
    text = Reader(str(settings(replace(example(), settings={
        "score_levels": (), "seconds": 130.0, "pairs": None, "command": "x", "max_bins": 4,
        "versions": {"limbeck": "0.1.0", "numpy": "2"},
    })))).text  # fmt: skip
    assert "Max bins" in text
    assert "limbeck 0.1.0, numpy 2" in text
    assert "none" in text
    assert "Pairs" not in text
    assert "Command" not in text
