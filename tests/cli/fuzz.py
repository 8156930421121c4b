"""Odd values for the whole command, and what must hold of every answer to them."""

import json
from collections.abc import Iterator, Sequence
from typing import Any, Final

import attrs
import click
from click.testing import Result
from hypothesis import strategies as st

from karbor_backup_cli._main import program
from tests.cli.command_runner import CommandRunner

STATUSES: Final = (0, 1, 2, 3)
"""The statuses of docs/reference/cli.md without those of signals and of lost output."""

LONGEST_LINE: Final = 9000

_NOT_ALONE: Final = ("contract", "karbor")
"""Commands that work for minutes, or belong to another package."""

ODD_TEXTS: Final = (
    "",
    "-",
    "--",
    "~",
    "~nobody/x",
    "=",
    "a=",
    "=b",
    "a\0b",
    "\ud800",
    "\udcff",
    "\x1b[2J\r\n\x9b\x07",
    "\u202e\u2028\u200b",
    "{}",
    "[" * 2000,
    '{"a":' * 2000,
    "9" * 5000,
    "-1",
    "1e400",
    "NaN",
    "0x" + "f" * 5000,
    "999999999d",
    "9" * 400 + "d",
    "0s",
    "2026-99-99",
    "x" * 70_000,
    "../" * 2000,
    "/" + "d/" * 5000,
    "/proc/self/mem",
    "/dev/zero",
    "/",
    "%s%n",
    "\N{PILE OF POO}",
    "[red]markup[/red]",
    "volume",
    "OS::Cinder::Volume",
    "volume-1",
    "mine",
    "backup_name=x",
    'backup_name={"a": 1}',
    "restore_name=x",
    "1d",
    "1",
)

odd_texts = st.sampled_from(ODD_TEXTS) | st.text(st.characters(codec=None), max_size=20)


def commands() -> dict[str, click.Command]:
    """Return the commands by name, without those that are not tried with odd values."""
    return {name: each for name, each in program.commands.items() if name not in _NOT_ALONE}


@st.composite
def argument_lists(draw: st.DrawFn, known: Sequence[str] = ()) -> list[str]:
    """Return arguments of one command: its own, some missing, some odd, some in excess.

    Args:
        draw: hypothesis's.
        known: ids that the store holds, or texts that lead somewhere.
    """
    values = odd_texts if not known else odd_texts | st.sampled_from(list(known))
    name = draw(st.sampled_from(sorted(commands())) | odd_texts)
    command = commands().get(name)
    words: list[str] = []
    for parameter in [] if command is None else command.params:
        if isinstance(parameter, click.Option):
            for _ in range(draw(st.sampled_from((0, 0, 0, 1, 2)))):
                words.append(draw(st.sampled_from(parameter.opts)))
                words += [] if parameter.is_flag else [draw(values)]
        elif draw(st.integers(0, 9)):
            choices = getattr(parameter.type, "choices", None)
            words.append(draw(values | st.sampled_from(choices) if choices else values))
    words += draw(st.lists(values, max_size=1)) if draw(st.booleans()) else []
    return [name, *words]


def check(command: CommandRunner, arguments: Sequence[str], stdin: str | None = None) -> Result:
    """Run the command and check what holds of every answer; return the answer."""
    begun = command.cloud.requests["create_job"]
    result = command(*arguments, stdin=stdin)
    for fault in faults_of(result, as_json="--json" in arguments):
        raise AssertionError(f"{fault}: {result.stdout!r} {result.stderr!r}")
    if result.exit_code == 2:
        assert command.cloud.requests["create_job"] == begun, "wrong input has begun something"
    return result


def faults_of(result: Result, *, as_json: bool) -> Iterator[str]:
    """Return what is wrong with an answer, whatever was asked for."""
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        yield f"a traceback: {result.exception!r}"
    if result.exit_code not in STATUSES:
        yield f"status {result.exit_code} is not documented"
    written = result.stdout + result.stderr
    if "Traceback" in written or "fault in karbor-backup" in written:
        yield "a fault of our own"
    if not written.replace("\n", "").isprintable():
        yield "control characters reach the terminal"
    # JSON writes a character of a message as up to six of its own.
    longest = LONGEST_LINE * 6 if as_json else LONGEST_LINE
    if any(len(line) > longest for line in result.stderr.splitlines()):
        yield "an endless line"
    if result.exit_code in (1, 2) and not written:
        yield "it failed without a word"
    if as_json and result.stdout and not result.stdout.startswith("Usage:"):
        try:
            json.loads(result.stdout)
        except ValueError as error:
            yield f"no JSON: {error}"


@attrs.frozen
class Mutation:
    """A change of one place in a JSON document.

    Attributes:
        place: numbers that choose a child at each level, each modulo how many there are.
        action: "replace", "remove", "add" or "rename".
        value: what comes there.
    """

    place: Sequence[int]
    action: str
    value: Any

    def apply(self, document: Any) -> Any:
        """Return a changed copy of a document."""
        copy = json.loads(json.dumps(document))
        holder, key = _find(copy, list(self.place))
        if key is None:
            return self.value
        if self.action == "remove":
            del holder[key]
        elif self.action == "add" and isinstance(holder, dict):
            holder[str(self.value)[:20]] = self.value
        elif self.action == "rename" and isinstance(holder, dict):
            holder[str(self.value)[:20]] = holder.pop(key)
        else:
            holder[key] = self.value
        return copy


def _find(document: Any, place: list[int]) -> tuple[Any, Any]:
    """Return the object or list, and the key in it, to which numbers lead."""
    holder: Any = None
    key: Any = None
    for number in place:
        inner = document if holder is None else holder[key]
        if not isinstance(inner, dict | list) or not inner:
            break
        keys = sorted(inner) if isinstance(inner, dict) else range(len(inner))
        holder, key = inner, keys[number % len(keys)]
    return holder, key


def _nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


odd_json = st.one_of(
    st.sampled_from(
        [
            None,
            True,
            -1,
            0,
            2**63,
            10**400,
            1e308,
            "",
            {},
            [],
            [[]],
            "9999-12-31T23:59:59.999999+00:00",
            "0001-01-01T00:00:00.000000+00:00",
            "2026-01-01T00:00:00",
            "2026-13-01",
            "x" * 100_000,
            _nested(70),
            _nested(700),
            dict.fromkeys(map(str, range(3000)), 1),
        ]
    ),
    odd_texts,
)
mutations = st.builds(
    Mutation,
    place=st.lists(st.integers(0, 50), min_size=1, max_size=4),
    action=st.sampled_from(("replace", "replace", "remove", "add", "rename")),
    value=odd_json,
)
