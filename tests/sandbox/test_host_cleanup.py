"""What is undone outside of an instance is the instance's own."""

from pathlib import Path

from sandbox import host_cleanup


def test_without_mounts_nothing_is_unmounted(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()

    host_cleanup.unmount_all(tmp_path)

    assert (tmp_path / "data").exists()


def test_record_of_a_missing_tap_is_removed(tmp_path: Path) -> None:
    (tmp_path / "tap0123abcd-ef").touch()
    (tmp_path / "lo").touch()

    host_cleanup.remove_taps(tmp_path)

    assert [path.name for path in tmp_path.iterdir()] == ["lo"]


def test_without_a_record_of_taps_nothing_is_removed(tmp_path: Path) -> None:
    host_cleanup.remove_taps(tmp_path / "taps")
