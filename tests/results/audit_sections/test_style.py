from __future__ import annotations

from limbeck.results.audit_sections.style import AUDIT
from tests.reports.test_style import check_style


def test_rules_stay_under_the_class_load_nothing_and_use_colours_that_are_defined() -> None:
    check_style(AUDIT)
