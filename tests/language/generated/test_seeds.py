from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from limbeck import LimbeckError
from limbeck.language.generated.seeds import read_seeds, seed_tasks
from limbeck.language.generated.tasks import Instance


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"instruction": "Name a lake."', "Line 2 of .* is not JSON"),
        ('{"instruction": "a", "instruction": "b"}', "Line 2 of .* names 'instruction' twice"),
        ('["Name a lake."]', "Line 2 of .* is no object"),
        ('{"name": "x"}', "Line 2 of .* has no text as 'instruction'"),
        ('{"instruction": "a", "instances": [{"input": "b"}]}', "without a text as 'output'"),
        ('{"instruction": "a", "is_classification": "yes"}', "neither true nor false"),
        ('{"instruction": "a", "id": "seed_1"}', "Two seeds are called 'seed_1'"),
        ('{"instruction": "a\\ud800"}', "half a character"),
    ],
)
def test_a_broken_line_is_named(tmp_path, line, said):
    path = tmp_path / "seeds.jsonl"
    path.write_text(f'{{"instruction": "Name a river.", "id": "seed_1"}}\n{line}\n')
    with pytest.raises(LimbeckError, match=said):
        read_seeds(path)


def test_files_may_be_packed_and_lines_may_hold_one_instance(tmp_path):
    path = tmp_path / "seeds.jsonl.gz"
    given = {"instruction": "Add.", "input": "1 + 1", "output": "2"}
    path.write_bytes(gzip.compress(f"\n{json.dumps(given)}\n\n".encode()))
    (task,) = read_seeds(path)
    assert (task.id, task.instances) == ("seed_2", (Instance("1 + 1", "2"),))
    path.write_bytes(b"not packed")
    with pytest.raises(LimbeckError, match="cannot be read"):
        read_seeds(path)


def test_lists_and_frames():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"instruction": ["Add.", "Subtract."]})
    assert [t.instruction for t in seed_tasks(frame)] == ["Add.", "Subtract."]
    for wrong in ([], [""], [3], 3):
        with pytest.raises(LimbeckError):
            seed_tasks(wrong)


def test_the_published_seeds(data_folder: Path):
    tasks = read_seeds(data_folder / "text" / "self_instruct_seed_tasks.jsonl.gz")
    assert len(tasks) == 175
    assert sum(task.is_classification for task in tasks) == 26
    assert all(task.instances for task in tasks)
