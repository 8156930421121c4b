"""All operations of Karbor over the fake backend, alone and in families."""

from pathlib import Path

from bench import Bench

from karbor_backup_fake import Cloud

FAMILY = {"project-1": ("server-1", "volume-2")}
"""A project with what the fake backend calls the members of its backup."""

MEMBERS = ("project-1", "server-1", "volume-2")


def verbs(cloud: Cloud) -> int:
    """How many pieces of work were begun."""
    return sum(cloud.started.values())


def test_protect_restore_verify_delete(bench: Bench) -> None:
    done = bench.protect("volume-2")
    assert (done.status, done.error) == ("available", "")
    assert bench.status(done, "volume-2") == "available"
    assert bench.objects(done, "volume-2") == {"metadata", "status"}

    restored = bench.restore(done)
    assert restored.error == ""
    (new,) = restored.new_resources.values()
    assert bench.cloud.content(new) == bench.cloud.content("volume-2")
    assert restored.record.statuses == {f"OS::Cinder::Volume#{new}": "available"}

    verified = bench.verify(done)
    assert verified.error == ""
    assert verified.record.statuses == {"OS::Cinder::Volume#volume-2": "available"}

    deleted = bench.delete(done)
    assert (deleted.status, deleted.error) == ("deleted", "")
    assert bench.objects(done, "volume-2") == {"status"}
    assert bench.cloud.copies() == []
    assert bench.cloud.jobs() == []


def test_a_project_with_its_servers_is_backed_up_once(bench: Bench) -> None:
    done = bench.protect("project-1", family=FAMILY)
    assert (done.status, done.error) == ("available", "")
    assert verbs(bench.cloud) == 1
    assert {bench.status(done, each) for each in MEMBERS} == {"available"}
    assert all("metadata" in bench.objects(done, each) for each in MEMBERS)


def test_members_are_restored_verified_and_deleted_with_the_whole(bench: Bench) -> None:
    done = bench.protect("project-1", family=FAMILY)
    begun = verbs(bench.cloud)

    restored = bench.restore(done)
    assert restored.error == ""
    assert set(restored.record.statuses.values()) == {"available"}
    assert len(restored.record.statuses) == len(MEMBERS)
    new = restored.new_resources
    assert set(new) == set(MEMBERS)
    assert len(set(new.values()) | set(new)) == 2 * len(MEMBERS)
    assert all(bench.cloud.content(new[each]) for each in MEMBERS)
    members_then_itself = 2
    assert verbs(bench.cloud) == begun + members_then_itself

    assert bench.verify(done).error == ""
    assert verbs(bench.cloud) == begun + members_then_itself + 1

    deleted = bench.delete(done)
    assert (deleted.status, deleted.error) == ("deleted", "")
    assert bench.cloud.copies() == []
    assert all(bench.objects(done, each) == {"status"} for each in MEMBERS)


def test_a_resource_that_is_no_member_is_backed_up_on_its_own(bench: Bench) -> None:
    done = bench.protect("server-1", family={"server-1": ("volume-2",)})
    assert done.status == "available"
    two_backups = 2
    assert verbs(bench.cloud) == two_backups
    assert len(bench.restore(done).new_resources) == two_backups
    deleted = bench.delete(done)
    assert deleted.status == "deleted"
    assert bench.cloud.copies() == []


def test_images_and_networks_are_covered(bench: Bench) -> None:
    done = bench.protect("image-1", "network-1")
    assert (done.status, done.error) == ("available", "")
    assert verbs(bench.cloud) == 0
    assert bench.restore(done).error == ""
    assert bench.verify(done).error == ""
    assert bench.delete(done).status == "deleted"


def test_many_resources_are_polled_for_at_once(bench: Bench) -> None:
    volumes = [f"volume-x{number}" for number in range(200)]
    for each in volumes:
        bench.cloud.put(_volume(each))
    bench.cloud.service_seconds = 0.5
    done = bench.protect(*volumes)
    assert done.status == "available"
    a_tenth = len(volumes) // 10
    assert bench.cloud.requests["list_jobs"] < a_tenth
    bench.cloud.service_seconds = 0
    assert bench.delete(done).status == "deleted"


def test_names_that_a_plan_leaves_out_are_given(bench: Bench) -> None:
    done = bench.protect("volume-1")
    metadata = bench.checkpoint(done).get_resource_bank_section("volume-1").get_object("metadata")
    assert metadata["backup"]["options"]["backup_name"] == f"{done.checkpoint}@volume-1"
    (new,) = bench.restore(done).new_resources.values()
    assert bench.cloud.inventory.asset(new).resource.name == f"{done.checkpoint}@volume-1"


def test_parameters_are_given_to_the_backend(bench: Bench) -> None:
    named = {"OS::Cinder::Volume": {"backup_name": "nightly", "description": None}}
    done = bench.protect("volume-1", parameters=named)
    metadata = bench.checkpoint(done).get_resource_bank_section("volume-1").get_object("metadata")
    assert metadata["backup"]["options"] == {"backup_name": "nightly"}
    wanted = {"OS::Cinder::Volume#volume-1": {"restore_name": "again"}}
    (new,) = bench.restore(done, wanted).new_resources.values()
    assert bench.cloud.inventory.asset(new).resource.name == "again"


def test_no_secret_is_in_the_bank(bench: Bench, tmp_path: Path) -> None:
    canary = "canary-4711-secret"
    settings = tmp_path / "fake.toml"
    settings.write_text(f'cloud = "{bench.cloud.name}"\ntoken = "{canary}"\n')
    bench.cloud.token = canary
    done = bench.protect("volume-1")
    assert done.status == "available"
    bench.cloud.token = "another"  # noqa: S105 - a canary
    refused = bench.protect("volume-1")
    assert refused.status == "error"
    assert canary not in refused.error
    written = [path.read_bytes() for path in bench.bank.rglob("*") if path.is_file()]
    assert written
    assert not any(canary.encode() in each for each in written)
    bench.cloud.token = canary


def _volume(id_: str):  # noqa: ANN202 - a resource of the core
    from karbor_backup_core import Resource

    return Resource("OS::Cinder::Volume", id_, id_)
