"""All operations of Karbor over the fake backend, alone and in families."""

from pathlib import Path

from harness import KarborHarness

from karbor_backup_fake import FakeCloud

CHILDREN = {"project-1": ("server-1", "volume-2")}
"""A project with what the fake backend calls the members of its backup."""

MEMBERS = ("project-1", "server-1", "volume-2")


def count_started(cloud: FakeCloud) -> int:
    """How many pieces of work were begun."""
    return sum(cloud.started.values())


def test_protect_restore_verify_delete(harness: KarborHarness) -> None:
    done = harness.protect("volume-2")
    assert (done.status, done.error) == ("available", "")
    assert harness.read_status(done, "volume-2") == "available"
    assert harness.list_objects(done, "volume-2") == {"metadata", "status"}

    restored = harness.restore(done)
    assert restored.error == ""
    (new,) = restored.new_resources.values()
    assert harness.cloud.read_content(new) == harness.cloud.read_content("volume-2")
    assert restored.record.statuses == {f"OS::Cinder::Volume#{new}": "available"}

    verified = harness.verify(done)
    assert verified.error == ""
    assert verified.record.statuses == {"OS::Cinder::Volume#volume-2": "available"}

    deleted = harness.delete(done)
    assert (deleted.status, deleted.error) == ("deleted", "")
    assert harness.list_objects(done, "volume-2") == {"status"}
    assert harness.cloud.copies() == []
    assert harness.cloud.jobs() == []


def test_a_project_with_its_servers_is_backed_up_once(harness: KarborHarness) -> None:
    done = harness.protect("project-1", family=CHILDREN)
    assert (done.status, done.error) == ("available", "")
    assert count_started(harness.cloud) == 1
    assert {harness.read_status(done, each) for each in MEMBERS} == {"available"}
    assert all("metadata" in harness.list_objects(done, each) for each in MEMBERS)


def test_project_is_restored_verified_and_deleted_with_its_members(harness: KarborHarness) -> None:
    done = harness.protect("project-1", family=CHILDREN)
    begun = count_started(harness.cloud)

    restored = harness.restore(done)
    assert restored.error == ""
    assert set(restored.record.statuses.values()) == {"available"}
    assert len(restored.record.statuses) == len(MEMBERS)
    new = restored.new_resources
    assert set(new) == set(MEMBERS)
    assert len(set(new.values()) | set(new)) == 2 * len(MEMBERS)
    assert all(harness.cloud.read_content(new[each]) for each in MEMBERS)
    members_then_itself = 2
    assert count_started(harness.cloud) == begun + members_then_itself

    assert harness.verify(done).error == ""
    assert count_started(harness.cloud) == begun + members_then_itself + 1

    deleted = harness.delete(done)
    assert (deleted.status, deleted.error) == ("deleted", "")
    assert harness.cloud.copies() == []
    assert all(harness.list_objects(done, each) == {"status"} for each in MEMBERS)


def test_resource_outside_the_project_is_backed_up_separately(harness: KarborHarness) -> None:
    done = harness.protect("server-1", family={"server-1": ("volume-2",)})
    assert done.status == "available"
    two_backups = 2
    assert count_started(harness.cloud) == two_backups
    assert len(harness.restore(done).new_resources) == two_backups
    deleted = harness.delete(done)
    assert deleted.status == "deleted"
    assert harness.cloud.copies() == []


def test_images_and_networks_are_covered(harness: KarborHarness) -> None:
    done = harness.protect("image-1", "network-1")
    assert (done.status, done.error) == ("available", "")
    assert count_started(harness.cloud) == 0
    assert harness.restore(done).error == ""
    assert harness.verify(done).error == ""
    assert harness.delete(done).status == "deleted"


def test_one_poll_asks_about_many_resources(harness: KarborHarness) -> None:
    volumes = [f"volume-x{number}" for number in range(200)]
    for each in volumes:
        harness.cloud.add_resource(_make_volume(each))
    harness.cloud.service_seconds = 0.5
    done = harness.protect(*volumes)
    assert done.status == "available"
    a_tenth = len(volumes) // 10
    assert harness.cloud.requests["list_jobs"] < a_tenth
    harness.cloud.service_seconds = 0
    assert harness.delete(done).status == "deleted"


def test_default_names_are_used_when_the_plan_has_none(harness: KarborHarness) -> None:
    done = harness.protect("volume-1")
    metadata = (
        harness.load_checkpoint(done).get_resource_bank_section("volume-1").get_object("metadata")
    )
    assert metadata["backup"]["options"]["backup_name"] == f"{done.checkpoint}@volume-1"
    (new,) = harness.restore(done).new_resources.values()
    assert harness.cloud.inventory.get_asset(new).resource.name == f"{done.checkpoint}@volume-1"


def test_parameters_reach_the_backend(harness: KarborHarness) -> None:
    named = {"OS::Cinder::Volume": {"backup_name": "nightly", "description": None}}
    done = harness.protect("volume-1", parameters=named)
    metadata = (
        harness.load_checkpoint(done).get_resource_bank_section("volume-1").get_object("metadata")
    )
    assert metadata["backup"]["options"] == {"backup_name": "nightly"}
    wanted = {"OS::Cinder::Volume#volume-1": {"restore_name": "again"}}
    (new,) = harness.restore(done, wanted).new_resources.values()
    assert harness.cloud.inventory.get_asset(new).resource.name == "again"


def test_no_secret_is_in_the_bank(harness: KarborHarness, tmp_path: Path) -> None:
    canary = "canary-4711-secret"
    settings = tmp_path / "fake.toml"
    settings.write_text(f'cloud = "{harness.cloud.name}"\ntoken = "{canary}"\n')
    harness.cloud.token = canary
    done = harness.protect("volume-1")
    assert done.status == "available"
    harness.cloud.token = "another"  # noqa: S105 - a canary
    refused = harness.protect("volume-1")
    assert refused.status == "error"
    assert canary not in refused.error
    written = [path.read_bytes() for path in harness.bank.rglob("*") if path.is_file()]
    assert written
    assert not any(canary.encode() in each for each in written)
    harness.cloud.token = canary


def _make_volume(id_: str):  # noqa: ANN202 - a resource of the core
    from karbor_backup_core import Resource

    return Resource("OS::Cinder::Volume", id_, id_)
