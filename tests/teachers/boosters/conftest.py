"""A table with a column of categories and missing values, and what is predicted of it."""

import numpy as np
import pandas as pd

rng = np.random.default_rng(0)
X = pd.DataFrame(rng.normal(size=(300, 3)), columns=["a", "b", "d"])
X.insert(1, "c", pd.Categorical(rng.choice(["u", "v", "w"], 300)))
X.iloc[::7, 0] = np.nan
SIGNAL = X["a"].fillna(0) + (X["c"] == "u")
TWO = (SIGNAL > 0.3).to_numpy().astype(int)
THREE = np.array(["low", "mid", "top"])[np.digitize(SIGNAL, [-0.3, 0.8])]
CODES = np.unique(THREE, return_inverse=True)[1]
VALUES = SIGNAL.to_numpy()
