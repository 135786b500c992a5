"""Networks into smaller networks: objectives, training, teacher cache; everything here is torch's.

Each name is imported when first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

# Public names and the modules they live in.
_MODULES = {
    "Objective": "networks.losses.loss",
    "Loss": "networks.losses.loss",
    "GoldLabels": "networks.losses.labels",
    "TeacherLabels": "networks.losses.labels",
    "SoftTargets": "networks.losses.probabilities",
    "ReverseKL": "networks.losses.probabilities",
    "JensenShannon": "networks.losses.probabilities",
    "DKD": "networks.losses.decoupled",
    "DIST": "networks.losses.decoupled",
    "Logits": "networks.losses.logits",
    "LogitsCosine": "networks.losses.logits",
    "HiddenStates": "networks.losses.hidden",
    "Embeddings": "networks.losses.hidden",
    "AttentionMaps": "networks.losses.attention",
    "AttentionTransfer": "networks.losses.attention",
    "Relations": "networks.losses.relations",
    "Contrastive": "networks.losses.contrastive",
    "Interchange": "networks.losses.interchange",
    "LinearSchedule": "networks.losses.schedules",
    "CosineSchedule": "networks.losses.schedules",
    "StepSchedule": "networks.losses.schedules",
    "TeacherCorrect": "networks.losses.filters",
    "TeacherConfident": "networks.losses.filters",
    "RowWeights": "networks.losses.filters",
    "ModuleEnsemble": "networks.teachers.ensemble",
    "BornAgain": "networks.strategies.together",
    "balanced": "networks.training.balance",
    "Training": "networks.training.settings",
    "Callback": "networks.training.callbacks",
    "TrainingState": "networks.training.callbacks",
    "Exits": "networks.strategies.exits",
    "TeacherCache": "networks.cache.teacher_cache",
    "Samples": "networks.datasets.data",
    "Hybrid": "networks.conversion.hybrid",
    "Pruned": "networks.pruning.pruned",
    "Quantized": "networks.quantization.quantized",
    "quantize": "networks.quantization.rounding",
    "load_quantized": "networks.quantization.loading",
    "init_from_teacher": "networks.initialization.from_teacher",
    "propose_pairs": "networks.analysis.matching",
    "causal_agreement": "networks.analysis.causal",
    "convert_plan": "evaluation.conversion_plan",
    "recurrent_encoder": "networks.conversion.encoder",
    "export_network": "export.networks",
    "profile": "evaluation.cost",
}

__all__ = sorted(_MODULES)


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return getattr(import_module(f"limbeck.{_MODULES[name]}"), name)
    if name[:1].isupper():
        from limbeck.core.registry import LOSSES

        for _, loss in LOSSES.items():  # of other packages, and of new files
            if loss.__name__ == name:
                return loss
    raise AttributeError(f"module 'limbeck.networks' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_MODULES])
