from __future__ import annotations

from rich.text import Text

from limbeck.reports.printed import Tabular, plain_text
from limbeck.reports.table import Column, Table


class Shown(Tabular):
    def sheet(self) -> Table[tuple[str, int]]:
        columns = [Column("name", lambda r: r[0]), Column("n", lambda r: r[1])]
        return Table("What <b> is.", columns, [("[red]a\x1b[0m", 3)], ("A note & [more].",))


def test_text_has_no_colour_no_control_characters_and_no_trailing_blanks(monkeypatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "20")
    assert plain_text(Text("red   \nplain", style="red")) == "red\nplain"
    line = "word " * 30
    assert [len(x) for x in plain_text(Text(line)).splitlines()] == [99, 49]


def test_a_table_says_the_same_as_text_in_a_notebook_and_as_a_frame() -> None:
    shown = Shown()
    text = str(shown)
    assert repr(shown) == text
    assert text.startswith("What <b> is.\n")
    assert text.endswith("\nA note & [more].")
    assert "[red]a" in text
    assert "\x1b" not in text
    html = shown._repr_html_()
    assert html.startswith('<div class="limbeck"><style>')
    assert "What &lt;b&gt; is." in html
    assert "<p>A note &amp; [more].</p>" in html
    assert shown.to_frame()["n"].tolist() == [3]
