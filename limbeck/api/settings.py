"""What `limbeck.distill` takes for each student, as types, so that an editor completes them.

Each class lists the fields of a dataclass that says what they mean; a test holds them together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypedDict

from limbeck.core.contract import Method, Sampler
from limbeck.data.class_weights import ClassWeight
from limbeck.data.duplicates import Rule
from limbeck.results.distillation import Distillation

if TYPE_CHECKING:  # torch is imported where networks are distilled
    from limbeck.networks.cache.teacher_cache import TeacherCache
    from limbeck.networks.losses.filters import Filter
    from limbeck.networks.strategies.together import BornAgain
    from limbeck.networks.training.callbacks import Callback

__all__ = [
    "AdditiveArguments", "JuntaArguments", "MOfNArguments", "NetworkArguments", "RuleListArguments",
    "RulesArguments", "ScorecardArguments", "SumArguments", "TextArguments", "TreeArguments",
    "WaveletArguments",
]  # fmt: skip


class Arguments(TypedDict, total=False):
    """What every student is distilled with; see `limbeck.distill`."""

    data: Any
    epsilon: float
    delta: float
    holdout: float | tuple[Any, Any]
    cases: Any
    duplicates: Rule
    unlabelled: Any
    classes: Sequence[Any] | None
    unit: str
    output: Any
    seed: int
    out: str | Path | None
    progress: bool | None


class ReadableArguments(Arguments, total=False):
    """What every readable student is distilled with, beside `Arguments`."""

    method: str | None
    via: str | Method | Distillation | Sequence[str | Method | Distillation] | None
    groups: Any
    sample_weight: Any
    class_weight: ClassWeight
    regression: bool | None
    score_kind: Literal["logit", "probability", "label", "value"] | None
    preprocess: Callable[[Any], Any] | None
    names: Sequence[str] | None


class TreeArguments(ReadableArguments, total=False):
    """Of `limbeck.methods.search_and_stitch.settings.SearchSettings`."""

    max_leaves: int
    leaves: int | None
    queries: int | None
    sampler: str | Sampler
    query_weight: float
    layers: Sequence[str] | None
    guide: Literal["both", "probes", "answers"]
    cost: str | None
    depth: int | None
    max_probes: int
    max_clauses: int
    patience: int
    probe_rows: int
    max_rows: int
    max_depth: int | None
    min_samples_leaf: int
    forbidden: Sequence[str]
    monotone: Mapping[str, int]


class JuntaArguments(ReadableArguments, total=False):
    """Of `limbeck.methods.junta.method.FindJunta`."""

    k: int
    max_queries: int
    bins: int
    tolerance: float
    query_weight: float
    forbidden: Sequence[str]


class SumArguments(ReadableArguments, total=False):
    """Of `limbeck.methods.sparse_sum.SelectTerms`, and of linear models."""

    max_numbers: int
    numbers: int | None
    queries: int | None
    sampler: str | Sampler
    query_weight: float
    monotone: Mapping[str, int]
    feature_costs: Mapping[str, float]
    forbidden: Sequence[str]


class TextArguments(ReadableArguments, total=False):
    """Of `limbeck.methods.text_tournament.DistillTexts`, and of `limbeck.methods.few_labels`."""

    labels: Sequence[str]
    among: Sequence[str] | str | None
    encoder: str
    epochs: int
    embedding: Any
    width: int
    head: Literal["auto", "linear", "network"]
    ngrams: Literal["auto", "words", "characters", "both"]
    max_terms: int
    min_texts: int
    ordered: bool | Sequence[Any]
    budget: int
    batch: int
    patience: int
    labelling: Literal["active", "random"]
    compare_random: bool | None


class ScorecardArguments(SumArguments, total=False):
    """Of `limbeck.methods.scorecard.RoundToPoints`."""

    max_points: int


class AdditiveArguments(ReadableArguments, total=False):
    """Of `limbeck.methods.additive.method.MatchedCurves`."""

    pairs: int
    max_terms: int | None
    max_numbers: int | None
    monotone: Mapping[str, int] | None
    forbidden: Sequence[str]
    bins: int
    min_rows: float
    queries: int | None
    sampler: str | Sampler
    query_weight: float
    max_rows: int


class RuleListArguments(ReadableArguments, total=False):
    """Of `limbeck.methods.rules.method.DistillRuleList`."""

    max_numbers: int
    max_rules: int | None
    rules: int | None
    max_conditions: int
    queries: int | None
    sampler: str | Sampler
    query_weight: float
    max_rows: int
    forbidden: Sequence[str]
    feature_costs: Mapping[str, float]


class RulesArguments(RuleListArguments, total=False):
    """Of `limbeck.methods.rules.method.DistillRules`."""

    positive: Any


class MOfNArguments(ReadableArguments, total=False):
    """Of `limbeck.methods.trepan.method.Trepan`."""

    max_leaves: int
    leaves: int | None
    min_instances: int
    queries: int | None
    max_conditions: int
    level: float
    max_rows: int
    max_depth: int | None
    min_samples_leaf: int
    forbidden: Sequence[str]


class WaveletArguments(ReadableArguments, total=False):
    """Of `limbeck.methods.adaptive_wavelets.AdaptiveWavelets`."""

    wavelet: str | Sequence[float]
    levels: int | None
    boundary: str
    attribution: Literal["saliency", "input_x_gradient", "differences"]
    sparsity: float | tuple[float, ...]
    trim: float | tuple[float, ...]
    starts: int
    parametrization: Literal["angles", "penalty"]
    epochs: int
    moments: int
    rows: int
    max_queries: int
    queries: int | None
    sampler: str | Sampler
    query_weight: float
    largest: int | None
    keep: Any
    model: Literal["linear", "additive"]
    shape: tuple[int, ...] | None


class NetworkArguments(Arguments, total=False):
    """Of `limbeck.api.distill_network.compress` and `limbeck.networks.Training`."""

    objective: Any
    recipe: Literal["patient"] | None
    mode: BornAgain | None
    filter: Filter | None
    start: Any
    assistants: Any
    early_teacher: Any
    cache: bool | str | Path | TeacherCache | None
    validation: Any
    test: Any
    seeds: int
    task: Any
    tokenizers: Sequence[Any] | None
    vocabulary: int | None
    control: bool | str | Path
    calibrate: bool
    baseline: bool
    timing: bool
    epochs: int | None
    batch_size: int
    optimizer: Any
    lr: float | None
    weight_decay: float | None
    momentum: float | None
    schedule: Any
    warmup_ratio: float
    precision: Literal["fp32", "bf16", "fp16"]
    gradient_accumulation_steps: int
    max_grad_norm: float | None
    patience: int | None
    strategy: Literal["auto", "ddp", "fsdp"]
    device: str | None
    log_every: int
    checkpoint_every: int | None
    max_steps: int | None
    num_workers: int | None
    ema: float | None
    schedule_interval: Literal["epoch", "step"] | None
    mixup: float | None
    cutmix: float | None
    callbacks: Sequence[Callback]
    metrics: Mapping[str, Callable[[Any, Any], Any]] | None
