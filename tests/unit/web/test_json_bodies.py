"""What is JSON is read as everybody reads it; a key that stands twice is found however written."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadscore.web.errors import BadJsonError
from leadscore.web.json import parse_json

TEXTS = st.text(st.sampled_from('a:"\\南 ,{}[]\n'), max_size=4)
PLAIN = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | TEXTS
PLAIN |= st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    PLAIN, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4)
)


@given(VALUES, st.booleans(), st.sampled_from([(",", ":"), (", ", " : ")]))
def test_a_json_text_is_read_as_everybody_reads_it(
    value: Any, escaped: bool, separators: tuple[str, str]
) -> None:
    text = json.dumps(value, ensure_ascii=escaped, separators=separators)
    assert parse_json(text.encode()) == value


@given(st.dictionaries(TEXTS, VALUES, min_size=1, max_size=4), VALUES, st.data())
def test_a_key_that_stands_twice_is_found_wherever_colons_are(
    members: dict[str, Any], again: Any, data: st.DataObject
) -> None:
    key = data.draw(st.sampled_from(sorted(members)))
    written = [*members.items(), (key, again)]
    body = ",".join(f"{json.dumps(name)}:{json.dumps(value)}" for name, value in written)
    if data.draw(st.booleans()):  # a colon as an escape, inside of a text
        body += ',"unlike": "\\u003a"'
    with pytest.raises(BadJsonError):
        parse_json(f'{{"firms": [{{{body}}}]}}'.encode())
