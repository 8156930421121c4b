"""The demonstration's data: always the same, and as hard as it says."""

import os
import stat
from pathlib import Path

import pytest

from examples.demo.damage import damage_tree
from examples.demo.sample_tree import ODD_NAMES, TreeSize, make_tree, remove_tree
from examples.demo.tree_diff import count_by_kind, diff_trees, read_tree

_SMALL = TreeSize(files=200, megabytes=1)


def test_the_same_seed_makes_the_same_tree(tmp_path: Path) -> None:
    trees = []
    for _ in range(2):
        root = tmp_path / "tree"  # an absolute link in it names the root
        make_tree(root, _SMALL)
        trees.append(read_tree(root))
        remove_tree(root)
    assert diff_trees(*trees) == []


def test_another_seed_makes_another_tree(tmp_path: Path) -> None:
    make_tree(tmp_path / "a", _SMALL)
    make_tree(tmp_path / "b", TreeSize(files=200, megabytes=1, seed=20))
    assert diff_trees(read_tree(tmp_path / "a"), read_tree(tmp_path / "b"))


def test_tree_contains_the_announced_file_types(tmp_path: Path) -> None:
    root = tmp_path / "tree"
    make_tree(root, _SMALL)
    tree = read_tree(root)
    assert count_by_kind(tree)["file"] >= _SMALL.files
    assert {Path(path).name for path in tree} >= set(ODD_NAMES)
    assert any(len(entry.names) == 3 for entry in tree.values())
    dangling = root / "links" / "dangling"
    assert dangling.is_symlink()
    assert not dangling.exists()
    sparse = (root / "content" / "sparse").stat()
    assert sparse.st_blocks * 512 < sparse.st_size
    assert stat.S_ISDIR(os.lstat(root / "content" / "empty folder").st_mode)


@pytest.mark.any_user
@pytest.mark.parametrize("umask", [0o022, 0o077])
def test_tree_has_the_modes_that_its_users_agent_can_restore(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        make_tree(tmp_path / "tree", _SMALL)
    finally:
        os.umask(before)
    modes = {entry.mode for entry in read_tree(tmp_path / "tree").values() if entry.kind != "link"}
    ordinary = {0o644, 0o600, 0o400, 0o755, 0o700}
    only_root = {0o000, 0o777, 0o4755, 0o2750, 0o1777, 0o2755, 0o555}
    assert modes == (ordinary | only_root if os.geteuid() == 0 else ordinary)


def test_every_damage_changes_the_tree(tmp_path: Path) -> None:
    root = tmp_path / "tree"
    make_tree(root, _SMALL)
    before = read_tree(root)
    done = damage_tree(root)
    assert all(done.values()), done
    differences = {difference.what for difference in diff_trees(before, read_tree(root))}
    assert differences >= {"missing", "extra", "kind", "content", "mode", "modified", "names"}


def test_tree_without_write_permission_is_removed(tmp_path: Path) -> None:
    root = tmp_path / "tree"
    (root / "closed").mkdir(parents=True)
    (root / "closed" / "file").touch()
    (root / "closed").chmod(0)
    remove_tree(root)
    remove_tree(root)
    assert not root.exists()
