"""Ends of an interpolation are cells of the sheet of samples, counted from 1, and marked on it."""

import numpy as np
import pytest

from kgen.errors import UsageError
from kgen.inference import ends


@pytest.mark.parametrize("text, found", [("3,5", (3, 5)), (" 1 , 64 ", (1, 64))])
def test_a_cell_is_a_row_and_a_column(text, found):
    assert ends.cell(text, "from") == found


@pytest.mark.parametrize("text", ["", "3", "0,1", "1,0", "-1,2", "3;5", "1,2,3", "a,b", "1.5,2", "1,123456"])
def test_what_is_no_cell_is_refused(text):
    with pytest.raises(UsageError, match="^--to must be a row and a column of the sheet of samples, such as 3,5, not"):
        ends.cell(text, "to")


@pytest.mark.parametrize("cell, number", [((1, 1), 0), ((1, 8), 7), ((2, 1), 8), ((8, 8), 63), ((3, 5), 20)])
def test_cells_are_counted_as_the_sheet_is_laid_out(cell, number):
    assert ends.place(cell, "from", 64, 8) == number


@pytest.mark.parametrize("cell", [(1, 9), (9, 1), (3, 3)])
def test_a_cell_outside_of_the_sheet_is_refused(cell):
    words = f"^--from {cell[0]},{cell[1]} lies outside of the sheet, which has [38] rows and [38] columns"
    count, columns = (8, 3) if cell == (3, 3) else (64, 8)
    with pytest.raises(UsageError, match=words):
        ends.place(cell, "from", count, columns)


@pytest.mark.parametrize("channels", [1, 3])
def test_borders_are_blue_and_red_and_what_they_enclose_stays(channels):
    pictures = np.random.default_rng(0).integers(0, 256, (5, 28, 28, channels), np.uint8)
    picture = ends.sheet(pictures.copy(), 3, 4, 0)
    assert picture.shape == (56, 84, 3)
    blue, red = picture[28:, 28:56], picture[:28, :28]
    for cell, colour, number in ((blue, ends.BLUE, 4), (red, ends.RED, 0)):
        for edge in (cell[0], cell[-1], cell[:, 0], cell[:, -1]):
            assert (edge == colour).all()
        np.testing.assert_array_equal(cell[1:-1, 1:-1], np.broadcast_to(pictures[number, 1:-1, 1:-1], (26, 26, 3)))
    np.testing.assert_array_equal(picture[:28, 28:56], np.broadcast_to(pictures[1], (28, 28, 3)))
