from __future__ import annotations

from limbeck.students.tree.layout import FONT, Piece, shorten, width_of, wrapped


def test_long_texts_are_broken_and_nothing_is_lost() -> None:
    for text in ("a long name of a column " * 2, "no_blank_at_all_" * 3, "長い名前の列の名前" * 3):
        lines = wrapped([Piece(text.strip(), "bold"), Piece("<= 3?")], 150)
        assert len(lines) > 1
        assert all(sum(width_of(p) for p in line) <= 150 for line in lines)
        said = "".join(p.text for line in lines for p in line).replace(" ", "")
        assert said == text.replace(" ", "") + "<=3?"


def test_texts_of_any_length_take_a_few_lines() -> None:
    lines = wrapped([Piece("name " * 500, "bold")], 150)
    assert len(lines) <= 5
    assert "…" in "".join(p.text for line in lines for p in line)


def test_shorten() -> None:
    assert shorten("short", 100) == "short"
    long = shorten("worst concave points of all", 100)
    assert long.startswith("worst")
    assert "…" in long
    assert long.endswith("all")
    assert len(long) * FONT * 0.4 < 100
    assert len(shorten("長い名前の列の名前", 50)) <= 5
    assert shorten("wide", 0) == "…"
