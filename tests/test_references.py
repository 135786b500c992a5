"""What code and pages cite is in the bibliography, and what is there is cited."""

from __future__ import annotations

import functools
import re
import unicodedata
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
BIB = (ROOT / "docs/references.bib").read_text()

_NAME = r"(?:(?:van den |Le |El )?(?!The\b|In\b|As\b|And\b)[A-Z](?:[\w'’-]*[a-zà-ž]))"
_LIST = rf"{_NAME}(?:(?:, | and |, and ){_NAME})*(?: et al\.)?(?:'s)?"
_YEAR = r"((?:18|19|20)\d\d)[a-z]?\b"
CITATION = re.compile(rf"({_LIST}),? \(?{_YEAR}(?: and {_YEAR})?")

# words before a year that are no authors: parts of dates and of official titles
NO_AUTHORS = {"Feb", "March", "Functions", "Procedures", "Linear"}


def plain(text: str) -> str:
    letters = unicodedata.normalize("NFKD", text)
    return "".join(c for c in letters if not unicodedata.combining(c))


@functools.cache
def flat(path: Path) -> str:
    """A file's text, its lines and comments joined."""
    return joined(path.read_text())


@functools.cache
def cited_in(path: Path) -> set[tuple[tuple[str, ...], str]]:
    text = joined(path.read_text())
    near, end = "", 0  # only what stands before a year: searching all takes much longer
    for year in re.finditer(_YEAR, text):
        start = max(end, year.start() - 300)
        near += text[start : year.end()] if start == end else f" {text[start : year.end()]}"
        end = year.end()
    return cited(near)


def joined(text: str) -> str:
    return re.sub(r"\s*\n\s*(?:#:? ?|\* )?", " ", text)


def cited(text: str) -> set[tuple[tuple[str, ...], str]]:
    """Authors' names, "et al." as one of them, and years."""
    out = set()
    for names, *found in CITATION.findall(joined(text)):
        parts = re.split(r",? and |, | (?=et al\.)", plain(names).removesuffix("'s"))
        out |= {(tuple(parts), year) for year in found if year and parts[0] not in NO_AUTHORS}
    return out


@functools.cache
def entries() -> dict[str, dict[str, str]]:
    out: dict[str, dict[str, str]] = {}
    for block in re.split(r"\n(?=@)", BIB):
        head = re.match(r"@(\w+)\{([^,\s]+),", block)
        if head:
            fields = re.findall(r"^\s*(\w+)\s*=\s*\{(.*?)\},?\s*$", block, re.MULTILINE | re.DOTALL)
            assert head[2] not in out, f"{head[2]} stands twice"
            out[head[2]] = {"type": head[1], **{k: " ".join(v.split()) for k, v in fields}}
    return out


def tex(text: str) -> str:
    """Letters without TeX's accents and braces."""
    text = re.sub(r"\\[\"'`~^=.uvHcdb](?=[\s{A-Za-z\\])\s*\{?\\?([A-Za-z])\}?", r"\1", text)
    return plain(text.replace("{", "").replace("}", "").replace("\\", ""))


def authors(entry: dict[str, str]) -> list[str]:
    """Last names without accents."""
    names = re.split(r"\s+and\s+", tex(entry["author"]))
    return [name.split(",")[0].strip() for name in names]


def years(entry: dict[str, str]) -> set[str]:
    """The year of the volume; and that in which it was online, if a note gives it."""
    return {entry["year"], *re.findall(r"online (\d{4})", entry.get("note", ""))}


@functools.cache
def keys_of(names: tuple[str, ...], year: str) -> set[str]:
    """Entries whose first author, further names and year a citation gives."""
    given = [n for n in names if n != "et al."]
    return {
        key
        for key, entry in entries().items()
        for known in [authors(entry)]
        if year in years(entry)
        and known[0] == given[0]
        and set(given) <= set(known)
        and ("et al." not in names or len(known) > 2)
    }


FOLDERS = ("limbeck", "docs", "tests", "reproductions", "benchmarks", "examples")
FILES = [
    p
    for p in (*(q for f in FOLDERS for q in sorted((ROOT / f).rglob("*"))), ROOT / "README.md")
    if p.suffix in (".py", ".md") and p.name != Path(__file__).name
]


def test_every_citation_has_an_entry() -> None:
    missing = {
        f"{', '.join(names)} {year}: {path.relative_to(ROOT)}"
        for path in FILES
        for names, year in cited_in(path)
        if not keys_of(names, year)
    }
    assert not missing, "\n".join(sorted(missing))


def test_every_entry_is_cited() -> None:
    used = {key for p in FILES for citation in cited_in(p) for key in keys_of(*citation)}
    assert sorted(set(entries()) - used) == []


@pytest.mark.parametrize("key", sorted(entries()))
def test_every_entry_is_complete(key: str) -> None:
    entry = entries()[key]
    needed = {
        "article": {"author", "title", "journal", "year"},
        "inproceedings": {"author", "title", "booktitle", "year"},
        "incollection": {"author", "title", "booktitle", "year"},
        "book": {"author", "title", "publisher", "year"},
        "misc": {"author", "title", "year"},
    }[entry["type"]]
    assert needed <= set(entry), needed - set(entry)
    assert re.fullmatch(r"\d{4}", entry["year"])
    assert authors(entry)


NUMBERED = re.compile(
    r"^[\w ,'’-]{0,60}?\b(section|chapter|ch\.|theorem|lemma|equation|table|algorithm|appendix|"
    r"proposition)s? ([0-9A-Z][0-9.]*)",
    re.IGNORECASE,
)


def test_no_theorem_is_quoted_by_number_from_a_work_that_was_not_opened() -> None:
    """Unless the note of the entry names that number, and says where it is from."""
    notes = {k: e.get("note", "") for k, e in entries().items()}
    wrong = []
    for path in FILES:
        if not cited_in(path):
            continue
        text = flat(path)
        for found in CITATION.finditer(text):
            number = NUMBERED.match(text[found.end() : found.end() + 80])
            for names, year in cited(found[0]) if number else ():
                opened = [
                    "Not opened" not in notes[key] or number[2].rstrip(".") in notes[key]
                    for key in keys_of(names, year)
                ]  # fmt: skip
                if opened and not any(opened):
                    wrong.append(f"{path.relative_to(ROOT)}: {found[0]}{number[0]}")
    assert not wrong, "\n".join(wrong)


def test_the_reader_of_citations() -> None:
    text = """As in Waudby-Smith and Ramdas (2023); Ha, Singh, Lanusse, Upadhyayula and Yu 2021,
    section 3; O'Donnell 2014. Robbins's (1970) mixture; van den Oord et al. 2018; Geiger et al.
    2021 and 2022; Bucilă et al. 2006. # (Breiman
    # 2001; Koch, Strassle and Tan 2024b). In March 2020 the table Linear(2048, 4)."""
    assert cited(text) == {
        (("Waudby-Smith", "Ramdas"), "2023"),
        (("Ha", "Singh", "Lanusse", "Upadhyayula", "Yu"), "2021"),
        (("O'Donnell",), "2014"),
        (("Robbins",), "1970"),
        (("van den Oord", "et al."), "2018"),
        (("Geiger", "et al."), "2021"),
        (("Geiger", "et al."), "2022"),
        (("Bucila", "et al."), "2006"),
        (("Breiman",), "2001"),
        (("Koch", "Strassle", "Tan"), "2024"),
    }
    assert authors({"author": "Boix-Adser{\\`a}, Enric"}) == ["Boix-Adsera"]
    assert authors({"author": "Bucil{\\u{a}}, Cristian and Caruana, Rich"}) == ["Bucila", "Caruana"]
    assert not keys_of(("Hinton", "Caruana"), "2015")
