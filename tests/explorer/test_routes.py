"""The pictures of the page over HTTP, against a generator of which everything is known."""

import io
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from PIL import Image

from kgen.explorer.subject import CELLS, Subject
from kgen.explorer.visitor import to_text
from tests.helpers.generators import Sums

testclient = pytest.importorskip("starlette.testclient", reason='the page needs pip install -e ".[ui]"')
routes = pytest.importorskip("kgen.explorer.routes", reason='the page needs pip install -e ".[ui]"')
CODE = np.float32([0.5, -0.25, 0.125])


@pytest.fixture
def asked(monkeypatch):
    """A function that publishes subjects in an application of their own; it returns a client."""

    def publish(subject, others=()):
        application = routes.app.__class__.__mro__[1]()  # FastAPI, which NiceGUI's application extends
        monkeypatch.setattr(routes, "app", application)
        routes.publish(subject, list(others))
        return testclient.TestClient(application)

    return publish


def levels(answer):
    """Returns the pixels of a PNG in an answer."""
    assert answer.status_code == 200 and answer.headers["content-type"] == "image/png"
    return np.asarray(Image.open(io.BytesIO(answer.content)))


def test_a_picture_is_of_its_code_its_class_and_its_model(asked):
    class Doubled(Sums):
        def decode(self, codes, label=None):
            return super().decode(2 * codes, label)

    names = ("no", "yes")
    client = asked(Subject("x", Sums(names), None, None), [Subject("y", Doubled(names), None, None)])
    query = f"/picture.png?code={to_text(CODE)}"
    assert levels(client.get(query)).item() == round(255 * 0.375)
    assert levels(client.get(f"{query}&label=1")).item() == round(255 * 0.475)
    assert levels(client.get(f"{query}&model=1")).item() == round(255 * 0.75)
    np.testing.assert_array_equal(
        levels(client.get(f"/classes.png?code={to_text(CODE)}")), [[round(255 * 0.375), round(255 * 0.475)]]
    )


def test_the_plane_has_the_picture_of_each_square(asked):
    subject = Subject("x", Sums(), None, None)
    found = levels(asked(subject).get(f"/plane.png?code={to_text(CODE)}&across=0&up=2"))
    middles = (np.arange(CELLS) - CELLS // 2) * 6 / CELLS
    deviations = np.diag(subject.directions)
    across, up = np.meshgrid(middles * deviations[0], middles[::-1] * deviations[2])
    np.testing.assert_allclose(found, np.clip(across + up + CODE[1], 0, 1) * 255, atol=0.51)


def test_seeds_are_truncated_random_codes_in_order(asked):
    found = levels(asked(Subject("x", Sums(), None, None)).get("/seeds.png?first=7&truncation=0.5"))
    sums = [Sums().latents(seed, 1).sum() / 2 for seed in range(7, 7 + routes.SEEDS)]
    np.testing.assert_allclose(found.ravel(), np.clip(sums, 0, 1) * 255, atol=0.51)
    assert found.shape == (4, 6)


def test_dots_are_the_examples_where_their_codes_are_in_the_colours_of_their_classes():
    drawn = ElementTree.fromstring(routes.drawing(np.array([[1.0, 2.0], [-3.0, 0.5]]), ["red", "blue"]))
    found = [(each.get("cx"), each.get("cy"), each.get("fill")) for each in drawn]
    assert found == [("1.000", "-2.000", "red"), ("-3.000", "-0.500", "blue")]
    assert drawn.get("viewBox") == "-3.0 -3.0 6.0 6.0"
    assert len({routes.colour(number, 10) for number in range(10)}) == 10


def test_a_walk_is_an_animation(asked):
    zero = to_text(0 * CODE)
    answer = asked(Subject("x", Sums(), None, None)).get(f"/walk.gif?first={zero}&second={to_text(CODE)}")
    assert Image.open(io.BytesIO(answer.content)).n_frames > 2 and answer.headers["content-type"] == "image/gif"


@pytest.mark.parametrize(
    "query, status, words",
    [
        ("picture.png?code=abc", 400, "not one of 3 numbers"),
        ("picture.png?code=", 400, "not one of 3 numbers"),
        ("picture.png", 422, "code"),
        (f"picture.png?code={to_text(CODE)}&label=1", 400, "label must be 0"),
        (f"picture.png?code={to_text(CODE)}&label=x", 422, "label"),
        (f"picture.png?code={to_text(CODE)}&model=1", 400, "model must be from 0 to 0"),
        (f"picture.png?code={to_text(CODE)}&model=-1", 400, "model must be from 0 to 0"),
        (f"plane.png?code={to_text(CODE)}&across=3&up=0", 400, "from 0 to 2"),
        (f"plane.png?code={to_text(CODE)}&across=-1&up=0", 400, "from 0 to 2"),
        ("seeds.png?first=-1", 400, "first must be"),
        ("seeds.png?first=9999999999", 400, "first must be"),
        ("seeds.png?first=0&truncation=nan", 400, "truncation from 0 to 1"),
        (f"classes.png?code={to_text(CODE)}", 400, "no classes"),
        (f"walk.gif?first={to_text(CODE)}&second=AAAA", 400, "not one of 3 numbers"),
    ],
)
def test_a_wrong_request_is_told(query, status, words, asked):
    answer = asked(Subject("x", Sums(), None, None)).get(f"/{query}")
    assert answer.status_code == status and words in answer.text
