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


def test_it_has_a_boot_sector_with_a_partition(image: bytes) -> None:
    bootable, linux = 0x80, 0x83
    assert image[510:512] == b"\x55\xaa"
    assert (image[446], image[450]) == (bootable, linux)
    assert len(image) % 512 == 0


def test_the_text_stands_where_the_guest_looks(image: bytes) -> None:
    assert image[guest.TEXT_OFFSET :].startswith(b"some text\0")


def test_a_text_that_the_guest_would_cut_is_refused() -> None:
    with pytest.raises(SandboxError, match="writes 128 bytes at most, not 129"):
        guest.make_image(Project(ROOT), b"x" * 129, report_nothing)


def test_what_it_found_is_read_from_its_console() -> None:
    assert guest.has_finished(CONSOLE)
    assert guest.parse_texts(CONSOLE) == ["from the image", ""]


def test_a_guest_that_still_looks_has_not_finished() -> None:
    assert not guest.has_finished(CONSOLE.removesuffix("guest: done\r\n"))
