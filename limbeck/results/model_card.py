"""A model card with the fields of Hugging Face's, from what a result stores and nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from limbeck.certificates.wording import upward
from limbeck.core.atomic_io import write_bytes
from limbeck.core.certificate import Certificate
from limbeck.core.errors import InvalidInput
from limbeck.reports.markdown import fenced, markdown_table, plain_markdown
from limbeck.results.result import Result

__all__ = ["model_card", "write_card"]

_MOST_LINES, _MOST_COLUMNS = 60, 100


def write_card(result: Any, path: str | Path, settings: Mapping[str, Any]) -> Path:
    """Write the card of a result; see `model_card`.

    Parameters
    ----------
    result : Distillation or NetworkDistillation
        What was distilled.
    path : str or Path
        The file, such as ``README.md`` of a repository.
    settings : mapping
        What was given to `export`: nothing, or a ``license``.

    Raises
    ------
    InvalidInput
        If there is another setting.
    FileRefused
        If the file cannot be written.
    """
    for name in settings:
        if name != "license":
            raise InvalidInput(f"{name} was given for a model card.", "It takes license alone.")
    return write_bytes(model_card(result, settings.get("license")).encode(), Path(path))


def model_card(result: Any, license_id: str | None = None) -> str:
    """The card as Markdown with a YAML head.

    The fields are those of Hugging Face's template (https://huggingface.co/docs/hub/model-cards),
    after Mitchell et al. 2019.

    Parameters
    ----------
    result : Distillation or NetworkDistillation
        What was distilled.
    license_id : str, optional
        The license's identifier, such as ``mit``; left out unless it is given.
    """
    parts = [
        _head(result, license_id),
        f"# {_title(result)}",
        plain_markdown(result.verdict),
        "## Intended use", _intended(result),
        "## Out of scope", _OUT_OF_SCOPE,
        "## Data", _data(result),
        "## Training procedure", _training(result),
        "## Evaluation", markdown_table(next(iter(result.tables().values()))),
        *_certificate(result),
        "### Control", plain_markdown(result.comparison.sentence),
        *_student(result),
        "## Limits", _limits(result),
        "## How to verify", _verify(result),
    ]  # fmt: skip
    return "\n\n".join(part for part in parts if part) + "\n"


_OUT_OF_SCOPE = (
    "Inputs that are not drawn like the rows of the certificate: it says nothing about them. The"
    " certificate is about agreement with the teacher, not about the truth: where the teacher is"
    " wrong or unfair, so is the student. Causes: a question of the student need not be why"
    " something happens."
)


def _head(result: Any, license_id: str | None) -> str:
    """The YAML: values are written as JSON, which YAML reads."""
    student = _entry(result)
    kind = student.model if student else "network"
    task = getattr(result.student, "task_", None)
    classifies = bool(result.comparison.classes) if task is None else task.classifies
    tabular = hasattr(result.student, "text")
    pipeline = f"tabular-{'classification' if classifies else 'regression'}" if tabular else None
    measured = _measured(student, classifies)
    head: dict[str, Any] = {
        "library_name": "limbeck",
        "license": license_id,
        "pipeline_tag": pipeline,
        "tags": ["limbeck", "knowledge-distillation", kind],
        "metrics": list(dict.fromkeys(m["type"] for m in measured)) or None,
        "model-index": [{
            "name": f"{kind} of {result.settings.get('teacher', 'a teacher')}",
            "results": [{
                "task": {"type": pipeline or "other"},
                "dataset": {"type": "holdout", "name": "rows that training never saw"},
                "metrics": measured,
            }],
        }] if measured else None,
    }  # fmt: skip
    lines = [
        f"{name}: {json.dumps(value, allow_nan=False)}"
        for name, value in head.items()
        if value is not None
    ]
    return "\n".join(["---", *lines, "---"])


def _measured(student: Any, classifies: bool) -> list[dict[str, Any]]:
    if student is None:
        return []
    kind = "accuracy" if classifies else "r_squared"
    both = (("agreement with the teacher", student.agreement), ("on the labels", student.accuracy))
    return [
        {"type": kind, "name": name, "value": round(float(found.value), 6)}
        for name, found in both
        if found is not None and found.value == found.value
    ]


def _entry(result: Any) -> Any:
    return next((e for e in result.comparison.entries if e.role == "student"), None)


def _title(result: Any) -> str:
    student = _entry(result)
    name = (
        f"{student.model}{f' of {student.size}' if student.size else ''}" if student else "student"
    )
    return plain_markdown(f"{result.settings.get('teacher', 'A teacher')}, distilled into: {name}")


def _intended(result: Any) -> str:
    teacher = plain_markdown(str(result.settings.get("teacher", "its teacher")))
    why = " where it must be seen how it answers" if hasattr(result.student, "text") else ""
    return f"In the place of {teacher}, on inputs drawn like the rows below{why}."


def _data(result: Any) -> str:
    lines = []
    certificate: Certificate | None = result.certificate
    if getattr(result, "rows_seen", None) is not None:
        asked = f", and {result.queries:,} further answers of the teacher" if result.queries else ""
        lines.append(f"* Rows that the student was made from: {result.rows_seen:,}{asked}.")
    if certificate is not None:
        lines.append(f"* Rows of the evaluation, which training never saw: {certificate.n:,}.")
    task = getattr(result.student, "task_", None)
    if task is not None and task.classes:
        lines.append(f"* Classes: {', '.join(plain_markdown(str(c)) for c in task.classes)}.")
    features = getattr(result.student, "features_", None)
    if features is not None and hasattr(result.student, "text"):
        named = [f"{plain_markdown(c.name)} ({c.kind})" for c in features.columns[:_MOST_COLUMNS]]
        more = (
            f", and {len(features) - _MOST_COLUMNS:,} more" if len(features) > _MOST_COLUMNS else ""
        )
        lines.append(f"* Columns: {', '.join(named)}{more}.")
    return "\n".join(lines) or "The result does not say."


def _training(result: Any) -> str:
    given = dict(result.settings)
    versions = given.pop("versions", {})
    lines = [plain_markdown(str(result.status)), ""]
    lines += [f"* {plain_markdown(name)}: `{_code(value)}`" for name, value in given.items()]
    if isinstance(versions, Mapping):
        said = ", ".join(f"{name} {version}" for name, version in versions.items())
        lines.append(f"* versions: {plain_markdown(said)}")
    return "\n".join(lines)


def _certificate(result: Any) -> list[str]:
    c: Certificate | None = result.certificate
    if c is None:
        return ["### Certificate", "There is none."]
    rows = [
        f"* bound: {plain_markdown(c.bound)}",
        f"* epsilon: {upward(c.epsilon)}, delta: {c.delta:g}",
        f"* student: SHA-256 `{c.student}`",
        f"* rows: SHA-256 `{c.rows}`",
    ]
    chain = getattr(result, "chain", None)
    steps = [plain_markdown(chain.sentence)] if chain else []
    return ["### Certificate", plain_markdown(c.statement), *steps, "\n".join(rows)]


def _student(result: Any) -> list[str]:
    if not hasattr(result.student, "text"):
        return []
    lines = result.student.text().splitlines()
    cut = [f"... {len(lines) - _MOST_LINES:,} more lines"] if len(lines) > _MOST_LINES else []
    return ["## The student", fenced("\n".join(lines[:_MOST_LINES] + cut))]


def _limits(result: Any) -> str:
    c: Certificate | None = result.certificate
    lines = [f"* {plain_markdown(note)}" for note in result.notes]
    lines += [
        f"* The certificate assumes: {plain_markdown(a)}" for a in (c.assumptions if c else ())
    ]
    return "\n".join(lines) or "None were recorded."


def _verify(result: Result) -> str:
    network = not hasattr(getattr(result, "student", None), "text")
    student, rows = ("student.onnx", "rows.npz") if network else ("student.json", "holdout.parquet")
    command = f"limbeck verify certificate.json --student {student} --rows {rows} --seen seen.npy"
    return f"In the folder that `result.save` wrote, without the teacher:\n\n    {command}"


def _code(value: Any) -> str:
    return " ".join(str(value).split()).replace("`", "'")
