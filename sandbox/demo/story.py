"""The story, step by step: protect, lose, restore, compare, verify, delete, look for traces."""

import json
import re
import secrets
import tempfile
from collections import Counter
from pathlib import Path
from typing import Final

import attrs

from sandbox.cloud import Sandbox
from sandbox.demo.comparison import Difference, Tree, counts, differences, read_tree
from sandbox.demo.damage import damage_tree
from sandbox.demo.narrator import Narrator
from sandbox.demo.remains import look
from sandbox.demo.tree import Plan, make_tree, remove_tree

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
class Story:
    """One telling.

    Attributes:
        sandbox: the real Keystone and the real Freezer.
        narrator: tells it.
        work: the directory for data, configuration and store.
    """

    sandbox: Sandbox
    narrator: Narrator
    work: Path

    @property
    def data(self) -> Path:
        """The directory that is protected."""
        return self.work / "data"

    def tell(self) -> None:
        """Tell the whole story.

        Raises:
            MismatchError: something is not as it was, or something was left behind.
            CommandError: a command did not succeed.
        """
        with self.narrator.step("Data that is worth something"):
            before = self._make_data()
        with self.narrator.step("Tell karbor-backup about this Freezer"):
            self._configure()
        with self.narrator.step("Protect it"):
            backup = self._protect()
        with self.narrator.step("Disaster"):
            self._damage(before)
        with self.narrator.step("Restore it"):
            self._restore(backup)
        with self.narrator.step("Compare every byte"):
            self._compare(before)
        with self.narrator.step("Verify the backup, and delete it"):
            self.narrator.run("verify", backup)
            self.narrator.run("delete", backup, "--yes")
        with self.narrator.step("Look for traces"):
            self._look_for_traces()

    def _make_data(self) -> Tree:
        make_tree(self.data, Plan())
        tree = read_tree(self.data)
        size = sum(int(e.content.split()[1]) for e in tree.values() if e.kind == "file")
        found = counts(tree)
        self.narrator.say(f"{self.data}")
        self.narrator.say(
            f"{found['file']:,} files with {size / 1e6:,.0f} MB, {found['folder']} folders, "
            f"{found['link']} links: names with line breaks, quotes, leading dashes and bytes that "
            "are not UTF-8; dangling and circular links; hard links; empty and sparse files"
            f"{'; files that nobody may read' if _has_closed_files(tree) else ''}."
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
        self.narrator.show_file(path)
        self.narrator.environ = {**self.sandbox.environ, "KARBOR_BACKUP_CONFIG": str(path)}
        self.narrator.show_environ()

    def _protect(self) -> str:
        self.narrator.run("protect", _TYPE, str(self.data), "-o", "backup_name=demo")
        (backup,) = json.loads(self.narrator.ask("list", "--json"))["backups"]
        held = look(self.sandbox.session(), self.sandbox.freezer_url, self.sandbox.storage_dir)
        self.narrator.say(
            f"Freezer holds {held.listed['backups']} record, and {held.files} files on its storage."
        )
        return str(backup["id"])

    def _damage(self, before: Tree) -> None:
        for what, count in damage_tree(self.data).items():
            self.narrator.say(f"{count:>4} {what}")
        found = differences(before, read_tree(self.data))
        if not found:
            raise MismatchError("the damage does not show, so the comparison shows nothing")
        self.narrator.say(f"The comparison sees {len(found)} differences: {_summary(found)}.")

    def _restore(self, backup: str) -> None:
        self.narrator.say(
            "Over what is left of it. overwrite=true makes the directory what it was, so what was "
            "added since is removed; without it Freezer refuses a directory that is not empty."
        )
        self.narrator.run("restore", backup, "-o", "restore_name=demo", "-o", "overwrite=true")

    def _compare(self, before: Tree) -> None:
        after = read_tree(self.data)
        found = differences(before, after)
        for difference in found[:20]:
            self.narrator.say(str(difference))
        if found:
            raise MismatchError(f"{len(found)} differences: {_summary(found)}")
        by_kind = counts(after)
        named = sum(1 for entry in after.values() if len(entry.names) > 1)
        self.narrator.say(f"{by_kind['file']:>6,} files: every byte the same (SHA-256, and size)")
        self.narrator.say(f"{by_kind['link']:>6,} links: the same targets")
        self.narrator.say(f"{named:>6,} names of hard-linked files: still the same file")
        self.narrator.say(
            f"{len(after):>6,} modes, owners and times of change (to the second): the same"
        )
        self.narrator.say("     0 missing, 0 extra: what was added is gone")

    def _look_for_traces(self) -> None:
        left = look(self.sandbox.session(), self.sandbox.freezer_url, self.sandbox.storage_dir)
        for name, count in left.listed.items():
            self.narrator.say(f"GET /v2/…/{name}: {count}")
        self.narrator.say(f"files on the storage: {left.files} (empty folders stay)")
        if not left.none:
            raise MismatchError("something of the backup was left behind")

    def clear(self) -> None:
        """Remove what an earlier telling left."""
        remove_tree(self.work)
        self.work.mkdir(parents=True)


def _has_closed_files(tree: Tree) -> bool:
    return any(entry.kind == "file" and not entry.mode & 0o444 for entry in tree.values())


def _summary(found: list[Difference]) -> str:
    return ", ".join(f"{count} {what}" for what, count in Counter(d.what for d in found).items())
