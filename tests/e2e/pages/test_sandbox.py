"""What sandbox/README.md and tests/support/README.md show, in a checkout of its own."""

import re
from pathlib import Path
from typing import Final

import pytest

from sandbox import Sandbox
from tests.pages.blocks import Block
from tests.pages.checkouts import Checkout
from tests.pages.reader import Reader, compare, run_python
from tests.support.fault_proxy import FaultProxy

_COLUMNS: Final = re.compile(r"\b(freezer-api|keystone|scheduler-node1)( +)runs( +)\d+")


@pytest.mark.timeout(900)
@pytest.mark.usefixtures("sandbox")  # so that the environment is built, which would be told
def test_sandbox_from_a_shell(reader: Reader, marked_blocks: list[Block]) -> None:
    (block,) = marked_blocks
    # The page's lines that set variables, and the one that it says puts the command on the path.
    reader.variables["PATH"] = f"{reader.folder}/.venv/bin:{reader.variables['PATH']}"
    printed = reader.run(block)
    compare(block, _without_numbers(block.shown), _without_numbers(printed))


def _without_numbers(text: str) -> str:
    return _COLUMNS.sub(r"\1 runs NUMBER", text)


@pytest.mark.timeout(900)
def test_sandbox_from_python(
    checkout: Checkout, marked_blocks: list[Block], monkeypatch: pytest.MonkeyPatch
) -> None:
    (block,) = marked_blocks
    monkeypatch.chdir(checkout.folder)
    run_python(block)
    home = checkout.folder / ".sandbox" / "mine"
    assert not home.exists()


def test_fault_injection(
    sandbox: Sandbox, fault_proxy: FaultProxy, marked_blocks: list[Block], tmp_path: Path
) -> None:
    (block,) = marked_blocks
    run_python(block)["test_survives_a_lost_reply"](sandbox, fault_proxy, tmp_path)
