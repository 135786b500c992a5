from __future__ import annotations

import pytest

from limbeck.core.errors import InvalidInput
from limbeck.reports.document import document, place, write_document
from limbeck.reports.markup import tag


def test_a_page_holds_its_sections_in_order_and_may_fetch_nothing() -> None:
    page = document("A <title> & more", [tag("p", "one"), tag("p", "two")], ".limbeck > p { }")
    assert page.startswith("<!DOCTYPE html>\n<html")
    assert page.endswith("</html>\n")
    assert "<title>A &lt;title&gt; &amp; more</title>" in page
    assert "<style>.limbeck > p { }</style>" in page
    assert "<section><p>one</p></section><section><p>two</p></section>" in page
    head = page[: page.index("</head>")]
    assert "Content-Security-Policy" in head
    assert "default-src &#x27;none&#x27;" in head
    assert "script" not in head


def test_a_page_is_written_to_a_file_in_a_folder_that_is_there(tmp_path) -> None:
    page = document("é", [], "")
    path = write_document(page, str(tmp_path / "a.html"))
    assert path.read_bytes() == page.encode("utf-8")
    with pytest.raises(InvalidInput, match=r"'.*none' does not exist\. Make it first"):
        write_document(page, tmp_path / "none" / "a.html")
    with pytest.raises(InvalidInput, match=r"is a folder\. Give the name of a file"):
        place(tmp_path)
