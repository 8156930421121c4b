"""What is in the wheel."""

import zipfile
from pathlib import Path


def test_wheel_contains_the_packages_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names if ".dist-info" not in name}
    assert tops == {
        "karbor_backup_cinder",
        "karbor_backup_cli",
        "karbor_backup_contract",
        "karbor_backup_core",
        "karbor_backup_fake",
        "karbor_backup_freezer",
        "karbor_backup_openstack",
        "karbor_backup_process",
        "karbor_backup_restic",
        "karbor_backup_scale",
        "karbor_glue",
    }
    assert {f"{top}/py.typed" for top in tops} <= set(names)
    assert any(name.endswith("licenses/LICENSE") for name in names)
