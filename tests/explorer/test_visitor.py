"""A visitor's state: where each act leads, and an address that leads back to it."""

import re
from urllib.parse import parse_qsl

import numpy as np
import pytest

from kgen.errors import UsageError
from kgen.explorer import visitor
from kgen.explorer.subject import Subject
from tests.helpers.generators import Sums


@pytest.fixture(scope="module")
def subject():
    return Subject("x", Sums(), None, None)


@pytest.fixture
def someone(subject):
    return visitor.Visitor(subject, {})


def test_a_visitor_begins_at_the_centre(someone, subject):
    np.testing.assert_array_equal(someone.code, subject.centre)
    assert (someone.label, someone.truncation, someone.terms, someone.problem) == (0, 1, {}, "")
    assert not someone.steps.any() and someone.distance == 0


def test_moves_are_standard_deviations_from_the_centre_and_exact_to_go_back(someone, subject):
    someone.draw(3)
    start, steps = someone.code, someone.steps
    someone.move({1: 2.0})
    np.testing.assert_allclose(someone.steps, [steps[0], 2, steps[2]], rtol=1e-6)
    deviation = Sums().latents(0, 512)[:, 1].std()
    np.testing.assert_allclose(someone.code, [start[0], 2 * deviation, start[2]], rtol=1e-5)
    someone.move({1: steps[1]})
    np.testing.assert_array_equal(someone.code, start)


@pytest.mark.parametrize("value", ["", "abc", "nan", "inf", 20.1, -1e9, None])
def test_a_number_that_is_none_leaves_the_code(value, someone):
    someone.draw(3)
    before = someone.code
    with pytest.raises(UsageError, match="Number 2 must be a number from -20 to 20"):
        someone.move({1: value})
    np.testing.assert_array_equal(someone.code, before)


def test_truncation_scales_the_way_from_the_centre_and_stays_for_the_next_seed(someone, subject):
    someone.draw(3)
    whole = someone.code
    someone.truncate(0.5)
    np.testing.assert_allclose(someone.code, whole / 2, rtol=1e-6)
    someone.draw(4)
    np.testing.assert_allclose(someone.code, Sums().latents(4, 1)[0] / 2, rtol=1e-6)
    someone.truncate(1)
    np.testing.assert_allclose(someone.code, Sums().latents(4, 1)[0], rtol=1e-6)


def test_arithmetic_and_the_way_between(someone):
    a, b, c = np.float32([[1, 0, 0], [0, 1, 0], [0, 0, 5]])
    someone.terms = {"a": a, "b": b, "c": c}
    someone.add()
    np.testing.assert_array_equal(someone.code, [1, -1, 5])
    someone.mix(0.25)
    np.testing.assert_array_equal(someone.code, [0.75, 0.25, 0])
    assert someone.share == 0.25
    for code, share in ((a, 0), (b, 1), (c, 0.5), (3 * b, 1)):  # c is as far from a as from b
        someone.settle(code)
        assert someone.share == pytest.approx(share)


def test_an_address_leads_back(someone, subject):
    someone.truncate(0.75)
    someone.draw(5)
    someone.move({0: 1.5})
    someone.terms["b"] = np.float32([1, 2, 3])
    again = visitor.Visitor(subject, dict(parse_qsl(someone.address)))
    np.testing.assert_array_equal(again.code, someone.code)
    np.testing.assert_array_equal(again.terms["b"], [1, 2, 3])
    assert (again.truncation, again.problem, again.terms.keys()) == (0.75, "", {"b"})


@pytest.mark.parametrize(
    "given, words",
    [
        ({"code": "abc"}, "not one of 3 numbers"),
        ({"a": "%00"}, "not one of 3 numbers"),
        ({"label": "1"}, "label must be 0, since this model has no classes"),
        ({"label": "x"}, "label must be a number"),
        ({"truncation": "0"}, "truncation must be a number from 0.05 to 1"),
        ({"truncation": "nan"}, "truncation must be a number"),
    ],
)
def test_a_wrong_address_is_told_and_leads_to_the_centre(given, words, subject):
    code = visitor.to_text(np.float32([1, 2, 3]))
    found = visitor.Visitor(subject, {"code": code, **given})
    assert words in found.problem and not found.code.any() and found.label == 0 and not found.terms


def test_codes_in_addresses_are_exact():
    code = np.random.default_rng(0).normal(size=7).astype(np.float32)
    np.testing.assert_array_equal(visitor.from_text(visitor.to_text(code), 7), code)
    assert re.fullmatch(r"[\w-]+", visitor.to_text(code))
    for wrong in ("", "A", "?", visitor.to_text(code[:6]), visitor.to_text(code * np.nan)):
        with pytest.raises(UsageError, match="not one of 7 numbers"):
            visitor.from_text(wrong, 7)
