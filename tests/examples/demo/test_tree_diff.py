"""The comparison must notice every kind of damage, and nothing else."""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from examples.demo.tree_diff import Difference, count_by_kind, diff_trees, read_tree

Harm: TypeAlias = Callable[[Path], object]

_names = st.text(
    st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=20
).filter(lambda name: name not in (".", ".."))
_contents = st.binary(max_size=200)
_trees = st.dictionaries(_names, _contents, min_size=1, max_size=6)


@contextmanager
def _make_tree(files: dict[str, bytes]) -> Iterator[Path]:
    """Yield a tree with these files, each also in a folder beside a link to it."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "root"
        (root / "inner").mkdir(parents=True)
        for name, content in files.items():
            for path in (root / f"f{name}", root / "inner" / name):
                path.write_bytes(content)
            (root / f"l{name}").symlink_to(f"inner/{name}")
        yield root


@given(_trees)
@settings(deadline=None, max_examples=50)
def test_unchanged_tree_has_no_difference(files: dict[str, bytes]) -> None:
    with _make_tree(files) as root:
        assert diff_trees(read_tree(root), read_tree(root)) == []
        assert count_by_kind(read_tree(root)) == {
            "file": 2 * len(files),
            "link": len(files),
            "folder": 2,
        }


@given(_trees, st.data())
@settings(deadline=None, max_examples=100)
def test_changed_byte_is_found_when_size_and_time_are_equal(
    files: dict[str, bytes], data: st.DataObject
) -> None:
    with _make_tree(files) as root:
        before = read_tree(root)
        name = data.draw(st.sampled_from(sorted(files)))
        path = root / "inner" / name
        content = bytearray(path.read_bytes())
        if not content:
            return
        place = data.draw(st.integers(0, len(content) - 1))
        content[place] ^= data.draw(st.integers(1, 255))
        status = path.stat()
        path.write_bytes(content)
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
        assert diff_trees(before, read_tree(root)) == [Difference(f"inner/{name}", "content")]


def _replace_with_link(path: Path) -> None:
    path.unlink()
    path.symlink_to("elsewhere")


def _replace_with_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _change_link_target(path: Path) -> None:
    link = path.parent / "link"
    link.unlink()
    link.symlink_to("elsewhere")


def _add_hard_link(path: Path) -> None:
    (path.parent / "second").unlink()
    (path.parent / "second").hardlink_to(path)


_HARMS: dict[str, tuple[Harm, set[tuple[str, str]]]] = {
    "deleted": (Path.unlink, {("file", "missing")}),
    "cut": (lambda path: os.truncate(path, 3), {("file", "content")}),
    "one byte more": (lambda path: path.write_bytes(b"content!"), {("file", "content")}),
    "mode": (lambda path: path.chmod(0o4755), {("file", "mode")}),
    "time": (lambda path: os.utime(path, (1, 1)), {("file", "modified")}),
    "a link instead": (_replace_with_link, {("file", "kind")}),
    "a folder instead": (_replace_with_folder, {("file", "kind")}),
    "another target": (_change_link_target, {("link", "content")}),
    "one file instead of two": (_add_hard_link, {("file", "names"), ("second", "names")}),
    "added": (lambda path: (path.parent / "new").touch(), {("new", "extra")}),
    "a folder added": (lambda path: (path.parent / "new").mkdir(), {("new", "extra")}),
}


@pytest.mark.parametrize("harm", _HARMS)
def test_every_kind_of_damage_is_found(tmp_path: Path, harm: str) -> None:
    for name in ("file", "second"):
        (tmp_path / name).write_bytes(b"content")
    (tmp_path / "link").symlink_to("file")
    before = read_tree(tmp_path)
    do, expected = _HARMS[harm]
    do(tmp_path / "file")
    differences = {(each.path, each.what) for each in diff_trees(before, read_tree(tmp_path))}
    assert expected <= differences


def test_changed_owner_is_found(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    before = read_tree(tmp_path)
    user, group = before["file"].owner
    after = {**before, "file": attrs.evolve(before["file"], owner=(user + 1, group))}
    assert diff_trees(before, after) == [Difference("file", "owner")]


def test_unreadable_folder_is_not_reported_as_empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: object) -> None:
        raise PermissionError("no")

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(PermissionError):
        read_tree(tmp_path)
