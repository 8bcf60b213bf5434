from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadscore.errors import ListError
from leadscore.lists.reading.csv import find_encoding
from leadscore.lists.reading.table import CHUNK_BYTES, TextBytes

LINE = "深圳某某电子有限公司,电子元器件的研发、生产和销售\n"


def written(folder: Path, content: bytes) -> TextBytes:
    path = folder / "list.csv"
    path.write_bytes(content)
    return TextBytes(path, gzipped=False)


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "gb18030"])
def test_a_character_across_two_pieces_is_no_fault(codec, tmp_path):
    for shift in range(4):
        text = "x" * shift + LINE * (2 * CHUNK_BYTES // len(LINE.encode()))
        found = find_encoding(written(tmp_path, text.encode(codec)))
        assert found.name.lower().replace("-", "")[:4] == codec.replace("-", "")[:4]


def test_the_line_of_a_wrong_byte_is_told_far_into_the_file(tmp_path):
    lines = 3 * CHUNK_BYTES // len(LINE.encode())
    content = (LINE * lines).encode() + b"\xff\xff\n" + LINE.encode()

    with pytest.raises(ListError) as caught:
        find_encoding(written(tmp_path, content))
    assert caught.value.details[0].where == f"list.csv:{lines + 1}"


def test_gb18030_cut_in_the_middle_is_told(tmp_path):
    with pytest.raises(ListError, match="in the middle of a character"):
        find_encoding(written(tmp_path, LINE.encode("gb18030")[:-2]))


def test_utf16_with_half_a_character_is_told(tmp_path):
    with pytest.raises(ListError, match="in the middle of a character"):
        find_encoding(written(tmp_path, LINE.encode("utf-16")[:-1]))


def test_short_gb18030_is_not_taken_for_big5(tmp_path):
    for name in ("深圳甲", "长沙欧电科技", "广东光大集团"):
        found = find_encoding(written(tmp_path, f"name\n{name}\n".encode("gb18030")))
        assert found.name == "GB18030"
        assert [notice.en for notice in found.notices] == ["read as GB18030"]


def test_many_rare_characters_raise_a_doubt(tmp_path):
    content = "name\n" + "鞾韆頀顥餺馞駓騄驞髎鬋鬷魡鮇" * 3 + "\n"
    found = find_encoding(written(tmp_path, content.encode("gb18030")))

    assert [notice.en[:24] for notice in found.notices] == [
        "read as GB18030",
        "Many characters are rare",
    ]


def test_ascii_with_a_few_zero_bytes_is_not_utf16(tmp_path):
    assert find_encoding(written(tmp_path, b"name,x\na\0,b\nc,\0d\ne,\0f\n")).name == "UTF-8"


def test_unpacked_text_beyond_the_limit_is_refused(tmp_path):
    path = tmp_path / "bomb.csv.gz"
    with gzip.open(path, "wb", compresslevel=1) as stream:
        for _ in range(1_100):
            stream.write(b"x\n" * (1 << 19))
    with pytest.raises(ListError, match="too much text") as caught:
        find_encoding(TextBytes(path, gzipped=True))
    assert caught.value.details[0].got == "> 1,073,741,824"


@given(st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), min_size=16, max_size=60))
def test_any_utf8_text_of_hanzi_is_read_as_utf8(tmp_path_factory, text):
    folder = tmp_path_factory.mktemp("any")
    assert find_encoding(written(folder, f"name\n{text}\n".encode())).name == "UTF-8"
