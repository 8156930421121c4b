"""Freezer's programs, as a ``/proc`` shows them."""

from pathlib import Path

from karbor_backup_freezer.directories.processes import find_processes, find_scheduler_process


def _write_process(
    proc: Path, pid: int, arguments: list[str], *, uid: int = 1000, **env: str
) -> None:
    folder = proc / str(pid)
    folder.mkdir(parents=True)
    (folder / "cmdline").write_text("\0".join(arguments) + "\0")
    (folder / "status").write_text(
        f"Name:\tx\nUmask:\t0077\nUid:\t{uid}\t{uid}\t{uid}\t{uid}\n"
        "Gid:\t5\t5\t5\t5\nGroups:\t7 8\n"
    )
    (folder / "environ").write_text("\0".join(f"{k}={v}" for k, v in env.items()))
    (folder / "cwd").symlink_to("/var/empty")


def test_a_scheduler_is_found_with_its_user_and_folders(tmp_path: Path) -> None:
    conf = tmp_path / "scheduler.conf"
    conf.write_text("[scheduler]\nclient_id = node9\njobs_dir = /var/jobs\n")
    command = ["/usr/bin/python3", "/opt/bin/freezer-scheduler", f"--config-file={conf}", "start"]
    _write_process(tmp_path / "proc", 7, command, HOME="/home/freezer", TMPDIR="/big/tmp")
    _write_process(tmp_path / "proc", 8, ["/bin/sh", "-c", "true"])
    programs = find_processes(tmp_path / "proc")
    process = find_scheduler_process("node9", programs)
    assert process is not None
    assert (process.uid, process.gid, process.umask) == (1000, 5, 0o077)
    assert process.groups == {7, 8}
    assert dict(process.list_folders()).keys() >= {
        "/home/freezer/.freezer",
        "/var/jobs",
        "/big/tmp",
    }
    assert find_scheduler_process("another", programs) is None


def test_only_scheduler_with_unreadable_configuration_is_used(
    tmp_path: Path,
) -> None:
    command = ["python3", "/opt/bin/freezer-scheduler", "--config-file", "/nowhere", "start"]
    _write_process(tmp_path / "one", 7, command)
    process = find_scheduler_process("node9", find_processes(tmp_path / "one"))
    assert process is not None
    assert process.client_id == ""
    _write_process(tmp_path / "one", 8, command)
    assert find_scheduler_process("node9", find_processes(tmp_path / "one")) is None


def test_schedulers_of_one_name_and_several_users_are_not_used(tmp_path: Path) -> None:
    conf = tmp_path / "scheduler.conf"
    conf.write_text("[scheduler]\nclient_id = node9\n")
    command = ["python3", "/opt/bin/freezer-scheduler", f"--config-file={conf}", "start"]
    _write_process(tmp_path / "proc", 7, command)
    _write_process(tmp_path / "proc", 8, command)
    assert find_scheduler_process("node9", find_processes(tmp_path / "proc")) is not None
    _write_process(tmp_path / "proc", 9, command, uid=0)
    assert find_scheduler_process("node9", find_processes(tmp_path / "proc")) is None


def test_host_without_proc_has_no_schedulers(tmp_path: Path) -> None:
    assert find_processes(tmp_path / "proc") == ()
