from __future__ import annotations

from dataclasses import replace
from typing import Any

from limbeck.certificates.composed import ComposedBound
from limbeck.results.distillation_sections.chain import chain_table


def test_a_row_for_each_step_their_sum_and_the_direct_bound(record: Any) -> None:
    assert chain_table(record()) is None
    c = record().certificate
    steps = (
        replace(c, epsilon=0.0101, delta=0.01, mean_loss=0.004),
        replace(c, epsilon=0.02, delta=0.01, mean_loss=0.01),
    )
    chain = ComposedBound(("network", "tree"), steps, replace(c, delta=0.03))
    table = chain_table(record(chain=chain))
    assert table is not None
    frame = table.to_frame()
    assert frame["compared"].tolist() == [
        "teacher → network", "network → tree", "all steps", "teacher → tree, directly",
    ]  # fmt: skip
    assert frame["epsilon"].tolist() == [0.0101, 0.02, 0.0101 + 0.02, 0.04]
    assert frame["delta"].tolist() == [0.01, 0.01, 0.02, 0.03]
    assert frame["seen"].tolist()[:2] == [0.004, 0.01]
    assert "tolerance" not in frame
    assert "all bounds hold at once with probability at least 95%" in table.caption
    assert [r.compared for r in table.rows if table.strong(r)] == ["all steps"]
    assert "3.01%" in table.to_html()


def test_of_numbers_the_smaller_tolerance_is_the_bound(record: Any) -> None:
    c = replace(record().certificate, loss="exceeds")
    steps = (replace(c, tolerance=1.0), replace(c, tolerance=2.0))
    table = chain_table(record(chain=ComposedBound(("a", "b"), steps, replace(c, tolerance=2.5))))
    assert table is not None
    assert table.to_frame()["tolerance"].tolist() == [1.0, 2.0, 3.0, 2.5]
    assert "beyond the tolerance" in table.caption
    assert [r.compared for r in table.rows if table.strong(r)] == ["teacher → b, directly"]
