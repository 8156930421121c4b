"""``make demo`` typed by two people at the same time, each in a clone, one in odd surroundings."""

import contextlib
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.pages.blocks import Block
from tests.pages.checkouts import Checkout
from tests.support.waiting import read_until

_LOCALES: Final = Path("/usr/share/i18n/locales")
_NUMBER: Final = re.compile(r"\d[\d,.]*")
_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_BEGUN: Final = "Starting Keystone"
_PLACE: Final = "/srv/karbor-backup"
"""The clone of which README.md shows the demonstration."""


@pytest.fixture
def surroundings(tmp_path: Path) -> dict[str, str]:
    """Return variables that programs trip over: a locale without UTF-8, a dead proxy, a zone.

    The locale is generated from the sources of Debian's package ``locales`` where those are there;
    else it is ``POSIX``, which has even fewer letters.
    """
    name = "POSIX"
    if (_LOCALES / "de_DE").exists():
        name = "de_DE@euro"
        command = ["localedef", "-i", "de_DE@euro", "-f", "ISO-8859-15", str(tmp_path / name)]
        subprocess.run(command, check=True)
    dead = "http://127.0.0.1:9"
    return {
        "LOCPATH": str(tmp_path),
        "LC_ALL": name,
        "TZ": "Asia/Kathmandu",
        **dict.fromkeys(("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY"), dead),
    }


@contextlib.contextmanager
def _make_demo(
    clone: Checkout, environ: dict[str, str] | None = None, umask: int = 0o022
) -> Iterator["subprocess.Popen[str]"]:
    """Run ``make demo`` in a clone, in a shell whose environment has nothing of the tests'."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    with subprocess.Popen(
        ["/usr/bin/env", "make", "demo"],
        cwd=clone.folder,
        env={**kept, **(environ or {}), "COLUMNS": "200"},
        umask=umask,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    ) as process:
        try:
            yield process
        finally:
            process.terminate()


@pytest.mark.timeout(900)
def test_concurrent_and_repeated_demos_succeed(
    tmp_path: Path, surroundings: dict[str, str], marked_blocks: list[Block]
) -> None:
    first, second = (Checkout.copied(tmp_path / name) for name in ("first", "second"))
    with _make_demo(first) as plain, _make_demo(second, surroundings, 0o077) as odd:
        begun = read_until(odd.stdout, _BEGUN)
        with _make_demo(second) as again:
            refused = again.communicate()[0]
        printed, odd_printed = plain.communicate()[0], begun + odd.communicate()[0]
    assert plain.returncode == 0, printed
    assert odd.returncode == 0, odd_printed
    assert again.returncode != 0
    assert "another demonstration is running in" in refused
    assert "Traceback" not in refused
    for clone in (first, second):
        assert not (clone.folder / "demo-work").exists()
        assert not list((clone.folder / ".sandbox").glob("demo"))
    (block,) = marked_blocks
    _assert_shown(block.text, printed.replace(str(first.folder), _PLACE))
    _assert_shown(block.text, odd_printed.replace(str(second.folder), _PLACE))


def _assert_shown(page: str, printed: str) -> None:
    """Look for each line of a page, step by step and in its order, in what was printed.

    The page leaves out lines, and what only root makes, where it has an ellipsis. Numbers,
    identifiers and where lines are broken may differ.
    """
    steps = _steps(printed)
    for title, shown in _steps(page).items():
        assert title in steps, title
        rest = " ".join(steps[title])
        for line in (each.removesuffix(" …") for each in shown):
            assert line in rest, f"{title}: {line!r}\n{steps[title]}"
            rest = rest.partition(line)[2]


def _steps(text: str) -> dict[str, list[str]]:
    """Return the lines of each step, by its title."""
    steps: dict[str, list[str]] = {}
    for part in re.split(r"^(?=\d+\. )", text, flags=re.MULTILINE)[1:]:
        title, *lines = part.splitlines()
        same = (_NUMBER.sub("N", _ID.sub("ID", line)) for line in lines)
        steps[title.rstrip("─ ")] = [" ".join(line.split()) for line in same if line.strip()]
    return steps
