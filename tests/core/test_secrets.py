"""Secrets: shown by reveal alone, and taken out of every text."""

import copy
import functools
import json
import pickle
import urllib.parse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from karbor_backup_core import InvalidDocument, InvalidInput
from karbor_backup_core.documents import to_document
from karbor_backup_core.secrets import (
    MIN_REDACTED_LENGTH,
    Secret,
    find_secrets,
    redact,
    wrap_secrets,
)
from tests.support.strategies import operation

values = st.text(min_size=MIN_REDACTED_LENGTH, max_size=30)
tricky = st.text(alphabet='*ab"\\ %', min_size=MIN_REDACTED_LENGTH, max_size=8)


@given(values)
def test_only_reveal_shows_a_secret(value: str) -> None:
    secret = Secret(value)
    assert secret.reveal() == value
    shown = {repr(secret), str(secret), f"{secret}", f"{secret!r}", "%s" % secret, f"{[secret]}"}  # noqa: UP031 - one more way to show it
    assert shown == {"***", "Secret(***)", "[Secret(***)]"}


@given(st.lists(values | tricky, min_size=1, max_size=4), st.data())
@example(["abcd", "***x"], None)
def test_no_secret_is_left_in_a_redacted_text(revealed: list[str], data: Any) -> None:
    secrets = [Secret(value) for value in revealed]
    text = "abcdx"
    if data is not None:
        pieces = st.lists(st.sampled_from(revealed) | st.text(max_size=5), max_size=8)
        text = "".join(data.draw(pieces))
    redacted = redact(text, secrets)
    assert not any(value in redacted for value in revealed)


@pytest.mark.parametrize(
    "written",
    [
        json.dumps,
        repr,
        urllib.parse.quote,
        functools.partial(urllib.parse.quote, safe=""),
        urllib.parse.quote_plus,
    ],
)
@given(values)
@example('a b/c "d"')
def test_a_secret_is_known_as_others_write_it(written: Callable[[str], str], value: str) -> None:
    spelled = written(value).strip("'\"")
    if len(spelled) >= MIN_REDACTED_LENGTH:
        assert spelled not in redact(f"https://user:{written(value)}@host/", [Secret(value)])


def test_a_longer_secret_goes_before_one_inside_it() -> None:
    assert redact("abcd-efgh", [Secret("abcd"), Secret("abcd-efgh")]) == "***"


def test_texts_without_a_secret_are_left_alone() -> None:
    assert redact("nothing here", [Secret("hunter2")]) == "nothing here"
    assert redact("", []) == ""


def test_short_values_do_not_blacken_words() -> None:
    assert redact("the cat sat", [Secret("at"), Secret("")]) == "the cat sat"


def test_two_secrets_are_never_equal_and_their_hashes_tell_nothing() -> None:
    first, second = Secret("hunter2"), Secret("hunter2")
    assert first != second
    assert hash(first) != hash(second)
    assert first == first  # noqa: PLR0124 - it equals itself


def test_a_secret_stays_in_its_process_and_out_of_documents() -> None:
    secret = Secret("hunter2")
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(secret)
    with pytest.raises(TypeError):
        json.dumps(secret)
    with pytest.raises(InvalidDocument, match=r"\$\.options\.key: Secret is no type"):
        to_document(operation(options={"key": secret}))
    assert copy.copy(secret) is secret
    assert copy.deepcopy([secret]) == [secret]
    assert not attrs.has(Secret)
    assert not hasattr(secret, "__dict__")


def test_a_reference_is_looked_up_at_each_use(monkeypatch: pytest.MonkeyPatch) -> None:
    secret = Secret({"env": "KARBOR_BACKUP_TEST_KEY"})
    monkeypatch.setenv("KARBOR_BACKUP_TEST_KEY", "first-value")
    assert secret.reveal() == "first-value"
    monkeypatch.setenv("KARBOR_BACKUP_TEST_KEY", "second-value")
    assert secret.reveal() == "second-value"
    assert redact("first-value, second-value", [secret]) == "***, ***"


def test_a_reference_that_was_never_used_is_redacted_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KARBOR_BACKUP_TEST_KEY", "first-value")
    assert redact("first-value", [Secret({"env": "KARBOR_BACKUP_TEST_KEY"})]) == "***"


@pytest.mark.parametrize(
    ("content", "value"),
    [
        (b"secret", "secret"),
        (b"secret\n", "secret"),
        (b"secret\r\n", "secret"),
        (b" secret \n\n", " secret \n"),
        ("schlüssel\n".encode(), "schlüssel"),
    ],
)
def test_a_file_loses_one_line_end(tmp_path: Path, content: bytes, value: str) -> None:
    path = tmp_path / "key"
    path.write_bytes(content)
    assert Secret({"file": str(path)}).reveal() == value


def test_a_reference_that_leads_nowhere_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KARBOR_BACKUP_TEST_KEY", raising=False)
    with pytest.raises(InvalidInput, match=r"variable KARBOR_BACKUP_TEST_KEY.*not set"):
        Secret({"env": "KARBOR_BACKUP_TEST_KEY"}).reveal()
    monkeypatch.setenv("KARBOR_BACKUP_TEST_KEY", "")
    with pytest.raises(InvalidInput, match="env KARBOR_BACKUP_TEST_KEY is empty"):
        Secret({"env": "KARBOR_BACKUP_TEST_KEY"}).reveal()
    with pytest.raises(InvalidInput, match=r"gone.*No such file"):
        Secret({"file": str(tmp_path / "gone")}).reveal()
    (tmp_path / "odd").write_bytes(b"\xff\xfe canary")
    with pytest.raises(InvalidInput, match=r"odd.*not UTF-8") as caught:
        Secret({"file": str(tmp_path / "odd")}).reveal()
    assert "canary" not in str(caught.value)
    assert redact("text", [Secret({"file": str(tmp_path / "gone")})]) == "text"


@pytest.mark.parametrize(
    "source",
    [5, None, [], {}, {"env": 5}, {"env": ""}, {"key": "canary"}, {"env": "A", "file": "B"}],
)
def test_secret_that_is_neither_text_nor_reference_is_refused(source: Any) -> None:
    with pytest.raises(InvalidInput, match="a secret is text, or") as caught:
        Secret(source)
    assert "canary" not in str(caught.value)


SCHEMA: dict[str, Any] = {
    "properties": {
        "user": {"type": "string"},
        "password": {"$ref": "#/$defs/secret"},
        "stores": {
            "items": {
                "oneOf": [
                    {"properties": {"path": {}}},
                    {"properties": {"keys": {"additionalProperties": {"writeOnly": True}}}},
                ]
            }
        },
    },
    "patternProperties": {"_key$": {"writeOnly": True}},
    "$defs": {"secret": {"type": "string", "writeOnly": True}},
}


def test_every_value_marked_as_secret_is_wrapped_wherever_it_is() -> None:
    document = {
        "user": "me",
        "password": "canary-1",
        "s3_key": {"env": "S3"},
        "stores": [{"path": "/x"}, {"keys": {"a": "canary-2", "b": "canary-3"}}],
    }
    before = copy.deepcopy(document)
    result = wrap_secrets(SCHEMA, document)
    assert document == before
    assert result["user"] == "me"
    assert result["stores"][0] == {"path": "/x"}
    assert "canary" not in repr(result)
    assert result["password"].reveal() == "canary-1"
    assert result["stores"][1]["keys"]["b"].reveal() == "canary-3"
    assert len(list(find_secrets(result))) == 4


def test_a_mark_in_a_branch_that_may_not_apply_counts() -> None:
    marked = {"properties": {"key": {"writeOnly": True}}}
    for schema in ({"dependentSchemas": {"user": marked}}, {"if": {}, "else": marked}):
        assert list(find_secrets(wrap_secrets(schema, {"key": "canary"})))


def test_a_configuration_without_secrets_has_none() -> None:
    assert wrap_secrets({}, {"user": "me"}) == {"user": "me"}
    assert list(find_secrets({"user": ["me"]})) == []
