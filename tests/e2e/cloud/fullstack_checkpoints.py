"""Karbor's fullstack tests of checkpoints, but those of other plugins; in Karbor's environment."""

from fullstack_common import without
from karbor.tests.fullstack import test_checkpoints

CheckpointsTest = without(
    test_checkpoints.CheckpointsTest,
    "test_checkpoint_create",
    "test_server_boot_from_volume_with_attached_volume",
    "test_checkpoint_share_projection",
    "test_checkpoint_volume_snapshot",
)
