from __future__ import annotations

import re

from limbeck.results.language_sections.card import language_card


def test_a_card_begins_with_what_the_hub_reads(languages):
    head = language_card(languages(), "mit").split("\n\n")[0]
    assert head.splitlines() == [
        "---", 'library_name: "transformers"', 'license: "mit"',
        'pipeline_tag: "text-generation"', 'tags: ["limbeck", "knowledge-distillation"]', "---",
    ]  # fmt: skip
    assert "license" not in language_card(languages()).split("\n\n")[0]


def test_a_card_tells_settings_but_not_where_they_were_made(languages):
    card = language_card(languages())
    assert "\n* versions: torch 2.0\n" in card
    assert "secret" not in card
    assert "\n# &lt;b>Big&lt;/b>, distilled into Small\n" in card
    assert "1000 training prompts, and 60 test prompts that training never saw." in card


def test_bounds_are_rounded_upward_with_their_assumptions(languages):
    card = language_card(languages())
    bound = re.search(r"\* own texts: at most ([\d.]+)\n\* real texts: at most ([\d.]+)\n", card)
    assert 0.25 <= float(bound[1]) <= 0.2501
    assert 0.26 <= float(bound[2]) <= 0.2601
    assert f"* student: SHA-256 `{'a' * 64}`" in card
    assert "* The certificate assumes: Prompts are independent." in card
    bare = language_card(languages(certificate=None, notes=()))
    assert "### Certificate\n\nThere is none.\n" in bare
    assert bare.endswith("## Limits\n\nNone were recorded.\n")
