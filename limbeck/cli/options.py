"""Options that several commands share, and how their texts are read."""

from __future__ import annotations

import sys
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from limbeck.core.errors import InvalidInput, LimbeckError, did_you_mean

__all__ = [
    "ROWS_HELP", "Answers", "Cases", "Classes", "Drop", "Groups", "Identical", "Key", "Label",
    "Output", "Preprocess", "Regression", "ScoreKindName", "Seen", "Share", "ShowProgress",
    "StudentFile", "Table", "Unit", "Unlabelled", "Weights", "class_names", "column_of",
    "duplicates_rule", "groups_of", "method_settings", "number_or_name", "own_loss", "parts",
    "print_result", "rows_and_labels", "signing_key", "stored_answers", "texts_and_labels",
    "unlabelled_rows",
]  # fmt: skip

Share = Annotated[float, typer.Option(help="Strictly between 0 and 1.")]
Table = Annotated[Path, typer.Option(help="A .parquet or .csv file with one row per input.")]
ROWS_HELP = (
    'A .parquet or .csv file; or many, as a folder or a pattern in quotes: "rows/*.parquet".'
)
StudentFile = Annotated[Path, typer.Option(help="student.json, as limbeck wrote it.")]
Answers = Annotated[str, typer.Option(help="The column with the teacher's answers.")]
Cases = Annotated[
    str | None,
    typer.Option(help="A column, such as a patient: rows that may depend on each other."),
]
Identical = Annotated[
    str, typer.Option(help="What identical rows are: auto, drop (copies) or keep (own draws).")
]
Seen = Annotated[
    Path | None, typer.Option(help="Hashes of training rows; seen.npy beside the student if there.")
]
Key = Annotated[
    Path | None,
    typer.Option(help="A .pem file: an Ed25519 private key to sign the certificate with."),
]
Weights = Annotated[Path | None, typer.Option(help="A .safetensors file for a torch module.")]
Label = Annotated[str | None, typer.Option(help="The column with the true labels.")]
Drop = Annotated[list[str] | None, typer.Option(help="A column to leave out.")]
Classes = Annotated[
    str | None, typer.Option(help="The classes in the order of the outputs, by commas.")
]
ScoreKindName = Annotated[
    str | None, typer.Option(help="What the outputs are: logit, probability, label or value.")
]
Preprocess = Annotated[
    str | None,
    typer.Option(help="package.module:name of a function from the table's rows to the model's."),
]

Groups = Annotated[str | None, typer.Option(help="A column, or class: one more bound per group.")]
Unlabelled = Annotated[
    Path | None,
    typer.Option(help="A file of more rows, without labels, that the teacher answers."),
]
Regression = Annotated[
    bool | None,
    typer.Option(help="Whether the teacher predicts a number; found by default."),
]
Unit = Annotated[str, typer.Option(help="The unit of a predicted number.")]
Output = Annotated[
    str | None,
    typer.Option(help="The name or position of the scores among several outputs of a module."),
]
ShowProgress = Annotated[
    bool | None, typer.Option(help="A progress bar; by default only on a terminal.")
]


def signing_key(key: Path) -> Any:
    """A private key, read before any work; its password is asked without showing it.

    Parameters
    ----------
    key : Path
        The file of the key.
    """
    from limbeck.core.signatures import is_encrypted, private_key

    password = None
    if is_encrypted(key):
        if not sys.stdin.isatty():
            raise InvalidInput(
                f"The key {str(key)!r} is encrypted, and there is no terminal to ask its password.",
                "Sign in Python: certificate.sign(key, password=...).",
            )
        password = str(typer.prompt(f"Password of {key}", hide_input=True, err=True))
    return private_key(key, password)


def column_of(frame: Any, name: str | None) -> Any:
    """The values of a column; refused where there is none of that name.

    Parameters
    ----------
    frame : DataFrame or RowBatches
        The table. Of one that is read in batches the name is returned.
    name : str
        The column.
    """
    from limbeck.data.row_batches import is_batched

    if name is None or is_batched(frame):
        return name
    if name not in frame.columns:
        raise InvalidInput(f"There is no column {name!r}.", did_you_mean(name, frame.columns))
    return frame[name].to_numpy()


def rows_and_labels(frame: Any, label: str | None, drop: Sequence[str] | None) -> tuple[Any, Any]:
    """A table without the labels and the columns that are left out, and the labels.

    Parameters
    ----------
    frame : DataFrame
        The table.
    label : str or None
        The column with the labels.
    drop : sequence of str or None
        Columns to leave out.
    """
    y = column_of(frame, label)
    for column in drop or ():
        column_of(frame, column)  # refuses what is not there
    return frame.drop(columns=[c for c in (*(drop or ()), label) if c is not None]), y


def texts_and_labels(
    frame: Any, label: str | None, labels: Sequence[str], drop: Sequence[str] | None
) -> tuple[Any, Any]:
    """The one column of texts, and 0 or 1 for each of several labels where their columns are there.

    Parameters
    ----------
    frame : DataFrame
        The table.
    label : str or None
        Refused: there are several.
    labels : sequence of k str
        What they are called, and their columns.
    drop : sequence of str or None
        Columns to leave out.

    Raises
    ------
    InvalidInput
        If there is not one column besides, or only some of the labels have one.
    """
    if label is not None:
        raise InvalidInput("--label was given beside --labels.", "Give --labels alone.")
    known = [name for name in labels if name in frame.columns]
    for name in labels if known else ():
        column_of(frame, name)  # refuses what is not there
    rest, _ = rows_and_labels(frame, None, [*(drop or ()), *known])
    if rest.shape[1] != 1:
        names = ", ".join(map(repr, rest.columns[:6]))
        raise InvalidInput(
            f"Beside the labels there are {rest.shape[1]} columns ({names}), and --labels is for"
            " texts.",
            "Leave the others out: --drop.",
        )
    return rest.iloc[:, 0], frame[list(labels)].to_numpy() if known else None


def unlabelled_rows(path: Path, label: str | None, drop: Sequence[str] | None) -> Any:
    """A table of rows without labels; columns that are left out need not be in it.

    Parameters
    ----------
    path : Path
        The file.
    label : str or None
        The column with the labels, which must not be in it.
    drop : sequence of str or None
        Columns to leave out.

    Raises
    ------
    InvalidInput
        If it has the column with the labels.
    """
    from limbeck.api.load import read_table
    from limbeck.core.errors import InvalidInput

    frame = read_table(path)
    if label is not None and label in frame.columns:
        raise InvalidInput(
            f"{path.name} has the column {label!r} of the labels, and holds rows without labels.",
            "Take the column out, or join the rows to the data.",
        )
    return frame.drop(columns=[c for c in (drop or ()) if c in frame.columns])


def stored_answers(teacher: Any) -> list[Path]:
    """The file with the answers of a service that is paid for; none of other teachers.

    Parameters
    ----------
    teacher : Any
        What `--teacher` names: a file as it is, or a model.
    """
    if isinstance(teacher, str) and teacher.endswith((".yaml", ".yml")):
        from limbeck.teachers import as_teacher

        try:
            teacher = as_teacher(teacher)
        except LimbeckError:  # is said where the command reads it
            return []
    path = getattr(getattr(teacher, "store", None), "path", None)
    return [] if path is None else [Path(path)]


def print_result(result: Any, folder: Path) -> None:
    """Print a result, and where its page is.

    Parameters
    ----------
    result : Result
        What a verb returned.
    folder : Path
        Where it was saved.
    """
    console = Console()
    console.print(result)
    page = folder / "report.html"
    where = f": open {page}" if page.is_file() else "."
    console.print(Text(f"\nWritten to {folder}/{where}"))


def number_or_name(text: str | None) -> int | str | None:
    """A position where the text is a whole number, else the text."""
    return int(text) if text is not None and text.removeprefix("-").isdecimal() else text


def own_loss(text: str | None) -> Any:
    """The function at package.module:name; another text is a loss of limbeck."""
    if text is None or ":" not in text:
        return text
    from limbeck.api.load import read_named

    return read_named(text)


def method_settings(given: Sequence[str] | None, others: Collection[str]) -> dict[str, Any]:
    """Settings of a method from name=value, the value JSON, or else a text.

    Parameters
    ----------
    given : sequence of str or None
        What was given to `--set`.
    others : collection of str
        Names that have an option of their own, which are refused.
    """
    from limbeck.core.strict_json import parse_json

    found: dict[str, Any] = {}
    for one in given or []:
        name, sign, value = one.partition("=")
        if not sign or not name.isidentifier():
            raise InvalidInput(f"--set {one!r} is not of the form name=value.", "Give --set k=2.")
        if name in others:
            raise InvalidInput(
                f"--set {name} is no setting of a method alone.",
                f"Give --{name.replace('_', '-')}, where the command's --help has it.",
            )
        try:
            found[name] = parse_json(value)
        except ValueError:
            found[name] = value
    return found


def parts(text: str) -> list[str]:
    """What stands between commas."""
    return [part.strip() for part in text.split(",")]


def duplicates_rule(name: str) -> Any:
    """What identical rows are, refused where there is no such rule."""
    from limbeck.data.duplicates import RULES

    if name not in RULES:
        raise InvalidInput(f"--duplicates is {name!r}.", did_you_mean(name, RULES))
    return name


def groups_of(frame: Any, name: str | None) -> Any:
    """A column, or "class" for the teacher's classes where no column is called so.

    Parameters
    ----------
    frame : DataFrame
        The table.
    name : str
        The column.
    """
    return name if name == "class" and name not in frame.columns else column_of(frame, name)


def class_names(text: str | None, y: Any) -> list[Any] | None:
    """Classes named in the shell, of the type that the labels have.

    Parameters
    ----------
    text : str or None
        Names with commas between them.
    y : ndarray of shape (n,), or None
        The labels.
    """
    if text is None:
        return None
    names = parts(text)
    if y is None:
        return names
    known = {str(label): label for label in set(y.tolist())}
    return [known.get(name, name) for name in names]
