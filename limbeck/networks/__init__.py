"""Networks into smaller networks: objectives, training, teacher cache; everything here is torch's.

Each name is imported when first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

# Public names and the files they live in.
_ROOMS = {
    "Objective": "objective",
    "Term": "objective",
    "GoldLabels": "objectives.labels",
    "TeacherLabels": "objectives.labels",
    "SoftTargets": "objectives.probabilities",
    "ReverseKL": "objectives.probabilities",
    "JensenShannon": "objectives.probabilities",
    "DKD": "objectives.decoupled",
    "DIST": "objectives.decoupled",
    "Logits": "objectives.logits",
    "LogitsCosine": "objectives.logits",
    "HiddenStates": "objectives.hidden",
    "Embeddings": "objectives.hidden",
    "AttentionMaps": "objectives.attention",
    "AttentionTransfer": "objectives.attention",
    "Relations": "objectives.relations",
    "Contrastive": "objectives.contrastive",
    "Interchange": "objectives.interchange",
    "LinearSchedule": "schedules",
    "CosineSchedule": "schedules",
    "StepSchedule": "schedules",
    "WhereRight": "filters",
    "WhereSure": "filters",
    "RowWeights": "filters",
    "Ensemble": "ensemble",
    "BornAgain": "loop.modes",
    "balanced": "loop.balance",
    "Training": "loop.training",
    "Exits": "structure.exits",
    "TeacherCache": "cache.teacher_cache",
    "Samples": "samples.data",
    "transplant": "structure.transplanting",
    "propose_pairs": "structure.matching",
    "causal_agreement": "structure.causal",
    "hand_over": "handing.handover",
    "measure": "handing.costs",
}

__all__ = sorted(_ROOMS)


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return getattr(import_module(f"limbeck.networks.{_ROOMS[name]}"), name)
    raise AttributeError(f"module 'limbeck.networks' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_ROOMS])
