"""Gradient boosting as teachers: the files and models of LightGBM, XGBoost and CatBoost."""

from __future__ import annotations
