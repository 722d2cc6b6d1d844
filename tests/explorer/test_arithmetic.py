"""A - B + C, and the way from A to B, in a real browser."""

import numpy as np
from PIL import Image

from tests.helpers.explorer import after, answer, code, fetched, shown


def remembered(page, name):
    """Returns the address of the picture of a remembered code."""
    page.wait_for_function(f"document.querySelector('#{name}').style.backgroundImage != ''")
    return page.locator(f"#{name}").evaluate("tile => tile.style.backgroundImage").split('"')[1]


def test_three_codes_are_added_and_pictured(vae):
    page, address, path = vae
    assert page.locator("#sum").is_disabled() and page.locator("#between").is_disabled()
    first = after(page, lambda: page.click("#random"))
    page.click("#a-current")
    page.click("#b-seed")
    page.click("#c-seed")
    a, b, c = (code(path, remembered(page, name)) for name in "abc")
    np.testing.assert_array_equal(a, code(path, first))
    np.testing.assert_array_equal(fetched(address, remembered(page, "b")), answer(path, b[None])[0])
    page.wait_for_selector("#sum:not([disabled])")
    source = after(page, lambda: page.click("#sum"))
    np.testing.assert_allclose(code(path, source), a - b + c, rtol=1e-5, atol=1e-6)
    assert page.inner_text("#origin") == "A − B + C"
    assert code(path, after(page, lambda: page.click("#b"))).tolist() == b.tolist()
    assert page.inner_text("#origin").startswith("B: seed ")


def test_the_way_from_a_to_b(vae):
    page, _, path = vae
    page.click("#a-seed")
    page.click("#b-seed")
    a, b = (code(path, remembered(page, name)) for name in "ab")
    page.wait_for_selector("#between:not([disabled])")
    source = after(page, lambda: page.fill("#between", "0.25"))
    np.testing.assert_allclose(code(path, source), 0.75 * a + 0.25 * b, rtol=1e-4, atol=1e-6)
    assert page.inner_text("#origin") == "25% of the way from A to B"
    after(page, lambda: page.click("#b"))
    page.wait_for_function("document.querySelector('#between').value == '1'")  # it says where one is
    with page.expect_download() as saved:
        page.click("#save-between")
    assert saved.value.suggested_filename == "from-a-to-b.gif"
    first = np.asarray(Image.open(saved.value.path()).convert("L")).astype(int)
    assert abs(first - answer(path, a[None])[0]).max() <= 1


def test_an_empty_place_leads_nowhere(vae):
    page = vae.page
    before = shown(page)
    page.click("#c")
    page.wait_for_timeout(300)
    assert shown(page) == before
