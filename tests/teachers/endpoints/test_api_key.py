from __future__ import annotations

import pytest

from limbeck.core.errors import InvalidInput
from limbeck.teachers.endpoints.api_key import check_url, check_variable, read_key, redacted


@pytest.mark.parametrize("name", ["sk-SECRET", "hf_SECRET", "", "9KEY", "KEY\n", 5, "A" * 65])
def test_what_is_no_name_of_a_variable_is_refused_unseen(name):
    with pytest.raises(InvalidInput, match="not the name of an environment variable") as caught:
        check_variable(name)
    assert "SECRET" not in str(caught.value)
    assert check_variable("OPENAI_API_KEY") == "OPENAI_API_KEY"
    assert check_variable(None) is None


def test_a_key_is_read_without_the_blanks_around_it(monkeypatch):
    monkeypatch.setenv("SERVICE_KEY", " abc\n")
    assert read_key("SERVICE_KEY") == "abc"
    assert read_key(None) is None
    for wrong, message in (("a\nb", "no header may hold"), ("ä", "no header may hold"),
                           (" ", "is not set")):  # fmt: skip
        monkeypatch.setenv("SERVICE_KEY", wrong)
        with pytest.raises(InvalidInput, match=message):
            read_key("SERVICE_KEY")
    assert redacted(b"wrong abc, abc", "abc") == b"wrong [key], [key]"
    assert redacted(b"abc", None) == b"abc"


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("host/path", "no http or https"),
        ("ftp://host", "no http or https"),
        ("http://:80/", "no http or https"),
        ("http://host:SECRET/", "no http or https"),
        ("http://[host", "no http or https"),
        (None, "no http or https"),
        ("https://me:SECRET@host/", "url of host holds a password"),
        ("https://host/?a=1&Api_Key=SECRET", "url of host holds a password"),
        ("https://host/?sig=SECRET", "url of host holds a password"),
        ("https://host/?X-Amz-Signature=", "url of host holds a password"),
    ],
)
def test_addresses_with_a_secret_or_without_a_host_are_refused(url, message):
    with pytest.raises(InvalidInput, match=message) as caught:
        check_url(url)
    assert "SECRET" not in str(caught.value)


def test_other_addresses_are_taken_as_they_are():
    for url in ("http://127.0.0.1:9/v1", "https://host/?version=2&design=b"):
        assert check_url(url) == url
