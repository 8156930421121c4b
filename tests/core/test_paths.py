"""Paths that a user names and somebody else's rights open."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from karbor_backup_core import InvalidInput, check_path, is_allowed_path

_NAMES = st.text(st.characters(exclude_characters="/\0", codec="utf-8"), min_size=1).filter(
    lambda name: name not in {".", ".."}
)


@given(st.lists(_NAMES, min_size=1))
def test_an_absolute_normalised_path_is_returned_as_it_is(names: list[str]) -> None:
    path = "/" + "/".join(names)
    assert check_path("directory", path) == path


@pytest.mark.parametrize(
    ("path", "remedy"),
    [
        ("", "absolute"),
        ("relative", "absolute"),
        ("~/data", "absolute"),
        ("/srv/../etc", "'/etc'"),
        ("/srv/./data", "'/srv/data'"),
        ("/srv/data/", "'/srv/data'"),
        ("//srv", "'/srv'"),
        ("/srv//data", "'/srv/data'"),
        ("/srv/\0data", "NUL"),
        ("/srv/\ud800", "no path can"),
    ],
)
def test_ambiguous_path_is_refused(path: str, remedy: str) -> None:
    with pytest.raises(InvalidInput, match="directory") as caught:
        check_path("directory", path)
    assert remedy in str(caught.value)


def test_a_path_is_allowed_in_and_below_a_directory(tmp_path: Path) -> None:
    top = tmp_path / "data"
    (top / "sub").mkdir(parents=True)
    allowed = [str(top)]
    assert is_allowed_path(str(top), allowed)
    assert is_allowed_path(str(top / "sub" / "not yet"), allowed)
    assert not is_allowed_path(str(tmp_path), allowed)
    assert not is_allowed_path(f"{top}-beside", allowed)
    assert not is_allowed_path(str(top), [])


def test_a_link_leads_neither_out_nor_in(tmp_path: Path) -> None:
    top, secret = tmp_path / "data", tmp_path / "secret"
    top.mkdir()
    secret.mkdir()
    (top / "link").symlink_to(secret)
    (tmp_path / "shortcut").symlink_to(top)
    assert not is_allowed_path(str(top / "link"), [str(top)])
    assert not is_allowed_path(str(top / "link" / "file"), [str(top)])
    assert not is_allowed_path(str(tmp_path / "shortcut"), [str(top)])
    assert is_allowed_path(os.fspath(tmp_path / "shortcut" / "x"), [str(tmp_path / "shortcut")])
