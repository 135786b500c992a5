from __future__ import annotations

import re

import pytest

from limbeck.reports.style import FRAGMENT, PAGE


def rules(css: str) -> list[tuple[str, str]]:
    """Selectors with their declarations, those inside @media and @supports as well."""
    css = re.sub(r"/\*.*?\*/", "", css, flags=re.S)
    css = re.sub(r"@[a-z]+ [^{]*\{((?:[^{}]*\{[^{}]*\})*)[^{}]*\}", r"\1", css)
    found = re.findall(r"([^{}]+)\{([^{}]*)\}", css)
    assert not re.sub(r"[^{}]+\{[^{}]*\}", "", css).strip()  # every brace has its other one
    return [(selector.strip(), declared) for selector, declared in found]


def check_style(css: str, pages: bool = True) -> None:
    allowed = {":root", "html", "body.limbeck"} if pages else set()
    for selector, declared in rules(css):
        for one in re.split(r",(?![^(]*\))", selector):
            assert one.strip().startswith(".limbeck") or one.strip() in allowed, one
        assert all(":" in part for part in declared.split(";") if part.strip()), declared
    assert not re.search(r"url\(|@import|expression|</", css)
    used, defined = (set(re.findall(p, css)) for p in (r"var\((--[a-z]+)\)", r"(--[a-z]+):"))
    assert used <= defined


@pytest.mark.parametrize(("css", "pages"), [(FRAGMENT, False), (PAGE, True)])
def test_rules_stay_under_the_class_load_nothing_and_use_colours_that_are_defined(
    css: str, pages: bool
) -> None:
    check_style(css, pages)
