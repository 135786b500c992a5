"""One table, three drawings."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from html.parser import HTMLParser

import numpy as np
import pytest

from limbeck.core.measured import Measured
from limbeck.reports.printed import Tabular, plain_text
from limbeck.reports.table import Column, Drawing, Table


@dataclass(frozen=True)
class Model:
    name: str
    size: int | None
    accuracy: Measured | None
    share: float = 0.5
    unsafe: str = "<b>"


MODELS = (
    Model("[bold]net[/bold] <i>", 12_345, Measured(0.9, 0.85, 0.95), 0.25),
    Model("tree", None, Measured(-0.2, -0.3, -0.1), 0.5),
    Model("rule", 3, None, math.nan),
)
COLUMNS = [
    Column[Model]("model", lambda m: m.name, wrap=True),
    Column[Model]("size", lambda m: m.size, align="right", unit="leaves"),
    Column[Model](
        "accuracy", lambda m: m.accuracy, "accuracy\non labels", drawing=Drawing(top=1.0)
    ),
    Column[Model]("share", lambda m: m.share, drawing=Drawing("bar")),
]
TABLE = Table("Models compared.", COLUMNS, MODELS, strong=lambda m: m.name == "tree")


class Cells(HTMLParser):
    """The texts of a table's cells, row by row."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag == "tr":
            self.rows.append([])
        if tag in ("th", "td"):
            self.rows[-1].append("")

    def handle_data(self, data: str) -> None:
        if self.rows and self.rows[-1]:
            self.rows[-1][-1] += data.strip("\n")


def test_a_column_added_in_one_place_is_in_terminal_page_and_data_frame() -> None:
    new = Column[Model]("depth", lambda m: len(m.name), unit="levels", align="right")
    longer = replace(TABLE, columns=[*COLUMNS, new])
    depths = [len(m.name) for m in MODELS]

    lines = plain_text(longer.to_rich()).splitlines()
    assert "depth (levels)" in "\n".join(lines)
    assert [int(line.split()[-1]) for line in lines[-3:]] == depths

    cells = Cells(longer.to_html()).rows
    assert cells[0][-1] == "depth (levels)"
    assert [int(row[-1]) for row in cells[1:4]] == depths

    frame = longer.to_frame()
    assert frame["depth"].tolist() == depths
    assert frame.attrs["units"] == {"size": "leaves", "depth": "levels"}

    for before, after in (
        (TABLE.to_html(), longer.to_html()),
        (plain_text(TABLE.to_rich()), plain_text(longer.to_rich())),
    ):
        assert "depth" not in before
        assert "depth" in after
    assert "depth" not in TABLE.to_frame()


def test_numbers_stay_numbers_in_the_data_frame() -> None:
    frame = TABLE.to_frame()
    assert list(frame.columns) == [
        "model", "size", "accuracy", "accuracy_low", "accuracy_high", "share",
    ]  # fmt: skip
    assert frame["accuracy_low"].tolist()[:2] == [0.85, -0.3]
    assert frame["accuracy"].isna().tolist() == [False, False, True]
    assert frame["size"].isna().tolist() == [False, True, False]
    assert frame["share"].mean() == pytest.approx(0.375)  # NaN is missing
    assert frame.attrs["caption"] == "Models compared."


def test_what_is_not_known_is_a_dash_and_names_are_no_markup() -> None:
    text = plain_text(TABLE.to_rich())
    assert "[bold]net[/bold] <i>" in text
    assert "12,345" in text
    assert "0.900 [0.850, 0.950]" in text
    assert "−0.200 [−0.300, −0.100]" in text
    rule = text.splitlines()[-1].split()
    assert rule == ["rule", "3", "—", "—"]
    page = TABLE.to_html()
    assert "<i>" not in page
    assert "&lt;i&gt;" in page
    assert Cells(page).rows[3] == ["rule", "3", "—", "—"]


def test_intervals_share_a_scale_and_bars_are_filled_by_the_largest() -> None:
    page = TABLE.to_html()
    dots = [float(x) for x in re.findall(r'<circle cx="([\d.]+)"', page)]
    assert len(dots) == 2
    assert dots[0] > dots[1]  # 0.9 lies right of -0.2
    assert page.count("<tfoot>") == 1
    fills = [float(x) for x in re.findall(r'width="([\d.]+)" height="8" class="fill"', page)]
    assert fills == [48.0, 96.0]
    assert page.count('class="strong"') == 1
    assert page.count('class="dot main"') == 1


def test_columns_without_a_value_are_left_out_where_they_are_optional() -> None:
    for optional in (True, False):
        bare = [*COLUMNS[:1], Column[Model]("cost", lambda m: None, optional=optional)]
        table = replace(TABLE, columns=bare)
        for drawn in (plain_text(table.to_rich()), table.to_html(), str(table.to_frame())):
            assert ("cost" in drawn) is not optional


def test_second_lines_and_stars() -> None:
    columns = [
        Column[Model]("model", lambda m: m.name[:4], mark=lambda m: m.size == 3, wrap=True),
        Column[Model]("kilobytes", lambda m: m.size and m.size / 1000, under="model",
                      format=lambda v: f"({v:.1f} kB)"),
        Column[Model]("accuracy", lambda m: m.accuracy, brief=True),
    ]  # fmt: skip
    table = Table("", columns, MODELS, stacked=True)
    text = plain_text(table.to_rich())
    assert "rule*" in text
    assert "(12.3 kB)" in text.splitlines()[3]
    assert "[0.850" not in text  # brief
    page = Cells(table.to_html()).rows
    assert page[0] == ["model", "accuracy"]
    assert page[1] == ["[bol (12.3 kB)", "0.900 [0.850, 0.950]"]
    assert list(table.to_frame().columns)[:2] == ["model", "kilobytes"]


def test_nothing_is_cut_in_a_narrow_terminal() -> None:
    long = Model("a_name_without_any_blank_" * 5, 1, Measured(0.5, 0.4, 0.6))
    text = plain_text(replace(TABLE, rows=(long,)).to_rich())
    assert "…" not in text
    assert "".join(line.split("  ")[0].strip() for line in text.splitlines()).count("blank") == 5


def test_a_result_that_is_one_table() -> None:
    class Found(Tabular):
        def sheet(self) -> Table[Model]:
            return replace(TABLE, notes=("A note <u>.",))

    found = Found()
    assert str(found).startswith("Models compared.")
    assert str(found).endswith("A note <u>.")
    assert found.to_frame().equals(TABLE.to_frame())
    html = found._repr_html_()
    assert "A note &lt;u&gt;." in html
    assert html.startswith('<div class="limbeck">')


def test_some_numbers_of_a_column_may_have_no_interval() -> None:
    mixed = Column[Model]("found", lambda m: m.accuracy or 0.25, drawing=Drawing(top=1.0))
    table = replace(TABLE, columns=[*COLUMNS[:1], mixed])
    assert plain_text(table.to_rich()).splitlines()[-1].split() == ["rule", "0.250"]
    assert table.to_html().count("<circle") == 2
    frame = table.to_frame()
    assert frame["found"].tolist() == [0.9, -0.2, 0.25]
    assert frame["found_low"].isna().tolist() == [False, False, True]


def test_an_interval_without_ends_is_neither_written_nor_drawn() -> None:
    open_ = Model("open", 1, Measured(0.5, -math.inf, math.inf))
    table = replace(TABLE, rows=(open_, MODELS[0]))
    assert "0.500\n" in plain_text(table.to_rich()).replace("  ", "").replace("0.500 ", "0.500\n")
    assert "inf" not in plain_text(table.to_rich()) + table.to_html()
    assert table.to_html().count("<circle") == 1


def test_some_rows_are_drawn_and_terminals_leave_columns_to_the_page() -> None:
    columns = [
        COLUMNS[0],
        Column[Model]("accuracy", lambda m: m.accuracy,
                      drawing=Drawing(where=lambda m: m.name == "tree")),
        Column[Model]("letters", lambda m: len(m.name), page_only=True),
    ]  # fmt: skip
    table = replace(TABLE, columns=columns)
    assert table.to_html().count("<circle") == 1
    assert "letters" not in plain_text(table.to_rich())
    assert "letters" in table.to_html()
    assert table.to_frame()["letters"].sum() == sum(len(m.name) for m in MODELS)


def test_numbers_of_numpy_are_written_as_those_of_python() -> None:
    values = [np.int64(12_345), np.float32(0.5), np.float32("nan"), np.bool_(True), np.str_("a")]
    table = Table("", [Column[object]("value", lambda v: v)], values)
    lines = plain_text(table.to_rich()).splitlines()[2:]
    assert [line.strip() for line in lines] == ["12,345", "0.500", "—", "yes", "a"]
