from __future__ import annotations

from limbeck.language.generated.tasks import GeneratedRow


def test_what_a_classifier_reads_is_the_text_of_a_class_or_the_whole_task():
    assert GeneratedRow("a", "Is it good?", "fine film", "0", label=0).text == "fine film"
    assert GeneratedRow("a", "Translate.", "water", "aqua").text == "Translate.\n\nwater"
    assert GeneratedRow("a", "Name a river.", "", "Nile").text == "Name a river."
