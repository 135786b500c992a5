"""Each pipeline takes its own arguments of `limbeck.distill`, and refuses the others."""

import inspect
from dataclasses import fields

import pytest

import limbeck
from limbeck.api.pipelines import Wanted, pipeline_for
from limbeck.core.errors import InvalidInput


def test_asked_holds_the_arguments_of_distill_in_their_order_with_their_defaults():
    arguments = inspect.signature(limbeck.distill).parameters.values()
    ours = [field for field in fields(Wanted) if field.name != "settings"]
    theirs = [argument for argument in arguments if argument.kind is not argument.VAR_KEYWORD]
    assert [field.name for field in ours] == [argument.name for argument in theirs]
    assert [f.default for f in ours[1:]] == [argument.default for argument in theirs[1:]]


@pytest.mark.parametrize(
    ("into", "settings", "pipeline"),
    [
        ("tree", {}, "_table"),
        ("auto", {}, "_recommended"),
        ("static_embedding", {}, "_embedding"),
        ("text_classifier", {"labels": ["a", "b"]}, "_labels_of_texts"),
        ("text_classifier", {}, "_table"),
        ("hf:folder", {}, "_language"),
    ],
)
def test_the_student_decides_the_pipeline(into, settings, pipeline):
    asked = Wanted(len, ["a text"], into=into, settings=settings)
    assert pipeline_for(asked).__name__ == pipeline


@pytest.mark.parametrize(
    ("into", "settings", "given"),
    [
        ("hf:folder", {}, {"duplicates": "drop"}),
        ("hf:folder", {}, {"unit": "EUR"}),
        ("static_embedding", {}, {"score_kind": "logit"}),
        ("static_embedding", {}, {"duplicates": "keep"}),
        ("text_classifier", {"labels": ["a", "b"]}, {"unit": "EUR"}),
        ("auto", {}, {"via": "tree"}),
        ("auto", {}, {"method": "greedy"}),
        ("auto", {}, {"class_weight": "balanced"}),
        ("auto", {}, {"unlabelled": ["c"]}),
    ],
)
def test_an_argument_that_would_change_nothing_is_refused(into, settings, given):
    (name,) = given
    with pytest.raises(InvalidInput, match=f"^{name} was given "):
        limbeck.distill(
            lambda texts: [0.0] * len(texts), ["a", "b"], into=into, **settings, **given
        )


def test_rows_are_given_once():
    with pytest.raises(InvalidInput, match="as X and as data"):
        limbeck.distill(len, ["a"], data=["a"])
    with pytest.raises(InvalidInput, match="There are no rows"):
        limbeck.distill(len)
