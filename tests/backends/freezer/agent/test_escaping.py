"""Texts on their way to the agent, through the very parser that Freezer sends them through."""

import configparser
import io
import string

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from karbor_backup_core import InvalidInput
from karbor_backup_freezer.agent.escaping import (
    check_backup_name,
    check_folder_name,
    check_identifier,
    check_path,
    check_restore_path,
    check_text,
    escape,
    unescape,
)


def _round_trip(text: str) -> str:
    """Write as ``scheduler_job.save_action_to_file`` and read as ``utils.config.Config.parse``."""
    written = configparser.ConfigParser()
    written.add_section("action")
    written.set("action", "value", text)
    file = io.StringIO()
    written.write(file)
    read = configparser.ConfigParser()
    read.read_string(file.getvalue())
    return read.get("action", "value")


@given(st.text(max_size=40))
def test_accepted_text_reaches_the_agent_unchanged(text: str) -> None:
    try:
        check_text("name", text)
    except InvalidInput:
        assume(False)
    assert _round_trip(escape(text)) == text


@given(st.text())
def test_escaping_is_reversible(text: str) -> None:
    assert unescape(escape(text)) == text


@pytest.mark.parametrize(
    "text", ["", " x", "x ", "a\nb", "a\x00b", "True", "false", "None", "x" * 256, "%" * 128]
)
def test_text_that_would_be_changed_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="name"):
        check_text("name", text)


@pytest.mark.parametrize("name", ["../../etc", "a/b", "{mode}", "x}", ""])
def test_backup_name_that_is_no_folder_name_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput, match="backup_name"):
        check_backup_name(name)


def test_a_folder_name_is_measured_in_bytes() -> None:
    check_folder_name("host", "x" * 250)
    with pytest.raises(InvalidInput, match="255 bytes"):
        check_folder_name("host", "ü" * 126)


@pytest.mark.parametrize("path", ["relative/path", "", "/x\n"])
def test_relative_or_unsupported_path_is_refused(path: str) -> None:
    with pytest.raises(InvalidInput, match="directory"):
        check_path("directory", path)


@given(st.sampled_from(sorted(set(string.punctuation + string.whitespace) - set("/.,:@%+=-_"))))
def test_restore_path_with_shell_characters_is_refused(character: str) -> None:
    with pytest.raises(InvalidInput, match="restore_path"):
        check_restore_path(f"/srv/{character}data")


def test_plain_restore_path_is_accepted() -> None:
    assert check_restore_path("/srv/dätä-1_%.d") == "/srv/dätä-1_%.d"


@pytest.mark.parametrize("identifier", ["", "a b", "x;y", "../x"])
def test_malformed_id_is_refused(identifier: str) -> None:
    with pytest.raises(InvalidInput, match="OS::Nova::Server"):
        check_identifier("OS::Nova::Server", identifier)
