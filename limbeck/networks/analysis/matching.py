"""Which layers of two networks compute alike: linear CKA, and pairs proposed from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from limbeck.core.errors import InvalidInput
from limbeck.modules.batch import mask_of
from limbeck.modules.capture import Capture, asking, placed, run
from limbeck.reports.plots import axes_of
from limbeck.reports.printed import Tabular
from limbeck.reports.table import Column, Table

__all__ = ["Pairs", "cka", "gram", "propose_pairs"]

_LEAST = 4  # rows: the estimator divides by n - 3


def cka(x: Tensor, y: Tensor) -> float:
    """Linear centred kernel alignment of two layers on the same rows.

    HSIC(K, L) / sqrt(HSIC(K, K) HSIC(L, L)) with K = x x^T and L = y y^T: Kornblith et al.
    (2019), Similarity of neural network representations revisited. HSIC is estimated
    without bias (Song et al. 2012, as in Nguyen et al. 2021): the
    ordinary estimate nears 1 for any two layers with many more units than there are rows.

    Parameters
    ----------
    x, y : Tensor of shape (n, ...)
        What the layers returned for the same n rows, at least 4.

    Returns
    -------
    float
        1 where the layers are equal up to rotation and scale, about 0 where they are unrelated,
        perhaps a little below. 0 where a layer is constant.

    Raises
    ------
    InvalidInput
        If the numbers of rows differ or are below 4.
    """
    if len(x) != len(y) or len(x) < _LEAST:
        raise InvalidInput(
            f"Layers are compared on {len(x)} and {len(y)} rows.", "Give the same rows, 4 or more."
        )
    k, m = gram(x), gram(y)
    return _ratio(_hsic(k, m), _hsic(k, k), _hsic(m, m))


def gram(x: Tensor) -> Tensor:
    """Inner products of the centred rows, (n, n) in float64 on the CPU, zero on the diagonal."""
    flat = x.detach().flatten(1).double()
    flat = flat - flat.mean(0)  # changes no estimate, and spares digits
    return (flat @ flat.T).fill_diagonal_(0).cpu()


def _hsic(k: Tensor, m: Tensor) -> float:
    """The unbiased estimate from two Gram matrices without diagonals (Song et al. 2012)."""
    n = len(k)
    sums = k.sum(1), m.sum(1)
    cross = (k * m).sum() - 2 / (n - 2) * sums[0] @ sums[1]
    both = sums[0].sum() * sums[1].sum() / ((n - 1) * (n - 2))
    return float(cross + both) / (n * (n - 3))


def _ratio(cross: float, first: float, second: float) -> float:
    return cross / (first * second) ** 0.5 if first > 0 and second > 0 else 0.0


@dataclass(frozen=True, eq=False, repr=False)
class Pairs(Tabular, Mapping[str, str]):
    """Pairs of layers, and the similarities from which they were chosen.

    A mapping from layers of the teacher to layers of the student, so that ``HiddenStates(pairs)``
    takes it as it is.

    Parameters
    ----------
    teacher_layers, student_layers : tuple of str
        All layers that were compared, in the order in which they run.
    similarity : tuple of tuples of float
        Linear CKA, a line for each layer of the teacher.
    chosen : mapping of str to str
        Teacher layer to student layer.
    rows : int
        Rows on which layers were compared.
    """

    teacher_layers: tuple[str, ...]
    student_layers: tuple[str, ...]
    similarity: tuple[tuple[float, ...], ...]
    chosen: Mapping[str, str]
    rows: int

    def __getitem__(self, layer: str) -> str:
        return self.chosen[layer]

    def __iter__(self) -> Iterator[str]:
        return iter(self.chosen)

    def __len__(self) -> int:
        return len(self.chosen)

    def __repr__(self) -> str:
        return repr(dict(self.chosen))

    def sheet(self) -> Table[str]:
        """The similarities, with a star at each pair."""
        found = {
            (t, s): value
            for t, row in zip(self.teacher_layers, self.similarity, strict=True)
            for s, value in zip(self.student_layers, row, strict=True)
        }

        def column(student: str) -> Column[str]:
            return Column(student, lambda t: found[t, student], align="right", wrap=True,
                          mark=lambda t: self.chosen.get(t) == student)  # fmt: skip

        return Table(
            f"Similarity of layers (linear CKA on {self.rows:,} rows)",
            [
                Column("teacher \\ student", lambda t: t, wrap=True),
                *(column(s) for s in self.student_layers),
            ],
            self.teacher_layers,
            ("* proposed: the rising pairs of the largest total.",),
        )

    def plot(self, ax: Any = None) -> Any:
        """Draw the similarities as a map, with a dot on each pair that was chosen.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; by default a new figure.

        Returns
        -------
        matplotlib Axes

        Raises
        ------
        MissingExtra
            If matplotlib is not installed.
        """
        wide, high = len(self.student_layers), len(self.teacher_layers)
        ax = axes_of(ax, (2.4 + 0.5 * wide, 1.8 + 0.4 * high))
        drawn = ax.imshow(self.similarity, vmin=0, vmax=1, cmap="cividis", aspect="auto")
        ax.figure.colorbar(drawn, ax=ax, label="linear CKA")
        ax.set_xticks(range(wide), labels=list(self.student_layers), rotation=45, ha="right",
                      parse_math=False)  # fmt: skip
        ax.set_yticks(range(high), labels=list(self.teacher_layers), parse_math=False)
        at = [(self.student_layers.index(s), self.teacher_layers.index(t))
              for t, s in self.chosen.items()]  # fmt: skip
        ax.plot(*zip(*at, strict=True), "o", markersize=9, markerfacecolor="white",
                markeredgecolor="black", label="proposed")  # fmt: skip
        ax.set_xlabel("student")
        ax.set_ylabel("teacher")
        return ax


def propose_pairs(
    teacher: nn.Module,
    student: nn.Module,
    inputs: Any,
    *,
    teacher_layers: Sequence[str] | None = None,
    student_layers: Sequence[str] | None = None,
) -> Pairs:
    """Propose which layer of the teacher each layer of the student should learn from.

    Every layer of the network with fewer layers gets a partner; partners rise in depth, and the
    total similarity is the largest possible (dynamic programming).

    Parameters
    ----------
    teacher, student : nn.Module
        Run in eval mode without gradients, and left in their modes. A student that was never
        trained is compared as it starts: train it a little first, or start it from the teacher.
    inputs : batch, or list of batches
        What both are called with: a tensor, a tuple, or a mapping. Estimates are averaged over
        batches (Nguyen et al. 2021), each of 4 rows or more.
    teacher_layers, student_layers : sequence of str, optional
        Names of modules in the order in which they run. By default the blocks of the outermost
        stacks, or, where there is no stack, the children that hold parameters.

    Returns
    -------
    Pairs
        A mapping that prints the table of similarities.

    Raises
    ------
    InvalidInput
        If a layer does not exist or did not run, a network has no layers to compare, or a batch
        has fewer than 4 rows.

    Examples
    --------
    >>> import torch
    >>> _ = torch.manual_seed(0)
    >>> teacher = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 8), nn.Linear(8, 2))
    >>> pairs = propose_pairs(teacher, teacher, torch.randn(20, 3))
    >>> pairs["2"]
    '2'
    """
    sides = [
        _layers(teacher, "teacher", teacher_layers),
        _layers(student, "student", student_layers),
    ]
    batches = inputs if isinstance(inputs, list) else [inputs]
    cross = torch.zeros(len(sides[0]), len(sides[1]), dtype=torch.float64)
    own = [torch.zeros(len(side), dtype=torch.float64) for side in sides]
    rows = 0
    for batch in batches:
        grams = [
            _grams(net, names, batch) for net, names in zip((teacher, student), sides, strict=True)
        ]
        rows += len(grams[0][0])
        for total, side in zip(own, grams, strict=True):
            total += torch.tensor([_hsic(k, k) for k in side])
        cross += torch.tensor([[_hsic(k, m) for m in grams[1]] for k in grams[0]])
    of_teacher, of_student = (total.tolist() for total in own)
    similarity = tuple(
        tuple(_ratio(c, a, b) for c, b in zip(line, of_student, strict=True))
        for line, a in zip(cross.tolist(), of_teacher, strict=True)
    )
    chosen = {sides[0][i]: sides[1][j] for i, j in _rising(similarity)}
    return Pairs(tuple(sides[0]), tuple(sides[1]), similarity, chosen, rows)


def _layers(net: nn.Module, role: str, names: Sequence[str] | None) -> list[str]:
    found = list(names) if names is not None else _blocks(net, "") or _parts(net)
    if not found:
        raise InvalidInput(f"The {role} has no layers to compare.", f"Name them: {role}_layers=.")
    return found


def _blocks(module: nn.Module, name: str) -> list[str]:
    """The children of the outermost stacks of two blocks or more."""
    children = [(f"{name}.{n}" if name else n, m) for n, m in module.named_children()]
    if isinstance(module, nn.ModuleList | nn.Sequential) and len(_held(children)) > 1:
        return _held(children)
    return [block for n, m in children for block in _blocks(m, n)]


def _parts(net: nn.Module) -> list[str]:
    return _held(list(net.named_children()))


def _held(children: Sequence[tuple[str, nn.Module]]) -> list[str]:
    return [n for n, m in children if next(m.parameters(), None) is not None]


def _grams(net: nn.Module, names: Sequence[str], batch: Any) -> list[Tensor]:
    batch = placed(batch, net)
    with asking(net), Capture(net, names) as capture:
        run(net, batch)
        taken = capture.take()
    mask = mask_of(batch)
    out = []
    for name in names:
        value = taken[name]
        if mask is not None and value.shape[:2] == mask.shape:
            value = value * mask[..., None].to(value.dtype)  # tokens that are not there say nothing
        if len(value) < _LEAST:
            raise InvalidInput(
                f"A batch has {len(value)} rows; layers cannot be compared on fewer than 4.",
                "Give larger batches.",
            )
        out.append(gram(value))
    return out


def _rising(similarity: Sequence[Sequence[float]]) -> list[tuple[int, int]]:
    """As many pairs as the shorter side has, rising on both, of the largest total."""
    n, m = len(similarity), len(similarity[0])
    if n < m:
        turned = list(zip(*similarity, strict=True))
        return [(i, j) for j, i in _rising(turned)]
    best = [[0.0] + [float("-inf")] * m for _ in range(n + 1)]  # best[i][j]: i lines, j pairs
    for i in range(1, n + 1):
        for j in range(1, min(i, m) + 1):
            best[i][j] = max(best[i - 1][j], best[i - 1][j - 1] + similarity[i - 1][j - 1])
    pairs: list[tuple[int, int]] = []
    i, j = n, m
    while j:
        if best[i][j] == best[i - 1][j]:
            i -= 1
        else:
            pairs.append((i - 1, j - 1))
            i, j = i - 1, j - 1
    return pairs[::-1]
