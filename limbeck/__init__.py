"""Model distillation with a certificate, a control and an honest failure."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from limbeck.api.ablate import ablate
    from limbeck.api.audit import audit
    from limbeck.api.distill import distill
    from limbeck.api.load import load
    from limbeck.api.tournament import tournament
    from limbeck.api.trim import trim
    from limbeck.certificates import budget, certify, verify
    from limbeck.core.contract import Access, Certificate, Task
    from limbeck.core.errors import LimbeckError
    from limbeck.results.distillation import Distillation
    from limbeck.signal import transforms
    from limbeck.teachers import as_teacher

__version__ = "0.1.0"

# Public names and the modules they live in; each is imported when first used, so that
# `import limbeck` stays quick.
_MODULES = {
    "Access": "core.contract",
    "Certificate": "core.contract",
    "Distillation": "results.distillation",
    "LimbeckError": "core.errors",
    "Task": "core.contract",
    "ablate": "api.ablate",
    "as_teacher": "teachers",
    "audit": "api.audit",
    "budget": "certificates",
    "certify": "certificates",
    "distill": "api.distill",
    "load": "api.load",
    "tournament": "api.tournament",
    "transforms": "signal.transforms",
    "trim": "api.trim",
    "verify": "certificates",
}

__all__ = [
    "Access",
    "Certificate",
    "Distillation",
    "LimbeckError",
    "Task",
    "ablate",
    "as_teacher",
    "audit",
    "budget",
    "certify",
    "distill",
    "load",
    "tournament",
    "transforms",
    "trim",
    "verify",
]


def __getattr__(name: str) -> Any:
    if name not in __all__ and (name.startswith("_") or find_spec(f"limbeck.{name}") is None):
        raise AttributeError(f"module 'limbeck' has no attribute {name!r}")
    try:
        module = import_module(f"limbeck.{_MODULES.get(name, name)}")
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        from limbeck.core.errors import MissingExtra

        remedy = "pip install 'limbeck[wavelets]'."
        raise MissingExtra(f"limbeck.{name} needs torch.", remedy) from error
    return getattr(module, name) if name in _MODULES and name != "transforms" else module


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
