"""What a certificate states, and of what it was computed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from limbeck.core.signatures import Signature, sign, signed_bytes

__all__ = ["Certificate", "GroupBound"]


@dataclass(frozen=True)
class GroupBound:
    """The bound for one group of rows, at the level shared over all groups."""

    group: str
    epsilon: float
    delta: float
    n: int
    mean_loss: float


@dataclass(frozen=True)
class Certificate:
    """With probability at least 1 - delta over the rows, the expected loss is at most epsilon.

    Parameters
    ----------
    epsilon : float
        The certified bound, in units of the loss.
    delta : float
        The probability, over the draw of the rows, that the statement is wrong.
    n : int
        Independent draws used: different rows, or cases.
    mean_loss : float
        Mean loss on them; that of a case is the mean over its rows.
    loss : str
        ``disagreement``, or the name of a bounded loss, or ``exceeds`` for tolerance bounds.
    bound : str
        The name of the bound, with its source.
    statement : str
        The certificate as one sentence.
    assumptions : tuple of str
        What must be true for the sentence to hold.
    asked : float or None
        The epsilon that was asked for; compare with ``reached``.
    tolerance : float or None
        For regression: the error that at least 1 - epsilon of inputs stay within.
    groups : tuple of GroupBound
        Simultaneous bounds by group.
    student, rows : str
        Fingerprints (SHA-256) of the student and of the rows with their answers; that of the rows
        depends neither on their order nor on digits that float32 does not keep.
    settings : mapping
        Everything else needed to recompute: loss range, candidates, copies, cases, versions.
    signature : Signature, optional
        Who vouches for it; see `sign`.

    Examples
    --------
    >>> import numpy as np
    >>> import limbeck
    >>> from limbeck.students import Tree
    >>> X = np.arange(40.0).reshape(-1, 1)
    >>> student = Tree(max_leaves=2).fit(X, X[:, 0] > 20)
    >>> certificate = limbeck.certify(student, X, X[:, 0] > 20, delta=0.05)
    >>> certificate.n, round(certificate.epsilon, 3)
    (40, 0.072)
    """

    epsilon: float
    delta: float
    n: int
    mean_loss: float
    loss: str
    bound: str
    statement: str
    assumptions: tuple[str, ...]
    student: str
    rows: str
    asked: float | None = None
    tolerance: float | None = None
    groups: tuple[GroupBound, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    signature: Signature | None = None

    @property
    def reached(self) -> bool:
        """Whether the epsilon that was asked for is certified (True where none was asked)."""
        return self.asked is None or self.epsilon <= self.asked

    def sign(self, key: Any, password: str | None = None) -> Certificate:
        """The same certificate, signed: the holder of the key vouches for it.

        Anyone can recompute the numbers; that the answers are the teacher's own and the rows are
        fresh is somebody's word. The signature says whose. It covers all fields; see
        `limbeck.core.signatures.signed_bytes`.

        Parameters
        ----------
        key : str, Path or Ed25519PrivateKey
            The PEM file of an Ed25519 private key, or one read with ``cryptography``.
        password : str, optional
            Of the file, if it is encrypted.

        Raises
        ------
        FileRefused
            If the file cannot be read, or holds no Ed25519 private key.
        InvalidInput
            If it is encrypted and the password is lacking or wrong.
        MissingExtra
            If the package ``cryptography`` is not installed.
        """
        return replace(self, signature=sign(signed_bytes(self), key, password))
