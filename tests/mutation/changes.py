"""What is changed: one comparison, operator, boolean, number or return value at a time.

Strings, annotations, docstrings and whatever stands in a ``raise`` are left alone.
"""

from __future__ import annotations

import ast
import difflib
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

COMPARED: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE), ast.LtE: (ast.Lt, ast.Gt), ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt), ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,), ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,), ast.In: (ast.NotIn,), ast.NotIn: (ast.In,),
}  # fmt: skip
COMPUTED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Div,
    ast.Mod: ast.Mult, ast.Pow: ast.Mult, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd,
    ast.BitXor: ast.BitOr, ast.LShift: ast.RShift, ast.RShift: ast.LShift,
}  # fmt: skip
Change = Callable[[Any], None]


@dataclass(frozen=True)
class Mutant:
    """The ``kind``-th change of the ``node``-th node of a file, as ``ast.walk`` counts them."""

    file: str
    digest: str
    node: int
    kind: int
    lines: tuple[int, int]
    statement: int

    @property
    def key(self) -> str:
        """What names it from run to run, as long as the file is the same."""
        return f"{self.file}:{self.lines[0]}:{self.node}:{self.kind}:{self.digest}"

    def tree(self, root: Path) -> ast.Module:
        """The file's syntax tree with the change made."""
        tree = ast.parse((root / self.file).read_text(encoding="utf-8"))
        node = list(ast.walk(tree))[self.node]
        changes(node)[self.kind](node)
        return ast.fix_missing_locations(tree)

    def diff(self, root: Path) -> str:
        """The changed lines, as they would be printed, before and after."""
        before = ast.unparse(ast.parse((root / self.file).read_text(encoding="utf-8")))
        after = ast.unparse(self.tree(root))
        lines = difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")
        shown = [line for line in lines if not line.startswith(("---", "+++", "@@"))]
        return "\n".join([f"{self.file}:{self.lines[0]}", *shown])

    def to_dict(self) -> dict[str, Any]:
        """What ``Mutant(**...)`` reads."""
        return asdict(self)


def mutants(root: Path, file: str) -> list[Mutant]:
    """Every mutant of a file, from its first node to its last."""
    source = (root / file).read_text(encoding="utf-8")
    tree = ast.parse(source)
    digest = hashlib.sha256(source.encode()).hexdigest()[:10]
    place = {id(node): i for i, node in enumerate(ast.walk(tree))}
    found = []
    for node, statement in _code(tree, tree):
        for kind in range(len(changes(node))):
            last = node.test if isinstance(node, (ast.If, ast.IfExp)) else node
            lines = (node.lineno, last.end_lineno)  # type: ignore[attr-defined]
            found.append(Mutant(file, digest, place[id(node)], kind, lines, statement.lineno))
    return sorted(found, key=lambda m: (m.lines[0], m.node, m.kind))


def _code(node: ast.AST, statement: Any) -> Iterator[tuple[ast.AST, Any]]:
    """Nodes that are run, with the statement that each stands in."""
    for name, field in ast.iter_fields(node):
        if name in {"annotation", "returns", "bases"}:
            continue
        for child in field if isinstance(field, list) else [field]:
            if not isinstance(child, ast.AST) or isinstance(child, ast.Raise):
                continue
            if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
                continue
            if isinstance(child, ast.FormattedValue):  # not its format, whose nodes have no place
                child = child.value
            inner = child if isinstance(child, ast.stmt) else statement
            yield child, inner
            yield from _code(child, inner)


def changes(node: ast.AST) -> list[Change]:
    """What can be changed about a node, each as a function that does it in place."""
    if isinstance(node, ast.Compare):
        pairs = [(i, o) for i, op in enumerate(node.ops) for o in COMPARED[type(op)]]
        return [partial(_compare, i, other) for i, other in pairs]
    if isinstance(node, (ast.BinOp, ast.AugAssign)) and type(node.op) in COMPUTED:
        return [partial(_set, "op", COMPUTED[type(node.op)]())]
    if isinstance(node, ast.BoolOp):
        return [partial(_set, "op", ast.Or() if isinstance(node.op, ast.And) else ast.And())]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return [partial(_set, "op", ast.UAdd())]
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        return [partial(_set, "value", not node.value)]
    if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
        return [partial(_set, "value", node.value + 1)]
    if isinstance(node, ast.Return) and not _none(node.value):
        return [partial(_set, "value", ast.Constant(None))]
    if isinstance(node, (ast.If, ast.IfExp, ast.While)) and _plain(node.test):
        return [_negate]
    return []


def _set(name: str, value: Any, node: Any) -> None:
    setattr(node, name, value)


def _compare(position: int, other: type[ast.cmpop], node: Any) -> None:
    node.ops[position] = other()


def _negate(node: Any) -> None:
    test = node.test
    inner = test.operand if isinstance(test, ast.UnaryOp) else ast.UnaryOp(ast.Not(), test)
    node.test = inner


def _none(value: Any) -> bool:
    return value is None or (isinstance(value, ast.Constant) and value.value is None)


def _plain(test: Any) -> bool:
    """Whether a condition has no comparison or "and" of its own that is changed anyway."""
    if isinstance(test, ast.UnaryOp):
        return isinstance(test.op, ast.Not)
    return not isinstance(test, (ast.Compare, ast.BoolOp, ast.Constant))
