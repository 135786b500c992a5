"""`distill` from a network into a smaller network."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from limbeck.api.network_steps import NetworkSteps
from limbeck.api.prepare.outputs import readings_kept
from limbeck.api.prepare.request import NetworkRequest
from limbeck.api.steps import MOST_SEEDS, run
from limbeck.certificates.binomial import check_share
from limbeck.core.errors import InvalidInput, whole_number
from limbeck.core.task import Task
from limbeck.data.duplicates import Rule
from limbeck.networks.cache.teacher_cache import TeacherCache
from limbeck.networks.losses.filters import Filter
from limbeck.networks.strategies.together import BornAgain
from limbeck.results.network import NetworkDistillation

__all__ = ["compress"]


@readings_kept
def compress(
    teacher: Any,
    data: Any,
    y: Any = None,
    *,
    into: Any,
    objective: Any = None,
    recipe: str | None = None,
    mode: BornAgain | None = None,
    filter: Filter | None = None,  # noqa: A002  (the field's word)
    start: Any = None,
    assistants: Any = None,
    early_teacher: Any = None,
    cache: bool | str | Path | TeacherCache | None = None,
    validation: Any = None,
    test: Any = None,
    unlabelled: Any = None,
    holdout: float = 0.3,
    cases: Any = None,
    duplicates: Rule = "auto",
    seeds: int = 1,
    task: str | Task | None = None,
    tokenizers: Sequence[Any] | None = None,
    output: Any = None,
    vocabulary: int | None = None,
    classes: Sequence[Any] | None = None,
    unit: str = "",
    control: bool | str | Path = True,
    calibrate: bool = False,
    baseline: bool = True,
    timing: bool = True,
    epsilon: float = 0.05,
    delta: float = 0.05,
    seed: int = 0,
    out: str | Path | None = None,
    progress: bool | None = None,
    steps: type[NetworkSteps] | None = None,
    **training: Any,
) -> NetworkDistillation:
    """Distil a network into a smaller network, with a control and a certificate.

    Parameters
    ----------
    teacher : nn.Module, sequence of nn.Module, or None
        Never trained, never moved; several are a `limbeck.networks.ModuleEnsemble`. None where
        peers or exits teach.
    data, y : Dataset, DataLoader, arrays or Hugging Face data set
        Training rows, see `limbeck.networks.datasets.data.Samples.of`; y are labels given apart.
    into : nn.Module, function, or list of them
        The student: its weights are the start for every seed. A function without arguments makes
        a fresh one for every seed. A list trains students together, each taught by the others
        (and by the teacher, if there is one); the first is *the* student.
    objective : Loss or Objective
        By default soft targets at temperature 4 (0.9) with gold labels (0.1); for numbers half
        the teacher's values, half the labels.
    recipe : {"patient"}, optional
        Settings where none are given: "patient" (after Beyer et al. 2022) learns from the teacher's
        probabilities alone, in 12,000 updates, with mixup where inputs can be mixed; student and
        teacher see the same rows. The control trains as long, with mixup as well.
    mode : BornAgain, optional
        Generations of students, each taught by the one before.
    filter : Filter, optional
        Learn from the teacher only where it is right, or sure.
    start : str, mapping or sequence, optional
        Copy layers of the teacher first; see `limbeck.networks.init_from_teacher`. The control
        starts there, too.
    assistants : nn.Module, function, or list of them, optional
        Networks between teacher and student, largest first (Mirzadeh et al. 2020): each learns from
        the one before it as long as the student does, and the student from the last. The table
        also has the student that learned from the teacher directly.
    early_teacher : nn.Module, optional
        The teacher with weights of an earlier checkpoint, to learn from in its place (Cho and
        Hariharan 2019). Certificate and agreement stay with the teacher itself.
    cache : bool, path or TeacherCache, optional
        Ask the teacher once and keep its outputs: in this folder, or in ``out``. Where samples are
        augmented, or only the largest logits shall be kept, give a
        ``TeacherCache(folder, views=4, top=32)``.
    validation, test : as data, optional
        Rows to choose by, and rows for table and certificate, which must not be among those that
        teach or choose; without test rows a share ``holdout`` of the data is set aside.
        ``validation`` may be a share of the training rows. Without it a tenth of them (at most
        2,000) is set aside where ``epochs`` is not given, or ``patience`` is; with given epochs
        all rows train, to the end.
    unlabelled : as data, optional
        More inputs, without labels, that the teacher answers and the student learns from. Losses
        on labels skip them; the control trains on the labelled rows alone, with as many updates.
        Test rows among them are refused.
    cases : array-like of shape (n,) or str, optional
        The case that each row belongs to, such as a patient: split, comparison and certificate go
        by case, and the loss of a case is the mean over its rows. A column of a Hugging Face data
        set, or of a mapping of arrays, is taken out of the inputs. With ``test`` an array is of
        the test rows, and a column must be in both.
    duplicates : {"auto", "drop", "keep"}
        What identical rows are. By default they are copies, of which all come to one side and
        each counts once, if they are images, signals, or marked by a value of a continuous input;
        whole numbers, such as tokens, are discrete, and coincide by nature. ``drop`` takes all
        for copies, ``keep`` none.
    seeds : int
        Number of training seeds; with two or more, intervals include seed variance.
    task : str or Task, optional
        classification, multilabel, regression, tokens or language; found from data and student.
    tokenizers : pair, optional
        The teacher's tokenizer and the student's (with ``get_vocab``, as in transformers), to be
        refused if they number tokens differently. Without them only the sizes of the networks'
        vocabularies are compared.
    output : str, int or mapping, optional
        Which tensor is meant where networks return several: its name or position, for both or as
        ``{"teacher": "out", "student": 0}``. Without it the one named ``logits``, or the only one
        that fits labels and classes; two that fit are refused.
    vocabulary : int, optional
        How many outputs teacher and student share, where one has more that were only filled up
        (151,936 of 152,064): the first so many. The rest enters no loss, no score, no cache and
        no certificate. With the same ``tokenizers`` on both sides it is found.
    classes, unit
        Names of the classes; the unit of a number.
    control : bool or path
        Train the same student on gold labels, with the same start, budget, order and seeds; a
        path keeps these runs for other objectives; with other settings it is refused.
    calibrate : bool
        Fit the temperature of the finished student on the validation rows (Guo et al. 2017), and
        that of its control: answers stay, probabilities change.
    baseline : bool
        Train a linear model of the inputs as well.
    timing : bool
        Time all networks side by side, and measure their memory, on a batch of test rows; this
        calls each of them 13 times at most, and is for nothing else.
    epsilon, delta : float
        What is asked of the certificate.
    seed : int
        The first seed; the same seed gives the same student.
    out : path, optional
        Checkpoints, metrics and, in the end, everything `NetworkDistillation.save` writes. A run
        that was cut off goes on when it is called again with the same arguments.
    progress : bool, optional
        A progress bar; by default only on a terminal.
    steps : type, optional
        The steps for another kind of student; `limbeck.distill` chooses them by ``into``.
    **training
        Settings of `limbeck.networks.training.settings.Training`: epochs, batch_size, lr, ...
    holdout : float
        Share of the data that is set aside for table and certificate where ``test`` is not given.

    Raises
    ------
    InvalidInput
        If an argument, the data, or a pair of networks cannot be used, before any work; later,
        if a loss is not finite, which names the term, or layers do not fit each other.
    FileRefused
        If ``out`` cannot be written to, for example since the disk is full; the same call goes on
        from the last checkpoint.

    Notes
    -----
    Under torchrun all processes train together, and the first alone writes files and measures
    times.
    """
    check_share("epsilon", epsilon)
    check_share("delta", delta)
    if not isinstance(calibrate, bool):
        raise InvalidInput(f"calibrate is {calibrate!r}.", "Give True or False.")
    seeds, seed = whole_number("seeds", seeds, 1, MOST_SEEDS), whole_number("seed", seed)
    request = NetworkRequest(
        teacher, data, y, into, objective=objective, recipe=recipe, mode=mode, filter=filter,
        start=start, assistants=assistants, early_teacher=early_teacher, cache=cache,
        validation=validation, test=test, unlabelled=unlabelled,
        holdout=holdout, cases=cases, duplicates=duplicates, seeds=seeds, task=task,
        tokenizers=tokenizers, output=output,
        vocabulary=vocabulary, classes=classes, unit=unit, control=control,
        calibrate=calibrate, baseline=baseline,
        timing=timing, epsilon=epsilon, delta=delta, seed=seed,
        folder=None if out is None else Path(out), training=training,
    )  # fmt: skip
    return run((steps or NetworkSteps)(request), progress)
