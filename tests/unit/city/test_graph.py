"""Walks over small graphs, checked against the plain definition."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from leadscore.city.profile import distances, reverse, rings

NODES = "abcdef"
EDGES = st.fixed_dictionaries({n: st.lists(st.sampled_from(NODES), max_size=3) for n in NODES})


def reaches(edges: dict[str, list[str]], start: str, goal: str) -> bool:
    seen, todo = set(), list(edges[start])
    while todo:
        node = todo.pop()
        if node == goal:
            return True
        if node not in seen:
            seen.add(node)
            todo += edges[node]
    return False


@given(EDGES)
def test_rings_are_found_exactly_where_a_node_reaches_itself(edges: dict[str, list[str]]) -> None:
    found = rings(edges)
    assert bool(found) == any(reaches(edges, node, node) for node in NODES)
    for ring in found:
        assert ring[0] == ring[-1]
        assert all(target in edges[node] for node, target in pairwise(ring))


@given(EDGES, st.sets(st.sampled_from(NODES)))
def test_a_step_changes_the_distance_by_one_at_most(
    edges: dict[str, list[str]], sources: set[str]
) -> None:
    steps = distances(edges, sources)
    assert {node for node, far in steps.items() if far == 0} == sources
    for node, targets in edges.items():
        for target in targets:
            assert (node in steps) == (target in steps)
            if node in steps:
                assert abs(steps[node] - steps[target]) <= 1


@given(EDGES)
def test_turning_a_graph_round_twice_gives_it_back(edges: dict[str, list[str]]) -> None:
    twice = reverse(reverse(edges))
    assert {node: sorted(targets) for node, targets in twice.items()} == {
        node: sorted(targets) for node, targets in edges.items()
    }


def test_a_chain_longer_than_the_stack_is_walked() -> None:
    length = 5_000
    edges = {str(n): [str(n + 1)] for n in range(length)} | {str(length): ["0"]}
    assert len(rings(edges)) == 1
    assert distances(edges, ["0"])["10"] == 10
