"""The models and tables of the gallery, all from data that scikit-learn ships."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn import datasets
from sklearn.ensemble import GradientBoostingRegressor, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


def table(name: str) -> tuple[pd.DataFrame, pd.Series]:
    """Features and target of one of scikit-learn's data sets, in a random order."""
    bunch = getattr(datasets, f"load_{name}")(as_frame=True)
    order = np.random.default_rng(0).permutation(len(bunch.data))
    y = bunch.target
    if "target_names" in bunch and name != "digits":
        y = pd.Series(bunch.target_names[y], name="target")
    return bunch.data.iloc[order].reset_index(drop=True), y.iloc[order].reset_index(drop=True)


def forest():
    """A random forest that tells benign from malignant tumours, trained on 200 of 569 rows."""
    X, y = table("breast_cancer")
    return RandomForestClassifier(200, random_state=0).fit(X[:200], y[:200])


def cancer_rows() -> pd.DataFrame:
    """The rows that the forest has not seen, with their diagnosis."""
    X, y = table("breast_cancer")
    return X.assign(diagnosis=y)[200:]


def boosting():
    """Gradient boosting that predicts how far diabetes progresses in a year."""
    X, y = table("diabetes")
    return GradientBoostingRegressor(random_state=0).fit(X[:200], y[:200])


def diabetes_rows() -> pd.DataFrame:
    """The rows that boosting has not seen."""
    X, y = table("diabetes")
    return X.assign(progression=y)[200:]


class ThreeColumns(RandomForestClassifier):
    """A forest that is given all 13 columns of the wine data and uses three of them."""

    def fit(self, X, y):
        return super().fit(self._used(X), y)

    def predict_proba(self, X):
        return super().predict_proba(self._used(X))

    def _used(self, X):
        return np.asarray(X[["alcohol", "flavanoids", "color_intensity"]]) > [13, 1.6, 4]


def three_columns():
    """What the gallery's junta is found in."""
    X, y = table("wine")
    return ThreeColumns(50, random_state=0).fit(X[:60], y[:60])


def wine_rows() -> pd.DataFrame:
    """The rows that it has not seen."""
    X, y = table("wine")
    return X.assign(cultivar=y)[60:]


def scored_patients() -> pd.DataFrame:
    """A score of 1 to 10 for each patient, by a model that also saw a column not in the table."""
    X, y = table("breast_cancer")
    sick = (y == "malignant").astype(int)
    columns = ["mean texture", "mean smoothness", "mean symmetry", "mean fractal dimension"]
    seen = X[[*columns, "mean concavity"]]
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(seen[:200], sick[:200])
    score = pd.qcut(model.predict_proba(seen)[:, 1], 10, labels=False) + 1
    return X[columns].assign(score=score, malignant=sick)[200:]


def waves() -> pd.DataFrame:
    """A curve of 64 numbers for each digit: the pixels, read along a line that snakes."""
    X, y = table("digits")
    pixels = X.to_numpy().reshape(-1, 8, 8).copy()
    pixels[:, 1::2] = pixels[:, 1::2, ::-1]
    names = [f"t{i:02d}" for i in range(64)]
    return pd.DataFrame(pixels.reshape(-1, 64), columns=names).assign(zero=(y == 0).astype(int))


def network():
    """A convolutional network that tells the digit 0 from the others, by its curve."""
    import torch
    from torch import nn

    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Unflatten(1, (1, 64)), nn.Conv1d(1, 8, 9), nn.ReLU(), nn.MaxPool1d(4),
        nn.Flatten(), nn.Linear(112, 16), nn.ReLU(), nn.Linear(16, 2),
    )  # fmt: skip
    rows = waves()[:800]
    x = torch.tensor(rows.iloc[:, :-1].to_numpy(), dtype=torch.float32)
    y = torch.tensor(rows["zero"].to_numpy())
    optimizer = torch.optim.AdamW(net.parameters(), 3e-3)
    for _ in range(60):
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(x), y).backward()
        optimizer.step()
    return net


def wave_rows() -> pd.DataFrame:
    """The curves that the network has not seen."""
    return waves()[800:1400]
