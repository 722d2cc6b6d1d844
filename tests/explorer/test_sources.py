"""Uploads in a real browser: the code of a picture, and what is said of a file that is none."""

import io

import numpy as np
import pytest
from PIL import Image

from tests.helpers.explorer import after, code, encoded, shown


def picked(page, button, name, contents):
    """Uploads a file as a visitor does, by a button and the browser's choice of files."""
    with page.expect_file_chooser() as chooser:
        page.click(button)
    chooser.value.set_files({"name": name, "mimeType": "image/png", "buffer": contents})


def png(pixels):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def pixels(vae):
    side = Image.open(io.BytesIO(vae.page.request.get(vae.address + shown(vae.page)).body())).width
    return np.random.default_rng(0).integers(0, 256, (side, side), np.uint8)


def test_an_upload_goes_to_its_code_and_the_sliders_say_where(vae, pixels):
    page, _, path = vae
    source = after(page, lambda: picked(page, "#page-upload", "cat.png", png(pixels)))
    expected = encoded(path, pixels[None, ..., None])[0]
    np.testing.assert_allclose(code(path, source), expected, rtol=1e-5, atol=1e-6)
    assert page.inner_text("#origin") == "Upload cat.png"
    page.wait_for_function("value => document.querySelector('#slider0').value != '0'")
    again = after(page, lambda: picked(page, "#page-upload", "dog.png", png(255 - pixels)))
    expected = encoded(path, 255 - pixels[None, ..., None])[0]
    np.testing.assert_allclose(code(path, again), expected, rtol=1e-5, atol=1e-6)


def test_an_upload_is_remembered_where_it_was_asked_for(vae, pixels):
    page, _, path = vae
    before = shown(page)
    picked(page, "#c-upload", "cat.png", png(pixels))
    page.wait_for_selector("text=upload cat.png")
    source = page.locator("#c").evaluate("tile => tile.style.backgroundImage").split('"')[1]
    expected = encoded(path, pixels[None, ..., None])[0]
    np.testing.assert_allclose(code(path, source), expected, rtol=1e-5, atol=1e-6)
    assert shown(page) == before


@pytest.mark.parametrize(
    "name, contents, words",
    [
        ("broken.png", b"no picture", "This picture cannot be used: unreadable (no JPEG, PNG, WEBP or BMP)."),
        ("large.png", b"x" * 20_000_001, "This file is not a picture of at most 20 MB."),
        ("notes.txt", b"words", "This file is not a picture of at most 20 MB."),
    ],
)
def test_a_file_that_is_no_picture_is_told_and_never_ticked(name, contents, words, vae):
    page = vae.page
    before = shown(page)
    picked(page, "#a-upload", name, contents)
    page.wait_for_selector(f"text={words}")
    assert shown(page) == before
    assert "BytesIO" not in page.content() and "backgroundImage" not in (page.get_attribute("#a", "style") or "")
    assert not page.locator(".q-uploader").first.is_visible()
