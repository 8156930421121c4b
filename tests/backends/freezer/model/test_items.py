"""What a protect covers survives JSON, and what is damaged is refused with its place."""

import json

import pytest

from karbor_backup_core import Check, InvalidDocument, Resource
from karbor_backup_freezer.model.items import (
    BackupItem,
    DiscoveryResult,
    Mode,
    StoredItem,
)
from karbor_backup_openstack.server_spec import Attachment, ServerSpec

VOLUME = BackupItem(
    type="OS::Cinder::Volume",
    id="v-1",
    name="data",
    mode=Mode.CINDER,
    size=2**30,
    details={"metadata": {"a": "b"}},
)
DISCOVERY = DiscoveryResult(
    resource=Resource("OS::Nova::Server", "s-1", "web"),
    items=(VOLUME,),
    servers=(
        ServerSpec(
            id="s-1",
            name="web",
            boots_from_volume=True,
            attachments=(Attachment(volume="v-1", boot_index=0, included=True),),
            details={"flavor": {"name": "small"}, "key_name": "key"},
        ),
    ),
    checks=(Check("data volumes", verified=False, reason="not included"),),
)


def test_discovery_result_survives_json() -> None:
    document = json.loads(json.dumps(DISCOVERY.to_document()))
    assert DiscoveryResult.from_document(document) == DISCOVERY


def test_stored_item_survives_json() -> None:
    stored = StoredItem(item=VOLUME, record="r-1", time_stamp=5, native="n", stored=0)
    assert StoredItem.from_document(json.loads(json.dumps(stored.to_document()))) == stored


def test_defaults_are_left_out_of_the_document() -> None:
    item = BackupItem(type="t", id="i", mode=Mode.FS)
    assert item.to_document() == {"type": "t", "id": "i", "mode": "fs"}


def test_missing_or_unknown_field_is_named() -> None:
    document = DISCOVERY.to_document()
    del document["items"][0]["mode"]
    document["more"] = 1
    with pytest.raises(InvalidDocument, match=r"required field missing @ \$\.items\[0\]\.mode"):
        DiscoveryResult.from_document(document)
