"""Which resources of a checkpoint belong to which others."""

from collections.abc import Iterable, Iterator
from typing import Any


def ancestors(graph: Iterable[Any], resource_id: str) -> list[str]:
    """List the ids of all resources that a resource belongs to, the nearest first.

    Args:
        graph: the root nodes of Karbor's resource graph.
        resource_id: whose ancestors.
    """
    parents: dict[str, list[str]] = {}
    for parent, child in _edges(graph):
        known = parents.setdefault(child, [])
        if parent not in known:
            known.append(parent)
    found: list[str] = []
    waiting = list(parents.get(resource_id, ()))
    while waiting:
        nearest = waiting.pop(0)
        if nearest not in found:
            found.append(nearest)
            waiting += parents.get(nearest, ())
    return found


def descendant_types(graph: Iterable[Any], resource_id: str) -> set[str]:
    """Return the types of all resources that belong to a resource.

    Args:
        graph: the root nodes of Karbor's resource graph.
        resource_id: to what they belong.
    """
    found: set[str] = set()
    for node in graph:
        if node.value.id == resource_id:
            found |= {each.type for each in resources_by_id(node.child_nodes).values()}
        else:
            found |= descendant_types(node.child_nodes, resource_id)
    return found


def _edges(nodes: Iterable[Any]) -> Iterator[tuple[str, str]]:
    for node in nodes:
        for child in node.child_nodes:
            yield node.value.id, child.value.id
        yield from _edges(node.child_nodes)


def resources_by_id(graph: Iterable[Any]) -> dict[str, Any]:
    """Return all resources of a graph by id."""
    found: dict[str, Any] = {}
    for node in graph:
        found[node.value.id] = node.value
        found |= resources_by_id(node.child_nodes)
    return found
