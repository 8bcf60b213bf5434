from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from leadscore.errors import ListError
from leadscore.lists.reading.table import MAX_COLUMNS, OWN_FILE, TextColumns


def test_empty_cells_are_missing_and_all_other_text_stays():
    columns = TextColumns("list.csv", 2)
    columns.add([["甲", ""], ["NA", " "]], [2, 3])
    columns.add([], [])
    columns.add([["null", None]], [5])

    cells, rows = columns.finish()
    assert cells.isna().to_numpy().tolist() == [[False, True], [False, False], [False, True]]
    assert cells[0].tolist() == ["甲", "NA", "null"]
    assert rows.tolist() == [2, 3, 5]
    assert rows.dtype == np.int64
    assert [str(dtype) for dtype in cells.dtypes] == ["str", "str"]


def test_nothing_is_a_frame_of_no_rows():
    cells, rows = TextColumns("list.csv", 3).finish()

    assert cells.shape == (0, 3)
    assert rows.tolist() == []


@pytest.mark.parametrize(
    ("width", "height", "wanted"),
    [
        (1, OWN_FILE.rows + 1, "at most 5,000,000 rows"),
        (MAX_COLUMNS, OWN_FILE.cells // MAX_COLUMNS + 1, "at most 200,000,000 cells"),
    ],
)
def test_a_table_that_grows_too_large_is_refused(width, height, wanted):
    columns = TextColumns("list.csv", width)
    nothing = pa.nulls(height, pa.large_string())

    with pytest.raises(ListError, match="too large to be read at once") as caught:
        columns.add_columns([nothing] * width, range(height))
    assert caught.value.details[0].wanted.en == wanted


def test_too_much_text_is_refused():
    columns = TextColumns("list.csv", 40)
    text = pa.array(["x" * (1 << 26)], pa.large_string())

    with pytest.raises(ListError) as caught:
        columns.add_columns([text] * 40, [1])
    assert caught.value.details[0].got == "> 2,147,483,648"


def test_too_many_columns_are_refused_before_a_row_is_kept():
    with pytest.raises(ListError, match="too many columns"):
        TextColumns("list.csv", MAX_COLUMNS + 1)
