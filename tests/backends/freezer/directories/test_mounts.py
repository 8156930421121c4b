"""The mount table: what it says of paths, with escapes, bind mounts and mounts over mounts."""

from pathlib import Path

import pytest

from karbor_backup_freezer.directories.mounts import MountTable, normalize_path, outermost_mounts

TABLE = """\
21 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
22 21 0:20 / /proc rw,nosuid - proc proc rw
23 21 8:2 / /srv/a\\040b\\134c rw shared:2 master:1 - xfs /dev/sdb rw
24 21 8:1 /srv/data /mnt/bind rw - ext4 /dev/sda1 rw
25 21 0:30 / /srv/data/auto rw - autofs systemd-1 rw
26 25 0:31 / /srv/data/auto/nfs rw - nfs4 host:/x rw
27 21 0:40 / /mnt/bind rw - tmpfs tmpfs rw
"""


@pytest.fixture
def table(tmp_path: Path) -> MountTable:
    file = tmp_path / "mountinfo"
    file.write_text(TABLE)
    return MountTable.load(file)


def test_escaped_mount_points_are_decoded(table: MountTable) -> None:
    mount = table.find_at("/srv/a b\\c")
    assert mount is not None
    assert mount.type == "xfs"


def test_mounts_below_a_path_are_found_and_not_those_beside_it(table: MountTable) -> None:
    below = table.list_below("/srv/data")
    assert [m.point for m in below] == ["/srv/data/auto", "/srv/data/auto/nfs"]
    assert [m.type for m in outermost_mounts(below)] == ["autofs"]
    assert table.list_below("/srv/dat") == ()
    assert len(table.list_below("/")) == 6


def test_bind_mount_has_the_location_of_its_source() -> None:
    text = "\n".join(TABLE.splitlines()[:4])
    table = _parse_table(text)
    bound, original = table.location("/mnt/bind/x"), table.location("/srv/data/x")
    assert bound == original
    outer, other = table.location("/srv"), table.location("/srv/a b\\c")
    assert outer is not None
    assert bound is not None
    assert other is not None
    assert outer.contains(bound)
    assert not outer.contains(other)


def test_the_topmost_mount_hides_what_is_below_it(table: MountTable) -> None:
    mount = table.find_containing("/mnt/bind/x")
    assert mount is not None
    assert mount.type == "tmpfs"


@pytest.mark.parametrize("path", ["/", "//", "/.", "/srv/..", "//srv/../.", "/../.."])
def test_every_form_of_the_root_path_is_the_root(path: str) -> None:
    assert normalize_path(path) == "/"


def _parse_table(text: str) -> MountTable:
    from karbor_backup_freezer.directories import mounts

    return MountTable(tuple(mounts._parse_mount(line) for line in text.splitlines()))
