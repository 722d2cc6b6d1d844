"""The page in a real browser: what it shows is the export's picture of the code that its sliders say."""

import io
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from kgen import images
from kgen.core import recipe as recipes
from kgen.explorer import subject
from kgen.export.saved_model import export
from tests.helpers import processes, servers
from tests.helpers.recipes import new_trainer, shrink

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("exports")
    for name in ("vae", "acgan", "autoencoder"):
        export(new_trainer(name).best_game(), shrink(recipes.find(name)), 2, root, name)
    return root


def opened(path):
    """Starts scripts/explore.py on an export; returns the process and the page's address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, processes.SCRIPTS / "explore.py", "--saved-model", path, "--port", str(port)]
    plain = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST")}  # NiceGUI heeds it
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=plain)
    address = f"http://127.0.0.1:{port}"
    for _ in range(600):
        try:
            urllib.request.urlopen(address, timeout=5).close()
            return process, address
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            assert process.poll() is None, process.communicate()[1].decode()[-2000:]
            time.sleep(0.1)
    raise AssertionError("the page did not open")


@pytest.fixture(scope="module")
def browser():
    sync_api = pytest.importorskip("playwright.sync_api", reason='a browser is driven by pip install -e ".[browser]"')
    if BROWSER is None:
        pytest.skip("there is no Chromium: apt-get install chromium")
    with sync_api.sync_playwright() as driver:
        found = driver.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture(scope="module", params=["vae", pytest.param("acgan", marks=pytest.mark.slow)])
def page(request, root, browser):
    process, address = opened(root / request.param / "1")
    page = browser.new_context().new_page()
    page.goto(address)
    page.wait_for_selector("#picture[src]")
    yield page, address, root / request.param / "1"
    process.send_signal(signal.SIGINT)
    process.wait(30)


def shown(page):
    return page.get_attribute("#picture", "src")


def pull(page, number, share):
    """Sets a slider to a share of its way; returns what is shown then."""
    before, box = shown(page), page.locator(f"#slider{number}").bounding_box()
    page.mouse.click(box["x"] + box["width"] * share, box["y"] + box["height"] / 2)
    page.wait_for_function("before => document.querySelector('#picture').getAttribute('src') != before", arg=before)
    return shown(page)


def asked(source):
    return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(source).query))


def test_a_slider_moves_and_the_picture_is_the_exports_of_that_code(page):
    page, address, path = page
    first, second = pull(page, 0, 0.9), pull(page, 1, 0.2)
    assert len({first, second}) == 2
    model, signatures = servers.loaded(path.parents[1], path.parent.name, 1)
    function = signatures["decode" if "decode" in signatures else "serving_default"]
    for source in (first, second):
        given = asked(source)
        size = function.structured_input_signature[1]["latent"].shape[1]
        inputs = {"latent": tf.constant(subject.from_text(given["code"], size)[None])}
        if "label" in function.structured_input_signature[1]:
            inputs["label"] = tf.constant([int(given["label"])], tf.int64)
        expected = images.png_bytes(images.to_bytes(function(**inputs)["images"].numpy())[0])
        assert urllib.request.urlopen(address + source).read() == expected
    loaded = page.evaluate("() => {const p = document.querySelector('#picture'); return [p.complete, p.naturalWidth]}")
    assert loaded == [True, Image.open(io.BytesIO(expected)).width]


def test_random_reset_and_share(page):
    page, address, _ = page
    pull(page, 0, 0.7)
    page.click("#reset")
    page.wait_for_timeout(500)
    centre = shown(page)
    page.click("#random")
    page.wait_for_function("before => document.querySelector('#picture').getAttribute('src') != before", arg=centre)
    drawn = shown(page)
    page.click("#share")
    page.wait_for_function("() => location.search.includes('code=')")
    assert asked(page.url) == asked(drawn)
    other = page.context.new_page()
    other.goto(page.url)
    other.wait_for_selector("#picture[src]")
    assert shown(other) == drawn
    other.close()
    page.click("#reset")
    page.wait_for_function("before => document.querySelector('#picture').getAttribute('src') != before", arg=drawn)
    assert shown(page) == centre


@pytest.mark.parametrize("query", ["code=abc", "code=", "code=%00", "label=-1", f"code={'A' * 5000}"], ids=range(5))
def test_a_wrong_address_is_told_and_shows_the_middle(page, query):
    page, address, _ = page
    with pytest.raises(urllib.error.HTTPError) as told:
        urllib.request.urlopen(f"{address}/picture.png?{query}")
    assert told.value.code in (400, 422)
    assert urllib.request.urlopen(f"{address}/?{query}").status == 200


def test_directions_of_a_short_code_are_its_numbers_and_of_a_long_one_the_principal_ones():
    class TrainedAutoencoder:
        size, shape = 3, (2, 2, 1)

        def __init__(self, codes):
            self.codes = codes

        def encode(self, pictures):
            return self.codes

    random = np.random.default_rng(0)
    codes = np.float32(random.normal(size=(500, 3)) * [1, 2, 3] + 5)
    found = subject.Subject("x", None, TrainedAutoencoder(codes), np.zeros((1, 2, 2, 1), np.uint8))
    np.testing.assert_allclose(found.directions, np.diag(codes.std(axis=0)), rtol=1e-5)
    np.testing.assert_allclose(found.centre, codes.mean(axis=0), rtol=1e-5)
    turn = np.linalg.qr(random.normal(size=(40, 40)))[0]
    scales = np.r_[9, 5, np.full(38, 0.1)]
    codes = np.float32((random.normal(size=(2_000, 40)) * scales) @ turn.T)
    found = subject.Subject("x", None, TrainedAutoencoder(codes), np.zeros((1, 2, 2, 1), np.uint8))
    assert found.directions.shape == (subject.SLIDERS, 40)
    np.testing.assert_allclose(np.linalg.norm(found.directions[:2], axis=1), [9, 5], rtol=0.1)
    assert abs(found.directions[0] @ turn[:, 0]) / 9 > 0.99 * np.linalg.norm(found.directions[0]) / 9


def test_an_upload_is_cut_scaled_and_encoded(root):
    found = subject.of(root / "autoencoder" / "1")
    side = found.autoencoder.shape[0]
    pixels = np.random.default_rng(0).integers(0, 256, (side, side), np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    code, seen = found.encode(file.getvalue())
    np.testing.assert_array_equal(seen[..., 0], pixels)
    np.testing.assert_array_equal(code, found.autoencoder.encode(pixels[None, ..., None])[0])
    with pytest.raises(subject.UsageError, match="This picture cannot be used"):
        found.encode(b"no picture")


def test_codes_in_addresses_are_exact():
    code = np.random.default_rng(0).normal(size=7).astype(np.float32)
    np.testing.assert_array_equal(subject.from_text(subject.to_text(code), 7), code)
    assert re.fullmatch(r"[\w-]+", subject.to_text(code))
    for wrong in ("", "A", "?", subject.to_text(code[:6]), subject.to_text(code * np.nan)):
        with pytest.raises(subject.UsageError, match="not one of 7 numbers"):
            subject.from_text(wrong, 7)


def test_scripts_refuse_what_cannot_be_explored(root, tmp_path):
    export(new_trainer("classifier").best_game(), shrink(recipes.find("classifier")), 2, tmp_path, "c")
    with pytest.raises(subject.UsageError, match="neither a generator nor an encoder"):
        subject.of(Path(tmp_path) / "c/1")
