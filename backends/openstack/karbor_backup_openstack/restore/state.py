"""What a rebuild keeps between its steps, and what a step answers."""

import copy
import re
from typing import Any, Final, Self

import attrs

from karbor_backup_core import BackendError, Check, Json, Progress, Resource
from karbor_backup_openstack.resources import ResourceKind

_IDENTIFIER: Final = re.compile(r"[A-Za-z0-9_-]+")


@attrs.define(kw_only=True)
class RestoreState:
    """The rebuild's part of a receipt: compact, and without a secret.

    Attributes:
        volumes: the id of the new volume of each source volume.
        servers: the same of servers.
        images: the same of images.
        retyped: source volumes whose new type has been asked for.
        unmoved: source volumes that Cinder could not make in their zone.
        anywhere: source servers that are made without their old addresses, since those were
            refused.
        waiting: what is waited for: kind, id, and whether it is to be gone.
        doubts: what could not be brought back as it was, and why, by what it is.
    """

    volumes: dict[str, str] = attrs.field(factory=dict)
    servers: dict[str, str] = attrs.field(factory=dict)
    images: dict[str, str] = attrs.field(factory=dict)
    retyped: list[str] = attrs.field(factory=list)
    unmoved: list[str] = attrs.field(factory=list)
    anywhere: list[str] = attrs.field(factory=list)
    waiting: list[list[Any]] = attrs.field(factory=list)
    doubts: dict[str, str] = attrs.field(factory=dict)

    @classmethod
    def from_document(cls, document: Json) -> Self:
        """Read what ``document`` has written; an empty one is a beginning.

        Raises:
            BackendError: a later version has written it.
        """
        copied: dict[str, Any] = {key: copy.copy(value) for key, value in document.items()}
        try:
            state = cls(**copied)
            state._validate()
        except (TypeError, ValueError) as error:
            raise BackendError(
                f"the receipt's notes cannot be read ({error}): use the version of karbor-backup "
                "that started the operation"
            ) from None
        return state

    def _validate(self) -> None:
        """Raise ``TypeError`` or ``ValueError`` for what no step has written."""
        for ids in (self.volumes, self.servers, self.images, self.doubts):
            if not isinstance(ids, dict) or not all(isinstance(id_, str) for id_ in ids.values()):
                raise TypeError("ids are texts by text")
        for several in (self.retyped, self.unmoved, self.anywhere):
            if not isinstance(several, list) or not all(isinstance(id_, str) for id_ in several):
                raise TypeError("ids are a list of texts")
        for kind, identifier, gone in self.waiting:
            if not isinstance(identifier, str) or not isinstance(gone, bool):
                raise TypeError("what is waited for is a kind, an id, and whether it is to be gone")
            ResourceKind(kind)
        made = (*self.volumes.values(), *self.servers.values(), *self.images.values())
        for identifier in (*made, *(identifier for _, identifier, _ in self.waiting)):
            if not _IDENTIFIER.fullmatch(identifier):
                raise ValueError(f"{identifier!r} is no id")

    def to_document(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {key: value for key, value in attrs.asdict(self).items() if value}

    def wait_for(self, kind: ResourceKind, identifier: str, *, gone: bool = False) -> None:
        """Note that something is waited for until it is settled, or gone."""
        self.waiting.append([kind.value, identifier, gone])

    def created_ids(self) -> frozenset[str]:
        """Return the ids of everything that was made; a volume that was written over was not."""
        made = (*self.volumes.items(), *self.servers.items(), *self.images.items())
        return frozenset(new for source, new in made if new != source)

    def checks(self) -> tuple[Check, ...]:
        """Return what could not be brought back as it was."""
        return tuple(
            Check(name, verified=False, reason=reason) for name, reason in self.doubts.items()
        )


@attrs.frozen
class MemberStatus:
    """How one member stands.

    Attributes:
        restored: the new resource, once it is whole.
        failure: why it cannot become whole, in one line.
    """

    restored: Resource | None = None
    failure: str = ""

    @property
    def is_pending(self) -> bool:
        """Whether it is not over yet."""
        return self.restored is None and not self.failure


PENDING = MemberStatus()


@attrs.frozen
class StepResult:
    """What a step answers.

    Attributes:
        progress: the answer; its receipt is the caller's.
        notes: what to give to the next step.
    """

    progress: Progress
    restore_state: Json
