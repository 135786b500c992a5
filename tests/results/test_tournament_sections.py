from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree

import matplotlib.pyplot as plt

from limbeck.core.measured import Measured
from limbeck.reports.printed import plain_text
from limbeck.results.tournament_record import StudentStatement
from limbeck.results.tournament_sections import (
    candidate_table,
    front_svg,
    panel,
    plot_front,
    tables,
    terminal,
    write_page,
)


def test_bounds_stand_beside_the_finalists_alone(tournaments):
    found = tournaments()
    assert list(candidate_table(found).to_frame()["numbers"]) == [3, 5, 9]
    sheet = candidate_table(found, every=True)
    frame = sheet.to_frame()
    assert list(frame["numbers"]) == [3, 5, 7, 9]
    assert frame["certified"].isna().tolist() == [False, False, True, False]
    assert list(frame["certified"].dropna()) == [0.2, 0.0764, 0.04]
    column = next(c for c in sheet.columns if c.name == "certified")
    assert column.title == "differs on at\nmost (95%)"
    assert [column.texts(c)[0] for c in found.fronted] == ["20%", "7.64%", "4%"]
    assert [sheet.strong(c) for c in found.candidates] == [False, True, False, False]
    assert [sheet.style(c) for c in found.candidates] == ["", "bold", "dim", ""]


def test_of_values_the_tolerance_stands_there(tournaments):
    found = tournaments()
    own = [
        replace(f, certificate=replace(f.certificate, tolerance=0.51234)) for f in found.finalists
    ]
    column = next(
        c for c in candidate_table(replace(found, finalists=tuple(own))).columns
        if c.name == "certified"
    )  # fmt: skip
    assert column.title == "stays\nwithin (95%)"
    assert column.texts(found.fronted[0])[0] == "0.5124"  # never below the bound


def test_tables_without_rows_are_left_out(tournaments):
    said = (StudentStatement("rises", Measured(0.9, 0.8, 1.0), 2),)
    every = tournaments(statements=said, refits=20, near=3)
    assert list(tables(every)) == ["front", "all", "statements", "unfinished"]
    titles = [c.title for c in tables(every)["statements"].columns]
    assert titles == ["statement", "share of 20 refits", "of 3 near-equal students"]
    assert list(tables(tournaments(unfinished=()))) == ["front", "all"]


def test_the_chart_has_the_front_as_a_line_and_others_as_points(tournaments):
    drawn = panel(tournaments())
    front, behind = drawn.lines
    assert front.points == ((3.0, 0.8), (5.0, 0.9), (9.0, 0.95))
    assert (behind.name, behind.points, behind.main) == ("linear by way", ((7.0, 0.7),), False)
    assert (drawn.chosen, drawn.unit) == (5, "agreement on rows left out")
    marks = [e.get("class") for e in ElementTree.fromstring(front_svg(tournaments())).iter()
             if e.find("{*}title") is not None]  # fmt: skip
    assert (marks.count("point main"), marks.count("point")) == (3, 1)


def test_axes_have_a_line_per_way(tournaments):
    _, ax = plt.subplots()
    plot_front(tournaments(), ax)
    ways = {line.get_label(): list(line.get_xdata()) for line in ax.lines}
    assert (ways["linear by way"], ways["tree by way"]) == ([5, 7], [3, 9])
    assert [text.get_text() for text in ax.get_xticklabels()] == ["3", "5", "9"]
    plt.close(ax.figure)


def test_it_is_said_on_what_students_were_certified(tournaments):
    def last(found):
        return " ".join(plain_text(terminal(found)).split())

    assert last(tournaments()).endswith(
        "Chosen on rows left out of training in turn; certified on 1,000 rows that no student saw,"
        " all 3 together with 95.0% confidence."
    )
    assert last(tournaments((0.05,), recommended=0)).endswith("on 1,000 rows it never saw.")


def test_a_page_takes_no_reason_for_markup(tournaments, tmp_path):
    page = write_page(tournaments(), tmp_path / "page.html").read_text()
    assert "<h1>Forest: 4 readable students</h1>" in page
    assert "needs &lt;b&gt;queries&lt;/b&gt;" in page
    assert (
        "Not in the race"
        not in write_page(tournaments(unfinished=()), tmp_path / "page.html").read_text()
    )
