"""Run the command in this process, with every click that the project allows."""

import inspect
import os
from collections.abc import Mapping
from typing import Any, Final
from unittest import mock

from click.testing import CliRunner, Result

from karbor_backup_cli._main import program
from tests.support.wording import find_repetition

# Click 8.2 keeps the two outputs apart by itself; 8.1 does so when it is told to.
_SEPARATE: Final[dict[str, Any]] = (
    {"mix_stderr": False} if "mix_stderr" in inspect.signature(CliRunner).parameters else {}
)


def invoke_program(
    *arguments: str, stdin: str | None = None, environ: Mapping[str, str] | None = None
) -> Result:
    """Run ``karbor-backup``, and return its exit status, its output and its errors.

    No message of any test may say the same twice in a row.
    """
    runner = CliRunner(env=environ, **_SEPARATE)
    # The command sets OS_CLOUD for the libraries of its process, which is the tests' here.
    with mock.patch.dict(os.environ):
        result = runner.invoke(program, [*arguments], input=stdin)
    assert find_repetition(result.stderr) is None, result.stderr
    return result
