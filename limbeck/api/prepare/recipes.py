"""Settings that belong together, for what a user left open."""

from __future__ import annotations

from dataclasses import replace

from limbeck.core.errors import InvalidInput, did_you_mean
from limbeck.core.task import Task
from limbeck.networks.datasets.data import Samples
from limbeck.networks.datasets.mixing import can_be_mixed
from limbeck.networks.training.settings import UPDATES, Training

__all__ = ["by_recipe"]

_RECIPES = ("patient",)
_LONG = 4 * UPDATES
_ALPHA = 1.0  # the share of each row is uniform


def by_recipe(
    recipe: str | None, training: Training, rows: Samples, task: Task, alone: bool = True
) -> tuple[Training, list[str]]:
    """The settings with those of a recipe where they were left open, and a note on these.

    Parameters
    ----------
    recipe : {"patient"} or None
        A long training on mixed rows, which student and teacher see alike (Beyer et al. 2022).
    training : Training
        As it was given.
    rows : Samples
        The training rows.
    task : Task
        What is predicted.
    alone : bool
        Whether no objective was given, so that the teacher's outputs alone are learned.

    Raises
    ------
    InvalidInput
        If there is no such recipe.
    """
    if recipe is None:
        return training, []
    if recipe not in _RECIPES:
        raise InvalidInput(f"recipe is {recipe!r}.", did_you_mean(str(recipe), _RECIPES))
    what = "probabilities" if task.classifies else "outputs"
    told = [f"the teacher's {what} alone, without labels"] if alone else []
    if training.epochs is None and training.max_steps is None:
        training = replace(training, max_steps=_LONG)
        told.append(f"{_LONG:,} updates")
    if training.mixup is None and training.cutmix is None:
        if can_be_mixed(rows.fetch([0]).inputs, task):
            training = replace(training, mixup=_ALPHA)
            told.append(f"mixup={_ALPHA:g} and no CutMix")
        else:
            told.append("no mixup, since inputs are no floating-point numbers")
    note = (
        f"The recipe {recipe!r} chose: {', '.join(told)}. The control, on labels, trains as long"
        " with the same mixing."
    )
    return training, [note] if told else []
