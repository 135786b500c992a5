from __future__ import annotations

from limbeck.results.audit_sections.axes import bin_names, compact, slots
from tests.results.audit_sections.test_page import SHAPES, shape


def test_bins_are_named_and_laid_out() -> None:
    age, sex, income, charge = SHAPES
    assert bin_names(age)[:2] == ["up to 20", "20 to 22"]
    assert bin_names(age)[-2:] == ["above 60", "missing"]
    visits = shape("visits", [0.5, 1.5, 4.5], (), 4, 0)
    assert bin_names(visits) == ["0 or less", "1", "2 to 4", "5 or more"]
    assert [text for _, text in slots(visits, 0, 300).ticks][:2] == ["0", "2"]
    yes = shape("yes", [0.5 * (1 + 2.0**-24)], (), 2, 0)  # bins leave room for float32's rounding
    assert bin_names(yes) == ["0 or less", "1 or more"]
    far = shape("far", [80.5 * (1 + 2.0**-24), 99999.5 * (1 + 2.0**-24)], (), 3, 0)
    assert bin_names(far) == ["80 or less", "81 to 99,999", "100,000 or more"]
    assert [text for _, text in slots(yes, 0, 300).ticks] == ["0", "1"]
    assert bin_names(sex) == ["F", "<b>M</b>"]
    for s in SHAPES:
        at = slots(s, 50, 346)
        assert len(at.bins) == len(at.spans)
        assert all(50 <= a < b <= 346 for a, b in at.spans)
        assert all(50 <= x <= 346 for x, _ in at.ticks)
    assert slots(age, 0, 1).steps == 9
    assert "equal width" in str(slots(income, 0, 1).note)
    assert len(slots(charge, 0, 1).bins) == 16
    assert [compact(v) for v in (0.5, -3, 12345.6)] == ["0.5", "−3", "12,346"]
