"""What reaches a terminal."""

from hypothesis import given
from hypothesis import strategies as st

from karbor_backup_cli._formatting import format_amount
from karbor_backup_core import Amount, printable


@given(st.text(st.characters(codec=None)))
def test_no_control_character_reaches_a_terminal(text: str) -> None:
    shown = printable(text)
    assert shown.isprintable()
    shown.encode()


@given(st.text(st.characters(categories=["L", "N", "P", "S", "Zs"])).filter(str.isprintable))
def test_printable_text_is_unchanged(text: str) -> None:
    assert printable(text) == text


def test_amounts_are_written_in_their_unit() -> None:
    assert format_amount(Amount()) == ""
    assert format_amount(Amount(40.0, None, "percent")) == "40%"
    assert format_amount(Amount(3.0, 5.0, "actions")) == "3/5 actions"
    assert format_amount(Amount(1_200_000.0, 4_000_000.0, "bytes")) == "1.2 MB/4.0 MB"
    assert format_amount(Amount(2.0, None, "")) == "2"
