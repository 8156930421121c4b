"""What is undone outside of an instance is the instance's own."""

from pathlib import Path

from sandbox import host_cleanup


def test_where_nothing_is_mounted_nothing_is_unmounted(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()

    host_cleanup.unmount_all(tmp_path)

    assert (tmp_path / "data").exists()


def test_a_tap_that_was_never_made_is_forgotten(tmp_path: Path) -> None:
    (tmp_path / "tap0123abcd-ef").touch()
    (tmp_path / "lo").touch()

    host_cleanup.remove_taps(tmp_path)

    assert [path.name for path in tmp_path.iterdir()] == ["lo"]


def test_without_a_record_of_taps_there_is_nothing_to_do(tmp_path: Path) -> None:
    host_cleanup.remove_taps(tmp_path / "taps")
