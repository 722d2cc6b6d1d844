"""What the tests of the page ask of it, and what an export answers by itself."""

import io
import urllib.parse
import urllib.request

import numpy as np
import tensorflow as tf
from PIL import Image

from kgen.explorer import visitor
from tests.helpers import servers


def shown(page, selector="#picture"):
    """Returns the address of the picture that is shown."""
    return page.get_attribute(selector, "src")


def after(page, act):
    """Does something, and returns the address of the other picture that is shown then."""
    before = shown(page)
    act()
    page.wait_for_function("before => document.querySelector('#picture').getAttribute('src') != before", arg=before)
    return shown(page)


def asked(source):
    """Returns the parameters of an address."""
    return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(source).query))


def fetched(address, source):
    """Returns a picture of the page as an array."""
    return np.asarray(Image.open(io.BytesIO(urllib.request.urlopen(address + source).read())))


def size(path):
    """Returns how many numbers a code of an export has."""
    return _decoder(path)[1].structured_input_signature[1]["latent"].shape[1]


def code(path, source):
    """Returns the code in the address of a picture."""
    return visitor.from_text(asked(source)["code"], size(path))


def answer(path, codes, label=0):
    """Returns the pictures of codes `(n, size)` that an export gives without kgen, uint8 `(n, height, width)`."""
    _, function = _decoder(path)
    inputs = {"latent": tf.constant(np.float32(codes))}
    if "label" in function.structured_input_signature[1]:
        inputs["label"] = tf.fill([len(codes)], tf.constant(label, tf.int64))
    return np.rint(function(**inputs)["images"].numpy()[..., 0] * 255).astype(np.uint8)


def encoded(path, pixels):
    """Returns the codes that an export gives of uint8 images `(n, height, width, channels)`."""
    return _loaded(path)[1]["encode"](images=tf.constant(pixels / np.float32(255)))["latent"].numpy()


_KEPT = {}


def _loaded(path):
    if path not in _KEPT:
        _KEPT[path] = servers.loaded(path.parents[1], path.parent.name, path.name)
    return _KEPT[path]


def _decoder(path):
    model, signatures = _loaded(path)
    return model, signatures["decode" if "decode" in signatures else "serving_default"]
