"""Sliders and number fields in a real browser: they move the code, and say where it is after anything else moved it."""

import numpy as np
import pytest

from kgen.explorer import subject
from tests.helpers.explorer import after, answer, code, fetched, shown, size


@pytest.fixture(scope="module")
def known(root):
    """The subject that the page has, to ask where a code is."""
    return subject.of(root / "vae" / "1")


def numbers(page):
    """Returns what the number fields say."""
    return [float(each.input_value()) for each in page.locator("input[id^=number]").all()]


def test_a_slider_moves_the_code_and_its_number_follows(vae, known):
    page, address, path = vae
    box = page.locator("#slider0").bounding_box()
    source = after(page, lambda: page.mouse.click(box["x"] + box["width"] * 0.8, box["y"] + box["height"] / 2))
    page.wait_for_function("document.querySelector('#number0').value != '0.00'")
    page.wait_for_function("document.querySelector('#slider0').value != '0'")
    value = float(page.input_value("#number0"))
    assert 1.5 < value < 2.1 and value == float(page.input_value("#slider0"))
    expected = np.float32(value) * known.directions[0]
    np.testing.assert_allclose(code(path, source), expected, rtol=1e-5)
    np.testing.assert_array_equal(fetched(address, source), answer(path, code(path, source)[None])[0])


def test_a_number_that_is_typed_moves_the_code_and_its_slider_follows(vae, known):
    page, _, path = vae
    page.fill("#number1", "-1.25")
    source = after(page, lambda: page.keyboard.press("Enter"))
    np.testing.assert_allclose(code(path, source), np.float32(-1.25) * known.directions[1], rtol=1e-5)
    page.wait_for_function("document.querySelector('#slider1').value == '-1.25'")


def test_a_number_that_is_none_is_told_and_taken_back(vae):
    page = vae.page
    before = shown(page)
    page.fill("#number1", "1000")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=must be a number from -20 to 20")
    page.wait_for_function("document.querySelector('#number1').value == '0.00'")
    assert shown(page) == before


def test_sliders_say_where_a_random_code_is(vae, known):
    page, _, path = vae
    page.fill("#slider0", "3")  # a hand has moved it, which the page itself did not
    source = after(page, lambda: page.click("#random"))
    where = known.coordinates(code(path, source))
    page.wait_for_function(f"document.querySelector('#number0').value == '{where[0]:.2f}'")
    np.testing.assert_allclose(numbers(page), where, atol=0.0051)
    sliders = [float(each.input_value()) for each in page.locator("input[id^=slider]").all()]
    np.testing.assert_allclose(sliders, np.clip(where, -3, 3), atol=0.0051)
    after(page, lambda: page.click("#centre"))
    page.wait_for_function("document.querySelector('#slider0').value == '0'")
    assert numbers(page) == [0] * size(path)


def test_each_slider_has_its_name(vae):
    page, _, path = vae
    names = [each.get_attribute("aria-label") for each in page.locator("input[id^=slider]").all()]
    assert names == [f"Number {number}" for number in range(1, size(path) + 1)]
    assert page.locator(".sliders").inner_text().split("\n")[: len(names)] == names
