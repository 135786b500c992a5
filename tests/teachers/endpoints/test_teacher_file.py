from __future__ import annotations

import pytest

import limbeck
from limbeck import LimbeckError
from limbeck.teachers import Endpoint
from limbeck.teachers.endpoints.teacher_file import mapping_of, settings_of

pytest.importorskip("yaml")


def test_a_yaml_file_names_it(sums, tmp_path):
    (tmp_path / "service.yaml").write_text(
        f"url: {sums.url}\nclasses: [0, 1]\nstore: {tmp_path}/a.sqlite\n"
        "price: {per_request: 1e-3}\n"
    )
    teacher = limbeck.as_teacher(tmp_path / "service.yaml")
    assert isinstance(teacher, Endpoint)
    assert teacher.answers([[0.0, 1.0], [0.5, 0.0], [0.0, 2.0]]).cost == 1e-3


def test_yes_and_no_in_a_file_are_classes(tmp_path):
    (tmp_path / "service.yaml").write_text(
        "url: http://127.0.0.1:9/\nclasses: [no, yes]\nforce: true\n"
    )
    teacher = limbeck.as_teacher(tmp_path / "service.yaml")
    assert teacher.task.classes == ("no", "yes")
    assert teacher.force is True


@pytest.mark.parametrize(
    ("line", "match"),
    [
        ("api_key: SECRET-1234", "holds a key"),
        ("clases: [1]", "'classes'"),
        ("price: {per_call: 1}", "per_request"),
        ("api_key_env: SECRET-1234", "not the name of an environment variable"),
    ],
)
def test_a_file_with_a_fault_is_refused(tmp_path, line, match):
    (tmp_path / "service.yaml").write_text(f"url: http://127.0.0.1:9/\n{line}\n")
    with pytest.raises(LimbeckError, match=match) as caught:
        limbeck.as_teacher(tmp_path / "service.yaml")
    assert "SECRET-1234" not in str(caught.value)


class Made:
    def __init__(self, url, model="m"):
        pass


def test_a_file_says_all_that_is_needed_and_is_a_mapping(tmp_path):
    path = tmp_path / "service.yaml"
    path.write_text("model: n\n")
    with pytest.raises(LimbeckError, match=r"lacks 'url'. Add a line url: \.\.\."):
        settings_of(path, Made)
    path.write_text("url: u\nself: 1\n")
    with pytest.raises(LimbeckError, match="no setting 'self'"):
        settings_of(path, Made)
    for text in ("- url\n", "1: a\n"):
        path.write_text(text)
        assert mapping_of(path) is None
    assert mapping_of(tmp_path / "absent.yaml") is None
    assert mapping_of(tmp_path) is None
    path.write_bytes(b"api_key: SECRET \xff")
    with pytest.raises(LimbeckError, match="no readable YAML") as caught:
        mapping_of(path)
    assert "SECRET" not in str(caught.value)
