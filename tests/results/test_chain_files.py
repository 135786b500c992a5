from __future__ import annotations

from types import SimpleNamespace

import pytest

from limbeck.core.errors import FileRefused
from limbeck.results.chain_files import read_chain, step_folders


def test_steps_lie_in_folders_in_their_order(tmp_path) -> None:
    chain = SimpleNamespace(students=("tree", "rules"))
    found = step_folders(tmp_path, chain)
    assert [p.relative_to(tmp_path).as_posix() for p in found] == ["steps/1-tree", "steps/2-rules"]
    assert step_folders(tmp_path, None) == []


def test_names_that_lead_out_of_the_folder_do_not(tmp_path) -> None:
    assert read_chain(tmp_path, None, None) == ((), None)
    assert read_chain(tmp_path, [], None) == ((), None)
    with pytest.raises(FileRefused) as refused:
        read_chain(tmp_path / "run", ["../../tree"], None)
    assert str(tmp_path / "run" / "steps" / "1-tree" / "certificate.json") in str(refused.value)
