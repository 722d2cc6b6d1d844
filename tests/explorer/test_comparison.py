"""The same code in all classes and in several models, in a real browser."""

import numpy as np

from tests.helpers.explorer import after, answer, asked, code, fetched, shown


def test_a_class_that_is_clicked_on_is_shown_with_the_same_code(acgan):
    page, address, path = acgan
    first = after(page, lambda: page.click("#random"))
    source = page.locator("#class7").evaluate("tile => tile.style.backgroundImage").split('"')[1]
    second = after(page, lambda: page.click("#class7"))
    assert asked(second) == {**asked(first), "label": "7"}
    expected = np.stack([answer(path, code(path, first)[None], label)[0] for label in range(10)])
    np.testing.assert_array_equal(fetched(address, second), expected[7])
    row = fetched(address, source)
    cells = row.reshape(row.shape[0], 10, -1).swapaxes(0, 1)
    assert abs(cells.astype(int) - expected).max() <= 1
    page.wait_for_selector("#class7[aria-pressed=true]")
    assert page.locator("[aria-pressed=true][id^=class]").count() == 1
    page.wait_for_function("location.search.includes('label=7')")


def test_each_model_shows_its_picture_of_the_code(vae):
    page, address, path = vae
    source = after(page, lambda: page.click("#random"))
    page.wait_for_function("code => document.querySelector('#beside1').src.includes(code)", arg=asked(source)["code"])
    there = code(path, source)[None]
    paths = [path, path.parent / "2"]
    pictures = [fetched(address, shown(page, f"#beside{number}")) for number in (0, 1)]
    for picture, each in zip(pictures, paths, strict=True):
        np.testing.assert_array_equal(picture, answer(each, there)[0])
    assert not np.array_equal(*pictures)
    assert [page.locator(f"#beside{n} + *").inner_text() for n in (0, 1)] == [str(each) for each in paths]
