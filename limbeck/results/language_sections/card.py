"""A model card with the fields of Hugging Face's, from what a result stores and nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from limbeck.certificates.wording import upward
from limbeck.reports.markdown import markdown_table, plain_markdown
from limbeck.results.language_record import LanguageRecord
from limbeck.results.language_sections.tables import tables

__all__ = ["language_card"]


def language_card(result: LanguageRecord, license_id: str | None = None) -> str:
    """The card as Markdown with a YAML head.

    The fields are those of Hugging Face's template (https://huggingface.co/docs/hub/model-cards),
    after Mitchell et al. 2019.

    Parameters
    ----------
    result : LanguageRecord
        What was distilled.
    license_id : str, optional
        The license's identifier, such as ``mit``; left out unless it is given.
    """
    found = tables(result)
    parts = [
        _head(license_id),
        f"# {plain_markdown(_title(result))}",
        plain_markdown(result.verdict),
        "## Intended use",
        f"In the place of {plain_markdown(str(result.settings.get('teacher')))}, after prompts"
        " drawn like those below.",
        "## Out of scope",
        "Other prompts, and longer texts than were certified. The certificate is about agreement"
        " with the teacher, not about the truth: where the teacher is wrong or unfair, so is the"
        " student.",
        "## Data",
        f"{result.settings.get('prompts')} training prompts, and"
        f" {result.settings.get('test_prompts')} test prompts that training never saw.",
        "## Training procedure", _training(result),
        "## Evaluation", markdown_table(found["models"]), markdown_table(found["texts"]),
        "### Certificate", _certificate(result),
        "### Control", plain_markdown(result.comparison.sentence),
        plain_markdown(result.second_sentence),
        "### Cost", markdown_table(found["bill"]),
        "## Limits", _limits(result),
    ]  # fmt: skip
    return "\n\n".join(part for part in parts if part) + "\n"


def _head(license_id: str | None) -> str:
    head: dict[str, Any] = {
        "library_name": "transformers",
        "license": license_id,
        "pipeline_tag": "text-generation",
        "tags": ["limbeck", "knowledge-distillation"],
    }
    lines = [f"{k}: {json.dumps(v, allow_nan=False)}" for k, v in head.items() if v is not None]
    return "\n".join(["---", *lines, "---"])


def _title(result: LanguageRecord) -> str:
    return f"{result.settings.get('teacher')}, distilled into {result.settings.get('student')}"


def _training(result: LanguageRecord) -> str:
    lines = [plain_markdown(str(result.status)), ""]
    for name, value in result.settings.items():
        if name == "out":
            continue
        told = value
        if isinstance(value, Mapping):
            told = ", ".join(f"{k} {v}" for k, v in value.items() if v not in (None, []))
        lines.append(f"* {plain_markdown(name)}: {plain_markdown(str(told))}")
    return "\n".join(lines)


def _certificate(result: LanguageRecord) -> str:
    c = result.certificate
    if c is None:
        return "There is none."
    rows = [f"* {plain_markdown(g.group)}: at most {upward(g.epsilon)}" for g in c.groups]
    rows += [f"* bound: {plain_markdown(c.bound)}", f"* delta: {c.delta:g}",
             f"* student: SHA-256 `{c.student}`", f"* prompts: SHA-256 `{c.rows}`"]  # fmt: skip
    return "\n\n".join([plain_markdown(c.statement), "\n".join(rows)])


def _limits(result: LanguageRecord) -> str:
    lines = [f"* {plain_markdown(note)}" for note in result.notes]
    c = result.certificate
    lines += [
        f"* The certificate assumes: {plain_markdown(a)}" for a in (c.assumptions if c else ())
    ]
    return "\n".join(lines) or "None were recorded."
