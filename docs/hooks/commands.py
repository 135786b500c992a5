"""The page of the command line, from the commands themselves."""

from __future__ import annotations

from typing import Any

__all__ = ["markdown"]


def markdown() -> str:
    """Each command with what it takes."""
    from typer.main import get_command

    from limbeck.cli import app

    parts = ["# Command line", "`limbeck COMMAND --help` says the same in the terminal."]
    for name, command in sorted(get_command(app).commands.items()):  # type: ignore[attr-defined]
        parts += [f"## limbeck {name}", command.help or "", _table(command.params)]
    return "\n\n".join(parts) + "\n"


def _table(params: list[Any]) -> str:
    rows = []
    for p in params:
        if p.name == "help":
            continue
        option = p.param_type_name == "option"
        name = ", ".join(p.opts) if option else (p.name or "").upper()
        none = p.default is None or p.default is False or p.default == () or callable(p.default)
        default = "" if none else f"`{p.default}`"
        note = "needed" if p.required else default
        about = (getattr(p, "help", None) or "").replace("|", "\\|")
        rows.append(f"| `{name}` | {about} | {note} |")
    return "\n".join(["| argument | | default |", "|---|---|---|", *rows])
