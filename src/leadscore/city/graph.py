"""Walks over the directed graph of segments: who feeds whom, how far, and is there a ring."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence

Edges = Mapping[str, Sequence[str]]


def reverse(edges: Edges) -> dict[str, tuple[str, ...]]:
    """Return who feeds each node, in the order of the nodes.

    >>> reverse({"chip": ["lamp"], "lamp": []})
    {'chip': (), 'lamp': ('chip',)}
    """
    feeders: dict[str, list[str]] = {node: [] for node in edges}
    for node, targets in edges.items():
        for target in targets:
            feeders[target].append(node)
    return {node: tuple(found) for node, found in feeders.items()}


def distances(edges: Edges, sources: Iterable[str]) -> dict[str, int]:
    """Return the fewest edges, in either direction, from each node to the nearest source.

    A node that no source can be reached from is left out.

    >>> distances({"wafer": ["chip"], "chip": ["lamp"], "lamp": [], "app": []}, ["lamp"])
    {'lamp': 0, 'chip': 1, 'wafer': 2}
    """
    feeders = reverse(edges)
    found = dict.fromkeys(sources, 0)
    queue = deque(found)
    while queue:
        node = queue.popleft()
        for near in (*edges[node], *feeders[node]):
            if near not in found:
                found[near] = found[node] + 1
                queue.append(near)
    return found


def rings(edges: Edges) -> list[tuple[str, ...]]:
    """Return rings of the graph, each as its nodes in order, first one repeated at the end.

    Every graph that has a ring yields at least one; cutting those found and asking again finds
    the rest. Targets that are no nodes are passed over.

    >>> rings({"a": ["b"], "b": ["c"], "c": ["a"]})
    [('a', 'b', 'c', 'a')]
    """
    found = []
    done: set[str] = set()
    for start in edges:
        if start in done:
            continue
        # Depth first without recursion, so that a long chain can't exhaust the stack.
        path, ways = [start], [iter(edges[start])]
        while path:
            target = next(ways[-1], None)
            if target is None:
                done.add(path.pop())
                ways.pop()
            elif target in path:
                found.append((*path[path.index(target) :], target))
            elif target in edges and target not in done:
                path.append(target)
                ways.append(iter(edges[target]))
    return found
