"""A city names segments of the library, and says only what it has, lacks and seeks."""

from __future__ import annotations

import pytest

from leadscore.city import City, parse_city
from leadscore.city.profile import rings
from leadscore.city.segments import library_segment, library_segments
from leadscore.errors import CityError
from leadscore.files import shipped

ENTRIES = {entry.id: entry for entry in library_segments()}
TEMPLATE = shipped("templates", "city.toml").read_text("utf-8")
CARD = TEMPLATE[TEMPLATE.index("[card]") :]
HEAD = TEMPLATE[: TEMPLATE.index("[[chain]]")]


def profile(chains: str) -> City:
    return parse_city(HEAD + chains + CARD)


SUN = """
[[chain]]
library = "photovoltaics"
[[chain.segment]]
library = "photovoltaics.cell"
supply = "weak"
[[chain.segment]]
library = "photovoltaics.module"
supply = "strong"
"""


def test_the_library_has_the_chains_that_cities_court() -> None:
    chains = {entry.segment.chain_id for entry in ENTRIES.values()}
    assert chains >= {
        *("nev", "photovoltaics", "storage", "pharma", "devices", "materials"),
        *("semiconductors", "machines", "aviation", "food", "textiles", "mobile", "led", "vr"),
    }


def test_edges_of_the_library_lead_to_its_segments_and_make_no_ring() -> None:
    edges = {name: entry.segment.feeds for name, entry in ENTRIES.items()}
    assert [to for targets in edges.values() for to in targets if to not in edges] == []
    assert rings(edges) == []


@pytest.mark.parametrize("name", ENTRIES)
def test_no_word_of_a_segment_stands_in_two_lists(name: str) -> None:
    segment = ENTRIES[name].segment
    words = [*segment.makes, *segment.materials, *segment.equipment, *segment.hints]
    words += segment.excludes
    assert len({word.casefold() for word in words}) == len(words)


def test_what_a_city_does_not_say_comes_from_the_library() -> None:
    city = profile(SUN)
    cell = city.segments["photovoltaics.cell"]
    known = library_segment("photovoltaics.cell").segment
    assert (cell.name, cell.makes, cell.supply) == (known.name, known.makes, 0.25)
    assert cell.feeds == ("photovoltaics.module",)
    # The stations are no business of this city.
    assert city.segments["photovoltaics.module"].feeds == ()


def test_a_city_may_change_what_comes_from_the_library() -> None:
    changes = 'id = "cells"\nname = { zh = "电池", en = "Cells" }\nposition = "upstream"\n'
    changes += 'add = { makes = ["叠层电池"], excludes = ["topcon电池"] }\n'
    changes += 'drop = { makes = ["太阳电池"] }\n'
    city = profile(
        SUN.replace(
            'library = "photovoltaics.cell"\n', f'library = "photovoltaics.cell"\n{changes}'
        )
    )
    cells = city.segments["photovoltaics.cells"]
    assert (cells.name.en, cells.position) == ("Cells", "upstream")
    assert "叠层电池" in cells.makes
    assert "太阳电池" not in cells.makes
    assert "topcon电池" not in cells.makes
    assert "topcon电池" in cells.excludes
    assert cells.feeds == ("photovoltaics.module",)


def test_what_the_library_does_not_know_is_named_with_what_was_meant() -> None:
    wrong = SUN.replace("photovoltaics.cell", "photovoltaics.cel").replace(
        'library = "photovoltaics.module"',
        'library = "photovoltaics.module"\nadd = { make = ["x"] }',
    )
    with pytest.raises(CityError) as caught:
        profile(wrong)
    wanted = [detail.wanted.en for detail in caught.value.details]
    assert len(wanted) == 2
    assert any("photovoltaics.cell?" in text for text in wanted)
    assert any("makes?" in text for text in wanted)
