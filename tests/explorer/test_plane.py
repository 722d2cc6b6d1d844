"""The map in a real browser: a click, a drag and an arrow key go to the code of that point."""

import io
import re
import urllib.request

import numpy as np
import pytest
from PIL import Image

from kgen.explorer import subject
from tests.helpers.explorer import after, answer, code, fetched, shown, size


@pytest.fixture(scope="module")
def known(root):
    return subject.of(root / "vae" / "1")


def point(page, x, y):
    """Returns a point of the map on the screen; `x`, `y` are from 0 to 1 from its upper left corner."""
    box = page.locator("#map").bounding_box()
    return box["x"] + box["width"] * x, box["y"] + box["height"] * y


def test_a_click_goes_to_the_code_of_that_point_and_its_picture(vae, known):
    page, address, path = vae
    page.wait_for_selector("#map img[src*='plane.png']")
    plane = fetched(address, page.get_attribute("#map img", "src"))
    side = plane.shape[0] // subject.CELLS
    row, column = 1, 8
    source = after(page, lambda: page.mouse.click(*point(page, (column + 0.5) / 11, (row + 0.5) / 11)))
    expected = np.float32([(column - 5) * 6 / 11, (5 - row) * 6 / 11]) @ known.directions[:2]
    np.testing.assert_allclose(code(path, source), expected, atol=0.02)  # a pixel of the screen is 0.015
    there = answer(path, code(path, source)[None])[0].astype(int)
    cell = plane[row * side : (row + 1) * side, column * side : (column + 1) * side]
    assert abs(there - cell).max() <= 3  # for that pixel
    left, top = map(float, re.findall(r"[\d.]+(?=%)", page.get_attribute("#mark", "style")))
    assert (left, top) == pytest.approx((850 / 11, 150 / 11), abs=0.4)


def test_a_drag_is_followed(vae, known):
    page, _, path = vae
    page.mouse.move(*point(page, 0.5, 0.5))
    page.mouse.down()
    sources = [after(page, lambda x=x: page.mouse.move(*point(page, x, 0.25))) for x in (0.6, 0.7, 0.8)]
    page.mouse.up()
    across = [known.coordinates(code(path, source))[0] for source in sources]
    np.testing.assert_allclose(across, [0.6, 1.2, 1.8], atol=0.03)
    last = shown(page)
    page.mouse.move(*point(page, 0.1, 0.9))  # no button is held
    page.wait_for_timeout(300)
    assert shown(page) == last
    page.wait_for_function("Math.abs(document.querySelector('#number0').value - 1.8) < 0.03")


def test_arrow_keys_go_small_and_large_steps(vae, known):
    page, _, path = vae
    page.locator("#map").focus()
    keys = {"ArrowRight": [0.1, 0], "Shift+ArrowRight": [0.6, 0], "Shift+ArrowUp": [0.6, 0.5], "ArrowDown": [0.6, 0.4]}
    for key, where in {**keys, "ArrowLeft": [0.5, 0.4]}.items():
        source = after(page, lambda key=key: page.keyboard.press(key))
        np.testing.assert_allclose(known.coordinates(code(path, source))[:2], where, atol=1e-4)
    assert "now 0.50" in page.get_attribute("#map", "aria-label")


def test_arrow_keys_work_at_once_and_the_page_begins_at_its_top(vae, browser):
    page = browser.new_context(viewport={"width": 768, "height": 400}).new_page()
    page.goto(vae.address)
    page.wait_for_function("document.activeElement.id == 'map'")
    after(page, lambda: page.keyboard.press("ArrowRight"))
    assert page.evaluate("scrollY") == 0 and page.locator("#map").bounding_box()["y"] > 100


def test_the_pictures_of_the_map_are_those_of_the_plane_through_the_code(vae, known):
    page, address, path = vae
    before = page.get_attribute("#map img", "src")
    there = code(path, after(page, lambda: page.click("#random")))
    changed = "before => document.querySelector('#map img').getAttribute('src') != before"
    page.wait_for_function(changed, arg=before)
    plane = fetched(address, page.get_attribute("#map img", "src"))
    expected = answer(path, known.plane(there, 0, 1))
    side = expected.shape[1]
    cells = plane.reshape(11, side, 11, side).swapaxes(1, 2).reshape(121, side, side)
    assert abs(cells.astype(int) - expected).max() <= 1


def test_another_direction_can_be_chosen(vae, known):
    page, _, path = vae
    last = size(path) - 1
    page.click("label:has(#across), #across")
    page.click(f".q-menu >> text=Number {last + 1}")
    page.wait_for_selector(f"#map img[src*='across={last}']")
    if last == 1:  # bottom to top had it, and takes the other
        page.wait_for_selector("#map img[src*='up=0']")
    source = after(page, lambda: page.mouse.click(*point(page, 0.75, 0.5)))
    where = known.coordinates(code(path, source))
    np.testing.assert_allclose(where, np.eye(len(where))[last] * 1.5, atol=0.03)


def test_dots_are_the_codes_of_examples(autoencoder, browser):
    from tests.explorer import conftest

    port = conftest.free_port()
    process = conftest.start(port, "--run", autoencoder)
    try:
        page = browser.new_context().new_page()
        page.goto(f"http://127.0.0.1:{port}")
        page.click("text=Examples")
        page.wait_for_selector("#map img[src*='dots.svg']")
        page.wait_for_function("document.querySelector('#map img').naturalWidth > 0")
        drawn = (
            urllib.request.urlopen(f"http://127.0.0.1:{port}" + page.get_attribute("#map img", "src")).read().decode()
        )
        found = subject.of(autoencoder)
        centres = np.float32([pair.groups() for pair in re.finditer(r'cx="([-\d.]+)" cy="([-\d.]+)"', drawn)])
        np.testing.assert_allclose(centres, found.coordinates(found.encoded)[:, :2] * [1, -1], atol=0.002)
        assert page.locator(".legend").inner_text().split() == list("0123456789")
        assert Image.open(io.BytesIO(page.locator("#map").screenshot())).convert("RGB").getcolors(99_999) is not None
    finally:
        conftest.stop(process)
