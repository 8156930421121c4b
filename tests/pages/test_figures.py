"""What the pages draw is what there is."""

import importlib.util
import re

from karbor_backup_core import State
from tests.pages.blocks import Block
from tests.support.wheels import ROOT

_PACKAGE = re.compile(r"\bkarbor_\w+(?:\.\w+)*")
_STATE = re.compile(r"[a-z]+")
_EVENTS = {"ready", "the", "next", "phase"}


def test_parts_are_packages(marked_blocks: list[Block]) -> None:
    (block,) = marked_blocks
    named = _PACKAGE.findall(block.text)
    assert len(named) > len({"core", "glue", "backends"})
    assert [name for name in named if importlib.util.find_spec(name) is None] == []


def test_states_are_those_of_the_model(marked_blocks: list[Block]) -> None:
    (block,) = marked_blocks
    drawn = set(_STATE.findall(block.text)) - _EVENTS
    assert drawn == set(State)


def test_folders_of_the_map_are_there(marked_blocks: list[Block]) -> None:
    (block,) = marked_blocks
    folder = ROOT
    for line in block.text.splitlines():
        path = re.split(r"  +", line.strip())[0]
        indented = line.startswith(" ")
        names = re.findall(r"[\w./-]+", path)
        assert names, line
        for name in names:
            assert (folder / name if indented else ROOT / name).exists(), line
        if not indented:
            folder = ROOT / names[0]
        for page in re.findall(r"→ (\S+)", line):
            assert (ROOT / page).is_file(), line
