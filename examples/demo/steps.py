"""The steps: protect, lose, restore, compare, verify, delete, look for traces."""

import json
import re
import secrets
import tempfile
from collections import Counter
from pathlib import Path
from typing import Final

import attrs

from examples.demo.console import DemoConsole
from examples.demo.damage import damage_tree
from examples.demo.freezer_contents import read_contents
from examples.demo.sample_tree import TreeSize, make_tree, remove_tree
from examples.demo.tree_diff import Difference, Tree, count_by_kind, diff_trees, read_tree
from sandbox.cloud import Sandbox

_TYPE: Final = "Freezer::FileSystem::Directory"
_AGENT_PATH: Final = re.compile(r"[\w/.,:@%+=-]+")
"""What Freezer's agent can restore to: it gives the path to a shell, unquoted (19.0.0)."""


class MismatchError(Exception):
    """The demonstration did not show what it says."""


def work_folder(root: Path) -> Path:
    """Return where the demonstration works: in the checkout, if the agent can restore there.

    Elsewhere it has a name of its own, since all users and checkouts share the temporary folder.
    """
    folder = root / "demo-work"
    if _AGENT_PATH.fullmatch(str(folder)):
        return folder
    return Path(tempfile.gettempdir()) / f"karbor-backup-demo-{secrets.token_hex(8)}"


@attrs.define
class Demo:
    """One run of the demonstration.

    Attributes:
        sandbox: the real Keystone and the real Freezer.
        console: prints the steps and runs the commands.
        work: the directory for data, configuration and store.
    """

    sandbox: Sandbox
    console: DemoConsole
    work: Path

    @property
    def data(self) -> Path:
        """The directory that is protected."""
        return self.work / "data"

    def run(self) -> None:
        """Run all steps.

        Raises:
            MismatchError: something is not as it was, or something was left behind.
            CommandError: a command did not succeed.
        """
        with self.console.step("Data that is worth something"):
            before = self._create_data()
        with self.console.step("Tell karbor-backup about this Freezer"):
            self._configure()
        with self.console.step("Protect it"):
            backup = self._protect()
        with self.console.step("Disaster"):
            self._damage_data(before)
        with self.console.step("Restore it"):
            self._restore(backup)
        with self.console.step("Compare every byte"):
            self._compare_data(before)
        with self.console.step("Verify the backup, and delete it"):
            self.console.run_command("verify", backup)
            self.console.run_command("delete", backup, "--yes")
        with self.console.step("Look for traces"):
            self._check_nothing_left()

    def _create_data(self) -> Tree:
        make_tree(self.data, TreeSize())
        tree = read_tree(self.data)
        size = sum(int(e.content.split()[1]) for e in tree.values() if e.kind == "file")
        counts = count_by_kind(tree)
        self.console.print_text(f"{self.data}")
        self.console.print_text(
            f"{counts['file']:,} files with {size / 1e6:,.0f} MB, {counts['folder']} folders, "
            f"{counts['link']} links: names with line breaks, quotes, leading dashes and bytes "
            "that are not UTF-8; dangling and circular links; hard links; empty and sparse files"
            f"{'; files that nobody may read' if _has_unreadable_files(tree) else ''}."
        )
        return tree

    def _configure(self) -> None:
        path = self.work / "config.toml"
        path.write_text(
            f"""\
default_backend = "freezer"

[store]
url = "sqlite:///{self.work / "operations.sqlite"}"

[policy]
poll_first = 0.5
poll_limit = "2s"

[backends.freezer]

[backends.freezer.storages.disk]
kind = "local"
path = "{self.sandbox.storage_dir}"
""",
            encoding="utf-8",
        )
        self.console.print_file(path)
        self.console.environ = {**self.sandbox.environ, "KARBOR_BACKUP_CONFIG": str(path)}
        self.console.print_environ()

    def _protect(self) -> str:
        self.console.run_command("protect", _TYPE, str(self.data), "-o", "backup_name=demo")
        (backup,) = json.loads(self.console.read_command("list", "--json"))["backups"]
        contents = read_contents(
            self.sandbox.session(), self.sandbox.freezer_url, self.sandbox.storage_dir
        )
        self.console.print_text(
            f"Freezer holds {contents.listed['backups']} record, "
            f"and {contents.files} files on its storage."
        )
        return str(backup["id"])

    def _damage_data(self, before: Tree) -> None:
        for what, count in damage_tree(self.data).items():
            self.console.print_text(f"{count:>4} {what}")
        differences = diff_trees(before, read_tree(self.data))
        if not differences:
            raise MismatchError("the damage does not show, so the comparison shows nothing")
        self.console.print_text(
            f"The comparison sees {len(differences)} differences: {_summarize(differences)}."
        )

    def _restore(self, backup: str) -> None:
        self.console.print_text(
            "Over what is left of it. overwrite=true makes the directory what it was, so what was "
            "added since is removed; without it Freezer refuses a directory that is not empty."
        )
        self.console.run_command(
            "restore", backup, "-o", "restore_name=demo", "-o", "overwrite=true"
        )

    def _compare_data(self, before: Tree) -> None:
        after = read_tree(self.data)
        differences = diff_trees(before, after)
        for difference in differences[:20]:
            self.console.print_text(str(difference))
        if differences:
            raise MismatchError(f"{len(differences)} differences: {_summarize(differences)}")
        by_kind = count_by_kind(after)
        named = sum(1 for entry in after.values() if len(entry.names) > 1)
        self.console.print_text(
            f"{by_kind['file']:>6,} files: every byte the same (SHA-256, and size)"
        )
        self.console.print_text(f"{by_kind['link']:>6,} links: the same targets")
        self.console.print_text(f"{named:>6,} names of hard-linked files: still the same file")
        self.console.print_text(
            f"{len(after):>6,} modes, owners and times of change (to the second): the same"
        )
        self.console.print_text("     0 missing, 0 extra: what was added is gone")

    def _check_nothing_left(self) -> None:
        left = read_contents(
            self.sandbox.session(), self.sandbox.freezer_url, self.sandbox.storage_dir
        )
        for name, count in left.listed.items():
            self.console.print_text(f"GET /v2/…/{name}: {count}")
        self.console.print_text(f"files on the storage: {left.files} (empty folders stay)")
        if not left.none:
            raise MismatchError("something of the backup was left behind")

    def reset(self) -> None:
        """Remove what an earlier run left."""
        remove_tree(self.work)
        self.work.mkdir(parents=True)


def _has_unreadable_files(tree: Tree) -> bool:
    return any(entry.kind == "file" and not entry.mode & 0o444 for entry in tree.values())


def _summarize(differences: list[Difference]) -> str:
    return ", ".join(
        f"{count} {what}" for what, count in Counter(d.what for d in differences).items()
    )
