from __future__ import annotations

import pytest
from markdown_it import MarkdownIt

from limbeck.core.measured import Measured
from limbeck.reports.markdown import fenced, markdown_table, plain_markdown
from limbeck.reports.table import Column, Table

NAMES = [
    "*a* _b_ `c` [d](e) ![f](g) ~~h~~ <i>j</i> &amp; k|l \\* \\", "# a", "- a", "-", "+ a", "* a",
    "> a", ">5", "1. a", "12) a", "1.", "---", "===", "```", "~~~", "a\n\n# b", "<script>",
    "-0.5", "+0.031", "0.5", "3 of 4",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_one_paragraph_of_text_wherever_it_stands(name: str) -> None:
    for before in ("", "* ", "above\n"):
        tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(
            before + plain_markdown(name)
        )  # fmt: skip
        kinds = [t.type for t in tokens if t.nesting >= 0]
        lists = ["bullet_list_open", "list_item_open"] if before == "* " else []
        assert kinds == [*lists, "paragraph_open", "inline"]
        (inline,) = [t for t in tokens if t.type == "inline"]
        parts = [c for c in inline.children or [] if c.type != "softbreak"]
        assert {c.type for c in parts} <= {"text", "text_special"}
        said = "".join(c.content for c in parts).removeprefix("above")
        assert said == " ".join(name.split())


@pytest.mark.parametrize("number", ["-0.5", "+0.031", "0.5", "1.000"])
def test_numbers_are_left_as_they_are(number: str) -> None:
    assert plain_markdown(number) == number


@pytest.mark.parametrize("text", ["plain", "```\nout", "````", "a `b` c\n~~~"])
def test_no_line_ends_the_box_it_stands_in(text: str) -> None:
    (token,) = MarkdownIt().parse(fenced(text))
    assert (token.type, token.info, token.content) == ("fence", "text", text + "\n")


def test_a_table_has_its_caption_its_columns_and_intervals() -> None:
    columns = [Column("a|b", lambda r: r[0]), Column("score", lambda r: r[1], align="right")]
    rows = [("x | y\nz", Measured(0.5, 0.4, 0.6)), ("-", None)]
    html = MarkdownIt("commonmark").enable("table").render(
        markdown_table(Table("Caption *of* it", columns, rows))
    )  # fmt: skip
    assert "<p>Caption *of* it</p>" in html
    assert html.count("<tr>") == 3
    assert "<th>a|b</th>" in html
    assert "<td>x | y z</td>" in html
    assert '<td style="text-align:right">0.500 [0.400, 0.600]</td>' in html
