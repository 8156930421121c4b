"""A reader of the pages: types their commands in a shell, and compares what is printed."""

import doctest
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import attrs

from tests.pages.blocks import Block

_AS_SHOWN: Final = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
_WILDCARDS: Final = {
    "ID": r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b",
    "TIME": r"\b\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d)?(\.\d+)?(Z|[+-]\d\d:?\d\d| ?UTC)?",
    "STAMP": r"\b\d{8}-\d{6}\b",
    "ADDRESS": r"\b127\.0\.0\.1:\d+\b",
}
"""What differs each time, by the word that stands for it in a comparison."""

_BACKUP: Final = re.compile(r"^  backup +(\S+)$", re.MULTILINE)


@attrs.frozen
class Reader:
    """Somebody who does what a page says.

    Attributes:
        folder: the folder in which the shell is.
        variables: the shell's environment, which commands may change.
        words: what is typed in place of parts of a page that stand for something else. ``BACKUP``
            is the backup that was made last.
    """

    folder: Path
    variables: dict[str, str]
    words: dict[str, str] = attrs.field(factory=dict)

    def write(self, block: Block, replaced: Mapping[str, str] | None = None) -> None:
        """Write the file that a block shows, or what its file goes on with.

        Args:
            block: has a title.
            replaced: what is written in place of parts of the block, all of which it has.
        """
        home = f"{self.variables['HOME']}/"
        path = self.folder / re.sub("^~/", lambda _: home, block.title)
        path.parent.mkdir(parents=True, exist_ok=True)
        before = f"{path.read_text(encoding='utf-8')}\n" if path.exists() else ""
        text = block.text
        for part, other in (replaced or {}).items():
            assert part in text, f"{block}: {part}"
            text = text.replace(part, other)
        path.write_text(before + text, encoding="utf-8")

    def run(self, block: Block) -> str:
        """Type each command of a block, and return what they print.

        Each is to succeed, but for the last one of a block that names another exit status.
        """
        *commands, last = block.commands
        printed = [self.type(command, about=str(block)) for command in commands]
        return "".join([*printed, self.type(last, block.status, about=str(block))])

    def type(self, command: str, status: int = 0, about: str = "") -> str:
        """Type one command, in the shell as the one before has left it, and return its output.

        Args:
            command: a line.
            status: the exit status that is expected.
            about: where the command comes from, for the message of a failure.
        """
        for word, meaning in self.words.items():
            whole = rf"(?<!\w){re.escape(word)}(?!\w)" if word.isidentifier() else re.escape(word)
            command = re.sub(whole, meaning.replace("\\", r"\\"), command)
        kept = self.folder.parent / "variables"
        script = f"{command}\nstatus=$?\nenv -0 >'{kept}'\nexit $status"
        done = subprocess.run(
            ["/bin/bash", "-c", script],
            cwd=self.folder,
            env=self.variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            check=False,
        )
        assert done.returncode == status, f"{about}: {command}\n{done.stdout}"
        self.variables.clear()
        self.variables.update(
            (name, value)
            for name, separator, value in (
                pair.partition("=") for pair in kept.read_text(encoding="utf-8").split("\0")
            )
            if separator
        )
        for backup in _BACKUP.findall(done.stdout):
            self.words["BACKUP"] = backup
        return done.stdout


def run_python(
    block: Block, names: Mapping[str, Any] | None = None, replaced: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Run a block of Python, and return the names that it leaves.

    Args:
        block: the block.
        names: what it finds there already.
        replaced: what is run in place of parts of it, all of which it has.
    """
    text = block.text
    for part, other in (replaced or {}).items():
        assert part in text, f"{block}: {part}"
        text = text.replace(part, other)
    known = dict(names or {})
    exec(compile(text, str(block), "exec"), known)  # noqa: S102 - to run it is what it is for
    return known


def compare(block: Block, shown: str, printed: str) -> None:
    """Compare what a page shows with what was printed.

    Identifiers, times, ports and blanks may differ; ``...`` and ``…`` stand for anything.

    Raises:
        AssertionError: the rest differs.
    """
    wanted = _with_wildcards(shown.replace("…", "..."))
    same = doctest.OutputChecker().check_output(wanted, _with_wildcards(printed), _AS_SHOWN)
    assert same, f"{block}: printed was\n{printed}"


def _with_wildcards(text: str) -> str:
    for word, pattern in _WILDCARDS.items():
        text = re.sub(pattern, word, text)
    return text
