"""What a plan's parameters leave out."""

import pytest

from karbor_glue._schemas import VOLUME, VOLUMES_OPTION, fill_defaults

SERVER = {"properties": {VOLUMES_OPTION: {}, "backup_name": {}}, "required": ["backup_name"]}


def test_server_with_volumes_in_the_checkpoint_includes_volumes() -> None:
    assert fill_defaults(SERVER, {}, "nightly", {VOLUME}) == {
        "backup_name": "nightly",
        VOLUMES_OPTION: True,
    }


@pytest.mark.parametrize("within", [(), {"OS::Glance::Image"}])
def test_server_without_volumes_in_the_checkpoint_includes_none(within: set[str]) -> None:
    assert fill_defaults(SERVER, {}, "nightly", within) == {"backup_name": "nightly"}


def test_explicit_option_excludes_the_volumes() -> None:
    given = {VOLUMES_OPTION: False}
    assert fill_defaults(SERVER, given, "nightly", {VOLUME})[VOLUMES_OPTION] is False


def test_option_that_the_backend_lacks_is_not_added() -> None:
    assert fill_defaults({"required": ["restore_name"]}, {}, "again", {VOLUME}) == {
        "restore_name": "again"
    }
