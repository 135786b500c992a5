"""YAML as its version 1.2 has it, for run files, teachers' files and configurations of others."""

from __future__ import annotations

import re
from typing import Any

from limbeck.core.errors import MissingExtra

__all__ = ["read_yaml"]

_BOOL = "tag:yaml.org,2002:bool"
_FLOAT = "tag:yaml.org,2002:float"


def read_yaml(text: str, *, extra: str = "networks", words: bool = False) -> Any:
    """What a YAML text holds; nothing of it is run.

    Parameters
    ----------
    text : str
        The text.
    extra : str
        The extra of limbeck that brings PyYAML to this user.
    words : bool
        Whether yes, no, on and off are texts, as in version 1.2, such as classes; else they are
        booleans.

    Raises
    ------
    MissingExtra
        If PyYAML is not installed.
    ValueError
        If the text is no YAML; the message completes "the file ...".

    Examples
    --------
    >>> read_yaml("{lr: 1e-3, classes: [yes, no]}", words=True)
    {'lr': 0.001, 'classes': ['yes', 'no']}
    """
    try:
        import yaml
    except ImportError:
        raise MissingExtra("This needs PyYAML.", f"pip install 'limbeck[{extra}]'.") from None

    class Loader(yaml.SafeLoader):
        pass

    Loader.add_implicit_resolver(
        _FLOAT, re.compile(r"[-+]?\d+(\.\d*)?[eE][-+]?\d+$"), list("-+0123456789")
    )
    if words:
        Loader.yaml_implicit_resolvers = {
            letter: [(tag, form) for tag, form in resolvers if tag != _BOOL]
            for letter, resolvers in Loader.yaml_implicit_resolvers.items()
        }
        Loader.add_implicit_resolver(_BOOL, re.compile(r"(?i:true|false)$"), list("tTfF"))
    try:
        return yaml.load(text, Loader=Loader)  # noqa: S506  (a SafeLoader)
    except yaml.YAMLError as error:
        raise ValueError(f"is no YAML: {error}") from None
