"""What the pages draw is what there is."""

import importlib.util
import re

from karbor_backup_core import State
from tests.pages.blocks import Block

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
