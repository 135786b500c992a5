from __future__ import annotations

from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from limbeck.core.printable import visible
from limbeck.reports.markup import Html, join, table, tag


class _Reader(HTMLParser):
    """Notes elements and text."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.words: list[str] = []

    def handle_starttag(self, name: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(name)

    def handle_data(self, data: str) -> None:
        self.words.append(data)


@given(st.text(max_size=40))
def test_text_stays_text(text: str) -> None:
    reader = _Reader()
    reader.feed(tag("p", text, title=text))
    reader.close()
    assert reader.elements == ["p"]
    assert "".join(reader.words) == visible(text)


def test_html_is_taken_as_it_is_and_none_as_nothing() -> None:
    assert tag("b", Html("<i>x</i>"), None, "<y>") == "<b><i>x</i>&lt;y&gt;</b>"
    assert join(["a", None, "b"], ", ") == "a, b"
    assert (
        tag("p", class_="x", stroke_width=1.2345, id=None)
        == '<p class="x" stroke-width="1.23"></p>'
    )


def test_a_table_says_which_cells_are_headings() -> None:
    made = table("What it shows", ["name", "size"], [["tree", "8"]], numbers=(1,))
    assert "<figcaption>What it shows</figcaption>" in made
    assert '<th scope="col">name</th>' in made
    assert '<th scope="row">tree</th>' in made
    assert '<td data-label="size" class="number">8</td>' in made  # its heading, where rows fold
    assert 'class="many"' not in made
    head = [Html("a<b>b</b>&amp;"), "c", "d", "e"]
    wide = table("", head, [["1", "2", "3", "4"]])
    assert '<table class="many">' in wide
    assert '<td data-label="c">2</td>' in wide
