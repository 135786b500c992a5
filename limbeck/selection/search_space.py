"""What a search draws settings from: lists of choices and distributions, as scikit-learn's do."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from limbeck.core.errors import InvalidInput, MissingExtra

__all__ = ["SearchSpace"]

_MOST_LISTED = 100_000  # combinations that are listed, so that none is drawn twice


@dataclass(frozen=True)
class SearchSpace:
    """Settings by name, each with a list of choices or a distribution.

    Parameters
    ----------
    over : mapping of str to sequence or distribution
        A list of choices, or what has ``rvs(random_state=...)``, such as
        ``scipy.stats.loguniform(1e-4, 1e-1)``.

    Raises
    ------
    InvalidInput
        If there is nothing to choose from.

    Examples
    --------
    >>> from scipy.stats import loguniform
    >>> space = SearchSpace({"lr": loguniform(1e-4, 1e-1), "batch_size": [32, 64]})
    >>> [sorted(trial) for trial in space.drawn(2, seed=0)]
    [['batch_size', 'lr'], ['batch_size', 'lr']]
    """

    over: Mapping[str, Any]

    def __post_init__(self) -> None:
        if not isinstance(self.over, Mapping) or not self.over:
            raise InvalidInput(
                f"over is {self.over!r}: there is nothing to search over.",
                'Name settings and their choices: over={"lr": [0.001, 0.01]}.',
            )
        for name, given in self.over.items():
            if not hasattr(given, "rvs") and not _listed(given):
                raise InvalidInput(
                    f"over[{name!r}] is {given!r}.",
                    "Give a list with at least one choice, or a distribution such as"
                    " scipy.stats.loguniform(1e-4, 1e-1).",
                )

    @property
    def size(self) -> float:
        """How many combinations there are; infinite with a distribution."""
        return math.prod(
            math.inf if hasattr(given, "rvs") else len(given) for given in self.over.values()
        )

    def only(self, names: Sequence[str]) -> dict[str, Any]:
        """The part of some settings."""
        return {name: given for name, given in self.over.items() if name in names}

    def drawn(self, trials: int, seed: int) -> list[dict[str, Any]]:
        """Settings at random (Bergstra and Bengio 2012); none twice where there are few.

        Parameters
        ----------
        trials : int
            How many; fewer where there are fewer combinations.
        seed : int
            The same seed gives the same settings.
        """
        rng = np.random.default_rng(seed)
        if self.size <= _MOST_LISTED:
            every = list(product(*(range(len(given)) for given in self.over.values())))
            places = rng.permutation(len(every))[:trials]
            return [
                {n: self.over[n][i] for n, i in zip(self.over, every[place], strict=True)}
                for place in places
            ]
        return [
            {name: _one(given, rng) for name, given in self.over.items()} for _ in range(trials)
        ]

    def proposals(self, trials: int, seed: int) -> Iterator[dict[str, Any]]:
        """Settings by optuna's tree-structured Parzen estimator; send the score of each.

        Parameters
        ----------
        trials : int
            How many.
        seed : int
            Of the sampler; with the same scores the same settings follow.

        Yields
        ------
        dict
            ``generator.send(score)``, larger is better and None for a trial that failed, gives
            the next.

        Raises
        ------
        MissingExtra
            If optuna is not installed.
        InvalidInput
            If a distribution is none that optuna knows.
        """
        try:
            import optuna
        except ImportError:
            raise MissingExtra(
                "search='bayesian' needs optuna.", "pip install 'limbeck[tune]'."
            ) from None
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=min(10, trials // 3 + 1))
        study = optuna.create_study(direction="maximize", sampler=sampler)
        for _ in range(trials):
            trial = study.ask()
            score = yield {n: _suggested(trial, n, given) for n, given in self.over.items()}
            if score is None:
                study.tell(trial, state=optuna.trial.TrialState.FAIL)
            else:
                study.tell(trial, score)

    def check_bayesian(self) -> None:
        """Refuse distributions that optuna does not know, before any work."""
        for name, given in self.over.items():
            if hasattr(given, "rvs"):
                _bounds(name, given)


def _listed(given: Any) -> bool:
    return (
        isinstance(given, Sequence | np.ndarray) and not isinstance(given, str) and len(given) > 0
    )


def _one(given: Any, rng: np.random.Generator) -> Any:
    if not hasattr(given, "rvs"):
        return given[int(rng.integers(len(given)))]
    value = given.rvs(random_state=rng)
    return value.item() if isinstance(value, np.generic) else value


def _suggested(trial: Any, name: str, given: Any) -> Any:
    if not hasattr(given, "rvs"):  # by place: choices may be anything
        return given[trial.suggest_categorical(name, list(range(len(given))))]
    kind, low, high = _bounds(name, given)
    if kind == "randint":
        return trial.suggest_int(name, int(low), int(high) - 1)
    return trial.suggest_float(name, low, high, log=kind in ("loguniform", "reciprocal"))


def _bounds(name: str, given: Any) -> tuple[str, float, float]:
    """The kind of a distribution of scipy, and its ends."""
    kind = getattr(getattr(given, "dist", None), "name", "")
    if kind not in ("loguniform", "reciprocal", "uniform", "randint"):
        raise InvalidInput(
            f"over[{name!r}] is a {kind or type(given).__name__}, which search='bayesian' does not"
            " take.",
            "Give a list, or scipy.stats.loguniform, uniform or randint; or search='random'.",
        )
    low, high = (float(x) for x in given.support())
    return kind, low, high + 1 if kind == "randint" else high
