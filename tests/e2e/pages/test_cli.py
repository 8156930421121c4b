"""What docs/reference/cli.md shows, on a real Freezer API and a scripted cloud."""

import json

from tests.e2e.pages.conftest import Cloud
from tests.pages.blocks import Block

_VOLUME = "5aa119a8-d25b-45a7-8d1b-88e127885635"
_SERVER = "0ae1c1b2-9c5f-4a0b-8f0e-3a4d5e6f7a8b"
_BACKUP = "5f1c"


def test_options_of_an_operation(cloud: Cloud, marked_blocks: list[Block]) -> None:
    (block,) = marked_blocks
    reader = cloud.reader
    configuration = reader.folder.parent / "home" / ".config" / "karbor-backup" / "config.toml"
    configuration.parent.mkdir(parents=True)
    configuration.write_text(
        'backends.freezer.cloud = "production"\n'
        f'backends.freezer.scheduler = "{cloud.scheduler}"\n'
        f'backends.freezer.storages.disk = {{kind = "local", path = "{cloud.storage}"}}\n'
    )
    options = {"backup_name": "web", "include_volumes": True}
    (reader.folder / "options.json").write_text(json.dumps(options))
    reader.words.update({_VOLUME: cloud.volume.id, _SERVER: cloud.server.id})
    printed = ""
    for command in block.commands:
        printed += reader.type(command)
        if "BACKUP" in reader.words:
            reader.words[_BACKUP] = reader.words["BACKUP"][: len(_BACKUP)]
    assert f"protected OS::Cinder::Volume {cloud.volume.id}" in printed
    assert f"restored OS::Cinder::Volume {cloud.volume.id}" in printed
    assert f"protected OS::Nova::Server {cloud.server.id}" in printed
