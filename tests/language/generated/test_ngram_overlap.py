from __future__ import annotations

from limbeck.language.generated.ngram_overlap import overlaps

RUN = "one two three four five six seven eight nine ten eleven twelve thirteen"


def test_thirteen_words_in_a_row_are_an_overlap_and_twelve_are_not():
    test = ["nothing here at all", f"before {RUN} after it"]
    assert overlaps([f"Say: {RUN.upper()}!"], test) == {0: 1}
    twelve = " ".join(RUN.split()[:12])
    assert overlaps([f"Say: {twelve} and stop"], test) == {}
    assert overlaps([RUN.replace("seven", "7")], test) == {}


def test_a_short_test_row_counts_where_it_stands_whole():
    test = ["A really very dull film", "no way"]
    assert overlaps(["I saw a really very dull film once"], test) == {0: 0}
    assert overlaps(["a really dull film", "there is no way out"], test) == {}
    assert overlaps(["No way!"], test) == {0: 1}  # equal, though short
    assert overlaps(["..."], ["!!!"]) == {}
