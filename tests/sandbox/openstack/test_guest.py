"""The guest's image boots as a BIOS wants it to, and what it says is understood."""

import pytest

from sandbox.errors import SandboxError
from sandbox.instance import report_nothing
from sandbox.layout import Project
from sandbox.openstack import guest
from sandbox.pytest_plugin import ROOT

CONSOLE = "SeaBIOS\r\nguest: booted\r\ndisk 0: from the image\r\ndisk 1: \r\nguest: done\r\n"


@pytest.fixture(scope="module")
def image() -> bytes:
    return guest.make_image(Project(ROOT), b"some text", report_nothing)


def test_image_has_a_boot_sector_with_a_partition(image: bytes) -> None:
    bootable, linux = 0x80, 0x83
    assert image[510:512] == b"\x55\xaa"
    assert (image[446], image[450]) == (bootable, linux)
    assert len(image) % 512 == 0


def test_image_has_its_text_at_the_offset_that_the_guest_reads(image: bytes) -> None:
    assert image[guest.TEXT_OFFSET :].startswith(b"some text\0")


def test_text_longer_than_the_guest_prints_is_refused() -> None:
    with pytest.raises(SandboxError, match="writes 128 bytes at most, not 129"):
        guest.make_image(Project(ROOT), b"x" * 129, report_nothing)


def test_texts_are_parsed_from_the_console() -> None:
    assert guest.has_finished(CONSOLE)
    assert guest.parse_texts(CONSOLE) == ["from the image", ""]


def test_console_without_its_last_line_has_not_finished() -> None:
    assert not guest.has_finished(CONSOLE.removesuffix("guest: done\r\n"))
