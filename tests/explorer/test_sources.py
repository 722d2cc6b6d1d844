"""Uploads in a real browser: the code of a picture, and what is said of a file that is none."""

import io

import numpy as np
import pytest
from PIL import Image

from tests.helpers.explorer import after, code, encoded, shown


def picked(page, button, file):
    """Uploads a file as a visitor does, by a button and the browser's choice of files."""
    with page.expect_file_chooser() as chooser:
        page.click(button)
    chooser.value.set_files(file)


def png(pixels, path):
    """Writes a picture, and returns its path."""
    Image.fromarray(pixels).save(path)
    return path


@pytest.fixture
def pixels(vae):
    side = Image.open(io.BytesIO(vae.page.request.get(vae.address + shown(vae.page)).body())).width
    return np.random.default_rng(0).integers(0, 256, (side, side), np.uint8)


def test_an_upload_goes_to_its_code_and_the_sliders_say_where(vae, pixels, tmp_path):
    page, _, path = vae
    source = after(page, lambda: picked(page, "#page-upload", png(pixels, tmp_path / "cat.png")))
    expected = encoded(path, pixels[None, ..., None])[0]
    np.testing.assert_allclose(code(path, source), expected, rtol=1e-5, atol=1e-6)
    assert page.inner_text("#origin") == "Upload cat.png"
    page.wait_for_function("value => document.querySelector('#slider0').value != '0'")
    again = after(page, lambda: picked(page, "#page-upload", png(255 - pixels, tmp_path / "dog.png")))
    expected = encoded(path, 255 - pixels[None, ..., None])[0]
    np.testing.assert_allclose(code(path, again), expected, rtol=1e-5, atol=1e-6)


def test_an_upload_is_remembered_where_it_was_asked_for(vae, pixels, tmp_path):
    page, _, path = vae
    before = shown(page)
    picked(page, "#c-upload", png(pixels, tmp_path / "cat.png"))
    page.wait_for_selector("text=upload cat.png")
    source = page.locator("#c").evaluate("tile => tile.style.backgroundImage").split('"')[1]
    expected = encoded(path, pixels[None, ..., None])[0]
    np.testing.assert_allclose(code(path, source), expected, rtol=1e-5, atol=1e-6)
    assert shown(page) == before


@pytest.mark.parametrize(
    "name, size, words",
    [
        ("broken.png", 10, "This picture cannot be used: unreadable (none of JPEG, PNG, WEBP, BMP, TIFF)."),
        ("large.png", 20_000_001, "This file is not a picture of at most 20 MB."),
        ("notes.txt", 10, "This file is not a picture of at most 20 MB."),
    ],
)
def test_a_file_that_is_no_picture_is_told_and_never_ticked(name, size, words, vae, tmp_path):
    page = vae.page
    before = shown(page)
    (tmp_path / name).write_bytes(b"x" * size)
    picked(page, "#a-upload", tmp_path / name)
    page.wait_for_selector(f"text={words}")
    assert shown(page) == before
    assert "BytesIO" not in page.content() and "background-image" not in (page.get_attribute("#a", "style") or "")
    assert not page.locator(".q-uploader").first.is_visible()
