"""The pictures of seeds in a real browser: a click goes to the code that the export draws from that seed."""

import numpy as np
import tensorflow as tf

from tests.helpers import servers
from tests.helpers.explorer import after, answer, code, fetched


def test_a_click_goes_to_the_code_of_that_seed(vae):
    page, address, path = vae
    page.click("#seeds-on")
    page.wait_for_selector("[aria-label='seed 31']")
    source = after(page, lambda: page.click("[aria-label='seed 31']"))
    model, signatures = servers.loaded(path.parents[1], path.parent.name, path.name)
    drawn = signatures["sample"](seed=tf.constant(31, tf.int64), count=tf.constant(1, tf.int64))["latent"].numpy()
    np.testing.assert_array_equal(code(path, source), drawn[0])
    assert page.inner_text("#origin") == "Seed 31"
    page.click("#seeds-back")
    page.click("#seeds-back")
    page.wait_for_selector("text=Seeds 0 to 23")


def test_the_tiles_are_the_pictures_of_the_seeds_in_the_visitors_truncation(vae):
    page, address, path = vae
    page.fill("#truncation", "0.5")
    page.wait_for_function("document.querySelector('#tile9').style.backgroundImage.includes('truncation=0.5')")
    source = page.locator("#tile9").evaluate("tile => tile.style.backgroundImage").split('"')[1]
    sheet = fetched(address, source)
    side = sheet.shape[1] // 6
    there = after(page, lambda: page.click("#tile9"))
    expected = answer(path, code(path, there)[None])[0].astype(int)
    assert abs(sheet[side : 2 * side, 3 * side : 4 * side] - expected).max() <= 1  # row 1, column 3
    assert page.locator("#tile9").evaluate("tile => tile.style.backgroundPosition") == "60% 33.3333%"
