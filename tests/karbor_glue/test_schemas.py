"""What a plan's parameters leave out."""

import pytest

from karbor_glue._schemas import VOLUME, VOLUMES_OPTION, fill_defaults

SERVER = {"properties": {VOLUMES_OPTION: {}, "backup_name": {}}, "required": ["backup_name"]}


def test_a_server_is_backed_up_with_its_volumes_that_are_in_the_checkpoint() -> None:
    assert fill_defaults(SERVER, {}, "nightly", {VOLUME}) == {
        "backup_name": "nightly",
        VOLUMES_OPTION: True,
    }


@pytest.mark.parametrize("within", [(), {"OS::Glance::Image"}])
def test_a_server_without_volumes_there_is_not(within: set[str]) -> None:
    assert fill_defaults(SERVER, {}, "nightly", within) == {"backup_name": "nightly"}


def test_who_says_so_keeps_the_volumes_out() -> None:
    given = {VOLUMES_OPTION: False}
    assert fill_defaults(SERVER, given, "nightly", {VOLUME})[VOLUMES_OPTION] is False


def test_a_backend_without_that_option_is_not_given_it() -> None:
    assert fill_defaults({"required": ["restore_name"]}, {}, "again", {VOLUME}) == {
        "restore_name": "again"
    }
