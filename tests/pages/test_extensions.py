"""The extension that a page shows is run."""

from datetime import datetime

import pytest

from karbor_backup_core import Backend, InvalidInput, Resource, plan_protect
from tests.pages.blocks import Block
from tests.pages.reader import run_python


def test_extension_of_the_page_refuses_and_measures(marked_blocks: list[Block]) -> None:
    (block,) = marked_blocks
    hour = 12
    extension = run_python(block)["NightOnly"](lambda: datetime(2030, 1, 1, hour))  # noqa: DTZ001 - local time
    backend = Backend.load("lab", "fake", {"cloud": "extension"}, [extension])
    volume = Resource("OS::Cinder::Volume", "volume-1")
    operation = plan_protect(backend, volume, {"backup_name": "nightly"})
    with pytest.raises(InvalidInput, match="volume-1 is protected by night only"):
        backend.call_verb(operation)
    hour = 23
    backend.call_verb(operation)
    assert set(extension.seconds) == {"describe", "scope", "shared_resources", "protect"}
