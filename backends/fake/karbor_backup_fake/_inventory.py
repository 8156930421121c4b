"""The inventory of the fake cloud: its resources and copies."""

import hashlib
from collections.abc import Iterable

import attrs

from karbor_backup_core import Resource
from karbor_backup_fake._indexes import NestedIndex
from karbor_backup_fake._model import Asset, CloudError, Copy, NotFound


@attrs.define
class Inventory:
    """All resources and copies of a cloud, by id.

    Attributes:
        assets: the resources.
        copies: what the backup service stores.
        reuses_ids: whether a new copy gets the id of one that is gone.
    """

    assets: NestedIndex[Asset] = attrs.field(factory=dict, converter=NestedIndex[Asset])
    copies: NestedIndex[Copy] = attrs.field(factory=dict, converter=NestedIndex[Copy])
    reuses_ids: bool = False
    _last_number: int = 0
    _children: dict[str, list[str]] = attrs.field(factory=dict)
    _freed_ids: list[str] = attrs.field(factory=list)

    def new_id(self, kind: str) -> str:
        """Make an id that was never used, or is free again if ids are reused."""
        freed = [each for each in self._freed_ids if each.startswith(f"{kind}-")]
        if freed and self.reuses_ids:
            self._freed_ids.remove(freed[0])
            return freed[0]
        self._last_number += 1
        return f"{kind}-{self._last_number}"

    def get_asset(self, asset_id: str) -> Asset:
        """Return a resource.

        Raises:
            NotFound: there is none of that id.
        """
        if asset_id not in self.assets:
            raise NotFound(f"the cloud has no resource {asset_id}")
        return self.assets[asset_id]

    def get_copy(self, copy_id: str) -> Copy:
        """Return a copy.

        Raises:
            NotFound: there is none of that id.
        """
        if copy_id not in self.copies:
            raise NotFound(f"the cloud has no copy {copy_id}")
        return self.copies[copy_id]

    def get_complete_copy(self, copy_id: str) -> Copy:
        """Return a copy that was finished.

        Raises:
            NotFound: there is none of that id.
            CloudError: the copy is not complete.
        """
        copy = self.get_copy(copy_id)
        if not copy.complete:
            raise CloudError(f"copy {copy_id} was never finished and cannot be restored")
        return copy

    def create_copy(
        self, asset_id: str, operation: str, vault: str = "", *, incremental: bool = False
    ) -> Copy:
        """Store a copy, not complete yet, of a resource and its members as they are now."""
        parent = self._latest_copy(asset_id, vault) if incremental else ""
        asset = self.get_asset(asset_id)
        copy = Copy(
            id=self.new_id("copy"),
            resource=asset.resource,
            content=asset.content,
            digest=hashlib.sha256(asset.content).hexdigest(),
            members=tuple(
                self.create_copy(member, operation, vault).id for member in asset.members
            ),
            operation=operation,
            vault=vault,
            parent=parent,
        )
        self.copies[copy.id] = copy
        if parent:
            self._children.setdefault(parent, []).append(copy.id)
        return copy

    def replicate(self, copy_id: str, operation: str, vault: str) -> Copy:
        """Store a copy of a copy and of its members, not complete yet, in another vault.

        Raises:
            NotFound: there is no such copy.
            CloudError: the copy is not complete.
        """
        source = self.get_complete_copy(copy_id)
        members = tuple(self.replicate(each, operation, vault).id for each in source.members)
        replica = attrs.evolve(
            source,
            id=self.new_id("copy"),
            members=members,
            operation=operation,
            vault=vault,
            parent="",
            complete=False,
        )
        self.copies[replica.id] = replica
        return replica

    def lose_vault(self, vault: str) -> None:
        """Lose all copies that a vault keeps."""
        for copy_id in [each.id for each in self.copies.values() if each.vault == vault]:
            self.remove_tree(copy_id)

    def dependents(self, copy_id: str) -> list[Copy]:
        """Return the copies that cannot be read without a copy, the latest first."""
        # The id of one that is gone may have been given to another one.
        known = dict.fromkeys(self._children.get(copy_id, ()))
        children = [self.copies[each] for each in known if each in self.copies]
        based = [child for child in children if child.parent == copy_id]
        return [each for child in based[::-1] for each in (*self.dependents(child.id), child)]

    def forget_gone(self) -> None:
        """Forget what is known of copies that are gone."""
        self._freed_ids.clear()
        for copy_id in [each for each in self._children if each not in self.copies]:
            del self._children[copy_id]

    def _latest_copy(self, asset_id: str, vault: str) -> str:
        """Return the id of a vault's latest complete copy of a resource; empty if none is there."""
        whole = (each for each in self.copies.values() if each.complete and each.vault == vault)
        return next((x.id for x in reversed([*whole]) if x.resource.id == asset_id), "")

    def create_restored_asset(
        self,
        copy_id: str,
        operation: str,
        *,
        name: str = "",
        members: Iterable[str] = (),
        in_place: bool,
    ) -> Asset:
        """Make the resource, empty as yet, that a copy is to be restored to.

        Raises:
            NotFound: there is no such copy.
            CloudError: the copy is not complete, or the old resource is still there.
        """
        old = self.get_complete_copy(copy_id).resource
        if in_place and old.id in self.assets:
            raise CloudError(f"{old.id} is still there: remove it, or restore beside it")
        new_id = old.id if in_place else self.new_id(old.type.rpartition("::")[2].lower())
        asset = Asset(
            resource=Resource(type=old.type, id=new_id, name=name or old.name),
            members=tuple(members),
            operation=operation,
        )
        self.assets[new_id] = asset
        return asset

    def copy_tree(self, copy_id: str) -> list[Copy]:
        """Return a copy and all copies inside it; those that are gone are left out."""
        root = self.copies.get(copy_id)
        if root is None:
            return []
        return [root, *(copy for each in root.members for copy in self.copy_tree(each))]

    def remove_tree(self, root_id: str) -> None:
        """Remove a resource or a copy with all that is inside it; what is gone stays gone."""
        if root_id in self.copies:
            self._freed_ids.append(root_id)
        gone = self.assets.pop(root_id, None) or self.copies.pop(root_id, None)
        for member in gone.members if gone else ():
            self.remove_tree(member)

    def ids_made_by(self, operation: str) -> list[str]:
        """Return the ids of what an operation made, without what is inside something else."""
        indexes: tuple[NestedIndex[Asset] | NestedIndex[Copy], ...] = (self.assets, self.copies)
        return [
            id_
            for index in indexes
            for id_ in index.ids_made_by(operation)
            if not any(each.contains_member(id_) for each in indexes)
        ]
