from __future__ import annotations

import matplotlib.pyplot as plt
import pytest

from limbeck.core.errors import FileRefused
from limbeck.results.generated import GeneratedSet


def test_a_folder_gives_back_every_text(generated_sets, tmp_path):
    found = generated_sets()
    again = GeneratedSet.load(found.save(tmp_path / "set"))
    for name in ("rows", "dropped", "requests", "funnel", "bill", "notes", "settings"):
        assert getattr(again, name) == getattr(found, name)
    assert str(again) == str(found)
    assert again.to_dict() == found.to_dict()


def test_a_line_that_is_spoilt_is_named(generated_sets, tmp_path):
    folder = generated_sets().save(tmp_path / "set")
    rows = folder / "rows.jsonl"
    good = rows.read_text()
    rows.write_text(good + "\n" + good)  # a blank line is none
    assert len(GeneratedSet.load(folder)) == 2
    for spoilt in ("{\n", '{"id": "r1"}\n', "3\n"):
        rows.write_text(good + spoilt)
        with pytest.raises(FileRefused, match=r"Line 2 of .*rows\.jsonl' cannot be read\."):
            GeneratedSet.load(folder)


@pytest.mark.parametrize(("count", "told"), [(1, "1 row by m"), (2, "2 rows by m")])
def test_a_page_counts_its_rows(generated_sets, tmp_path, count, told):
    found = generated_sets(rows=generated_sets().rows * count)
    page = found.report(tmp_path / "page.html").read_text()
    assert f"<h1>{told}</h1>" in page
    assert "<b>" not in page


def test_what_filters_took_is_drawn(generated_sets):
    _, ax = plt.subplots()
    assert generated_sets().plot(ax) is ax
    assert [text.get_text() for text in ax.get_yticklabels()] == ["instances: too short"]
    assert [bar.get_width() for bar in ax.patches] == [3]
    plt.close(ax.figure)
