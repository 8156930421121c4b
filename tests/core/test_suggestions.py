"""Which known name was meant: typos, other case, plurals, words cut short."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from karbor_backup_core import closest_name, suggest_known, suggest_name

_KNOWN = ("backup_name", "volume", "RegionOne", "OS::Nova::Server", "site-a")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("backup_nam", "backup_name"),
        ("Backup-Name", "backup_name"),
        ("backupname", "backup_name"),
        ("volumes", "volume"),
        ("VOLUME", "volume"),
        ("vol", "volume"),
        ("regionone", "RegionOne"),
        ("OS::Nova::Sever", "OS::Nova::Server"),
        ("os nova server", "OS::Nova::Server"),
        ("site_a", "site-a"),
    ],
)
def test_closest_name_is_what_was_meant(written: str, meant: str) -> None:
    assert closest_name(written, _KNOWN) == meant
    assert suggest_name(written, _KNOWN) == f"did you mean {meant!r}? "


def test_full_name_is_suggested_for_a_short_one() -> None:
    full_names = {"server": "OS::Nova::Server"}
    assert suggest_name("servr", full_names, full_names) == "did you mean 'OS::Nova::Server'? "


@pytest.mark.parametrize("written", ["", "tape", "x" * 1_000_000])
def test_no_name_is_suggested_where_none_is_similar(written: str) -> None:
    assert closest_name(written, _KNOWN) is None
    assert suggest_name(written, _KNOWN) == ""


def test_a_known_name_is_not_suggested_for_itself() -> None:
    assert suggest_name("volume", ("Volume", *_KNOWN)) == ""


@given(st.text(max_size=120), st.lists(st.text(max_size=20), max_size=8))
def test_suggestion_is_always_a_known_name(written: str, known: list[str]) -> None:
    near = closest_name(written, known)
    assert near is None or near in known


@given(st.lists(st.text(min_size=1, max_size=20), min_size=1, max_size=8), st.data())
def test_name_in_capitals_is_found(known: list[str], data: st.DataObject) -> None:
    meant = data.draw(st.sampled_from(known))
    assert closest_name(meant, known) is not None


@pytest.mark.parametrize(
    ("name", "known", "message"),
    [
        ("labb", ["lab", "site"], "did you mean 'lab'? there are: lab, site"),
        ("elsewhere", ["lab"], "there are: lab"),
        (None, ["lab"], "there are: lab"),
        ("lab", [], "there are: none"),
    ],
)
def test_known_names_follow_the_one_that_was_meant(
    name: object, known: list[str], message: str
) -> None:
    assert suggest_known(name, known) == message
