"""Model distillation with a certificate, a control and an honest failure."""

from __future__ import annotations

from importlib.util import find_spec
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from limbeck.api.ablate import ablate
    from limbeck.api.advise import advise
    from limbeck.api.audit import audit
    from limbeck.api.distill import distill
    from limbeck.api.generate import generate
    from limbeck.api.label import label
    from limbeck.api.load import load
    from limbeck.api.routes import routes
    from limbeck.api.select import select
    from limbeck.api.tournament import tournament
    from limbeck.api.trim import trim
    from limbeck.api.tune import tune
    from limbeck.certificates import budget, certify, verify
    from limbeck.core.certificate import Certificate
    from limbeck.core.contract import Access
    from limbeck.core.errors import LimbeckError
    from limbeck.core.task import Task
    from limbeck.results.distillation import Distillation
    from limbeck.signal import transforms
    from limbeck.teachers import as_teacher
    from limbeck.teachers.endpoints.fresh_answers import fresh_answers

__version__ = "0.1.0"

# Where public names live; each is imported when first used, so that `import limbeck` stays quick.
# A module ends in a colon.
_PLACES = {
    "Access": "core.contract:Access",
    "Certificate": "core.certificate:Certificate",
    "Distillation": "results.distillation:Distillation",
    "LimbeckError": "core.errors:LimbeckError",
    "Task": "core.task:Task",
    "ablate": "api.ablate:ablate",
    "advise": "api.advise:advise",
    "as_teacher": "teachers:as_teacher",
    "audit": "api.audit:audit",
    "budget": "certificates:budget",
    "certify": "certificates:certify",
    "distill": "api.distill:distill",
    "fresh_answers": "teachers.endpoints.fresh_answers:fresh_answers",
    "generate": "api.generate:generate",
    "label": "api.label:label",
    "load": "api.load:load",
    "routes": "api.routes:routes",
    "select": "api.select:select",
    "tournament": "api.tournament:tournament",
    "transforms": "signal.transforms:",
    "trim": "api.trim:trim",
    "tune": "api.tune:tune",
    "verify": "certificates:verify",
}

__all__ = [
    "Access",
    "Certificate",
    "Distillation",
    "LimbeckError",
    "Task",
    "ablate",
    "advise",
    "as_teacher",
    "audit",
    "budget",
    "certify",
    "distill",
    "fresh_answers",
    "generate",
    "label",
    "load",
    "routes",
    "select",
    "tournament",
    "transforms",
    "trim",
    "tune",
    "verify",
]


def __getattr__(name: str) -> Any:
    if name not in __all__ and (name.startswith("_") or find_spec(f"limbeck.{name}") is None):
        raise AttributeError(f"module 'limbeck' has no attribute {name!r}")
    try:
        return resolve_name(f"limbeck.{_PLACES.get(name, f'{name}:')}")
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        from limbeck.core.errors import MissingExtra

        remedy = "pip install 'limbeck[wavelets]'."
        raise MissingExtra(f"limbeck.{name} needs torch.", remedy) from error


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
