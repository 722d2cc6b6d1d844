"""What the page asks of a real browser: values of inputs as given, and the newest state in the address."""

from urllib.parse import parse_qsl

import pytest

from kgen.explorer.subject import Subject
from kgen.explorer.visitor import Visitor
from tests.helpers.generators import Sums

browser_module = pytest.importorskip("kgen.explorer.browser", reason='the page needs pip install -e ".[ui]"')


@pytest.fixture
def said(monkeypatch):
    """The JavaScript that was sent."""
    found = []
    monkeypatch.setattr(browser_module.ui, "run_javascript", found.append)
    return found


def test_inputs_have_the_values_in_two_digits_and_no_negative_zero(said, vae):
    browser_module.place({"number0": -1.256, "number1": -0.0})
    vae.page.evaluate(said[0])
    assert [vae.page.input_value(f"#number{number}") for number in (0, 1)] == ["-1.26", "0.00"]


def test_the_address_has_the_newest_state(said, vae):
    someone = Visitor(Subject("x", Sums(), None, None), {})
    for seed in (1, 2):
        someone.draw(seed)
        browser_module.remember(someone)
        vae.page.evaluate(said[-1])
    newest = dict(parse_qsl(someone.address))
    vae.page.wait_for_function("code => new URLSearchParams(location.search).get('code') == code", arg=newest["code"])
    someone.draw(3)
    browser_module.copy_address(someone)
    vae.page.evaluate(said[-1])
    assert vae.page.url.partition("?")[2] == someone.address
