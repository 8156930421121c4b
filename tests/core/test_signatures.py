"""Signatures of documents: made with one key, checked with each, broken by any change."""

import copy
import hashlib
import hmac
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from karbor_backup_core import Backup, InvalidDocument, InvalidInput
from karbor_backup_core.documents import to_document
from karbor_backup_core.secrets import Secret
from karbor_backup_core.signatures import (
    SIGNATURE_PROPERTY,
    canonical_json,
    sign_document,
    verify_signature,
)
from tests.support.strategies import backups

OLD, NEW, FOREIGN = (Secret(name * 32) for name in "onf")

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8
)
documents = st.dictionaries(
    st.text().filter(lambda name: name != SIGNATURE_PROPERTY), values, max_size=4
)


def value_paths(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Return where every value inside a document is."""
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    for step, each in inner:
        yield (*place, step)
        if isinstance(each, dict | list):
            yield from value_paths(each, (*place, step))


@given(backups)
def test_signed_backup_survives_json_in_any_layout(backup: Backup) -> None:
    document = to_document(backup)
    signed = sign_document(document, [NEW])
    for text in (json.dumps(signed, indent=2), json.dumps(signed, ensure_ascii=False)):
        backwards = dict(reversed(json.loads(text).items()))
        assert verify_signature(backwards, [NEW]) == json.loads(json.dumps(document))


@given(documents, st.data())
@example({"size": 1}, 1.0)
@example({"size": 0}, False)
@example({"size": "1"}, 1)
@example({"zero": 0.0}, -0.0)
def test_any_changed_value_breaks_signature(document: dict[str, Any], data: Any) -> None:
    signed = sign_document(document, [NEW])
    changed = copy.deepcopy(signed)
    target: Any = changed
    if hasattr(data, "draw"):
        assume(document)
        place = data.draw(st.sampled_from(list(value_paths(document))))
        replacement = data.draw(values)
    else:
        place, replacement = (next(iter(document)),), data
    for step in place[:-1]:
        target = target[step]
    assume(json.dumps(target[place[-1]], sort_keys=True) != json.dumps(replacement, sort_keys=True))
    target[place[-1]] = replacement
    with pytest.raises(InvalidDocument, match="does not fit"):
        verify_signature(changed, [NEW])


@given(documents, st.text(), values)
def test_added_or_removed_name_breaks_signature(
    document: dict[str, Any], name: str, value: Any
) -> None:
    assume(name != SIGNATURE_PROPERTY)
    other = dict(document)
    if name in other:
        del other[name]
    else:
        other[name] = value
    with pytest.raises(InvalidDocument, match="does not fit"):
        verify_signature(
            {**other, SIGNATURE_PROPERTY: sign_document(document, [NEW])[SIGNATURE_PROPERTY]}, [NEW]
        )


def test_first_key_signs_and_earlier_keys_still_verify() -> None:
    earlier, later = sign_document({"id": "a"}, [OLD]), sign_document({"id": "a"}, [NEW, OLD])
    assert earlier != later
    assert verify_signature(earlier, [NEW, OLD]) == verify_signature(later, [NEW]) == {"id": "a"}
    with pytest.raises(InvalidDocument, match="does not fit"):
        verify_signature(earlier, [NEW])
    with pytest.raises(InvalidDocument, match="does not fit"):
        verify_signature(sign_document({"id": "a"}, [FOREIGN]), [NEW, OLD])


def test_signature_is_what_any_implementation_of_hmac_computes() -> None:
    text = b'{"a":[1,"\\u00e4"],"b":null}'
    expected = hmac.new(b"k" * 32, text, hashlib.sha256).hexdigest()
    document = {"b": None, "a": [1, "ä"]}
    assert canonical_json(document) == text
    assert (
        sign_document(document, [Secret("k" * 32)])[SIGNATURE_PROPERTY] == f"hmac-sha256:{expected}"
    )


def test_document_signed_before_is_signed_anew() -> None:
    assert sign_document(sign_document({"id": "a"}, [OLD]), [NEW]) == sign_document(
        {"id": "a"}, [NEW]
    )


def test_without_keys_nothing_is_signed_and_only_the_form_is_checked() -> None:
    assert sign_document({"id": "a"}, []) == {"id": "a"}
    assert verify_signature(sign_document({"id": "a"}, [OLD]), []) == {"id": "a"}


@pytest.mark.parametrize(
    "signature",
    [
        None,
        1,
        [],
        {},
        "",
        "0" * 64,
        "hmac-sha256:",
        f"hmac-sha256:{'0' * 63}",
        f"hmac-sha256:{'A' * 64}",
        f"hmac-md5:{'0' * 64}",
        f"hmac-sha256:{'0' * 64}\n",
        f"hmac-sha256:{chr(0x660) * 64}",
    ],
)
@pytest.mark.parametrize("keys", [[], [NEW]])
def test_malformed_signature_is_refused(signature: Any, keys: list[Secret]) -> None:
    with pytest.raises(InvalidDocument, match="no signature"):
        verify_signature({"id": "a", SIGNATURE_PROPERTY: signature}, keys)


def test_number_that_json_does_not_have_is_refused() -> None:
    signature = sign_document({"id": 1}, [NEW])[SIGNATURE_PROPERTY]
    for number in (float("nan"), float("inf")):
        with pytest.raises(InvalidDocument, match="cannot be signed"):
            verify_signature({"id": number, SIGNATURE_PROPERTY: signature}, [NEW])


def test_short_key_is_refused_and_not_quoted() -> None:
    with pytest.raises(InvalidInput, match="shorter than 16 bytes") as caught:
        sign_document({"id": "a"}, [Secret("hunter2")])
    assert "hunter2" not in str(caught.value)


def test_key_is_read_when_it_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "key"
    from_file, from_env = Secret({"file": str(file)}), Secret({"env": "SIGNING_KEY"})
    with pytest.raises(InvalidInput, match="cannot be read"):
        sign_document({"id": "a"}, [from_file])
    file.write_text(f"{'k' * 32}\n")
    # Bytes that are not UTF-8 are a key as good as any.
    monkeypatch.setenv("SIGNING_KEY", b"\xff".decode("utf-8", "surrogateescape") * 16)
    for key in (from_file, from_env):
        assert verify_signature(sign_document({"id": "a"}, [key]), [key]) == {"id": "a"}
