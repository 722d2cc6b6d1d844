"""The page in a real browser: what it shows is the export's picture of the code that its sliders say."""

import io
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

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
    for name in ("vae", "acgan"):
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
