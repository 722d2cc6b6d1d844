"""What is said of images that cannot be used."""

import pytest

from kgen.data.bad import BadImages, told

FOUND = [(f"bad{i:02}.png", "unreadable") for i in range(25)]


def test_they_are_an_error_that_names_twenty_and_counts_the_others():
    with pytest.raises(BadImages) as caught:
        told(FOUND, 30, skip=False)
    lines = str(caught.value).splitlines()
    assert lines[0] == "25 of 30 pictures cannot be used:" and lines[20].strip() == "bad19.png: unreadable"
    assert lines[21].strip() == "and 5 more" and "--skip-bad" in lines[22] and len(lines) == 23
    assert (caught.value.found, caught.value.total) == (FOUND, 30)


def test_they_are_a_warning_where_they_are_left_out():
    with pytest.warns(UserWarning, match="3 of 30 pictures are left out") as caught:
        told(FOUND[:3], 30, skip=True)
    assert len(str(caught[0].message).splitlines()) == 4


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("skip", [True, False])
def test_nothing_is_said_of_none(skip):
    told([], 30, skip)
