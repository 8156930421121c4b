"""What the services of the scripted cloud have in common: who asks for what, and the answer."""

from collections.abc import Callable, Iterable
from typing import Any, Final

import attrs
from werkzeug.exceptions import BadRequest
from werkzeug.wrappers import Request

from tests.support.scripted_cloud.state import CloudState, FakeResource, ResourceCollection

_NO_FILTERS: Final = frozenset(
    {"all_projects", "all_tenants", "fields", "limit", "marker", "sort", "sort_dir", "sort_key"}
)


@attrs.frozen
class ApiCall:
    """A request.

    Attributes:
        state: what there is.
        request: as it came.
        project: the id of the project that the token is for.
        sees_all: whether the token is an administrator's.
    """

    state: CloudState
    request: Request
    project: str
    sees_all: bool

    @property
    def visible_project(self) -> str | None:
        """The project whose things are seen; None for those of all."""
        return None if self.sees_all else self.project

    def read_body(self, name: str) -> dict[str, Any]:
        """Return the part of that name of the JSON that was sent.

        Raises:
            BadRequest: there is none.
        """
        document = self.request.get_json(force=True)
        if not isinstance(document, dict) or not isinstance(document.get(name), dict):
            raise BadRequest(f"Invalid input for field/attribute {name}.")
        part: dict[str, Any] = document[name]
        return part

    def read_action(self) -> tuple[str, Any]:
        """Return the one action, with its arguments, that was sent."""
        ((name, arguments),) = self.request.get_json(force=True).items()
        return name, arguments

    def list_visible(self, things: ResourceCollection) -> list[FakeResource]:
        """Return the things that were asked for, in pages if that was asked for."""
        viewer = None if self.sees_all and self._is_for_all_projects else self.project
        wanted = {k: v for k, v in self.request.args.items() if k not in _NO_FILTERS}
        resources = [each for each in things.visible_to(viewer) if _matches_filters(each, wanted)]
        ids = [each.id for each in resources]
        if (marker := self.request.args.get("marker")) in ids:
            resources = resources[ids.index(marker) + 1 :]
        return resources[: self.request.args.get("limit", type=int)]

    @property
    def _is_for_all_projects(self) -> bool:
        return bool({"all_projects", "all_tenants"} & set(self.request.args))


Handler = Callable[..., Any]
"""Answers a call with JSON, or with a status and JSON, or with a response."""

Routes = Iterable[tuple[str, str, Handler]]
"""Of each the method, the path, and what answers."""


def _matches_filters(thing: FakeResource, wanted: dict[str, str]) -> bool:
    # What is no field of it is passed over, as Cinder does.
    return all(
        str(thing.shown[field]).casefold() == value.casefold()
        for field, value in wanted.items()
        if field in thing.shown
    )
