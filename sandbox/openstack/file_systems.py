"""File systems in a file, for what must be one of its own, or must be able to be full."""

from pathlib import Path

from sandbox.subprocesses import run_checked


def mount_file(image: Path, directory: Path, size: int) -> None:
    """Make a file system in a file that takes no room yet, and mount it.

    Args:
        image: the file.
        directory: where to mount it; made if need be.
        size: bytes.

    Raises:
        BuildError: it could not be made or mounted; the text says why.
    """
    directory.mkdir(parents=True, exist_ok=True)
    image.touch(mode=0o600)
    with image.open("r+b") as file:
        file.truncate(size)
    lazily = "lazy_itable_init=1,lazy_journal_init=1"
    run_checked(["mkfs.ext4", "-q", "-F", "-m", "0", "-E", lazily, str(image)], directory)
    run_checked(["mount", "-o", "loop,discard", str(image), str(directory)], directory.parent)
