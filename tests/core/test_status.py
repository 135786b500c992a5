from __future__ import annotations

from typing import Any

import pytest

from limbeck.core.errors import FileRefused
from limbeck.core.status import Status, StatusCode


def test_a_status_is_told_with_its_remedy_and_read_back() -> None:
    found = Status(StatusCode.LIMIT, "It stopped at 3 seconds.", "Give more time.")
    assert str(found) == "It stopped at 3 seconds. Give more time."
    again = Status.from_dict(found.to_dict())
    assert (again.code, str(again)) == (StatusCode.LIMIT, str(found))


@pytest.mark.parametrize("data", [{"code": "nonsense", "message": ""}, {"code": 3}, None, {}])
def test_what_is_no_status_is_refused(data: Any) -> None:
    with pytest.raises(FileRefused, match="is no status"):
        Status.from_dict(data)
