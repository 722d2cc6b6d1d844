"""The page in a real browser: the picture, its address, keys, files, a phone, and a server that goes and comes back."""

import io
import urllib.request

import numpy as np
import pytest
from PIL import Image

from kgen.explorer import visitor
from tests.explorer import conftest
from tests.helpers.explorer import after, answer, asked, code, fetched, shown, size


def test_the_picture_is_the_exports_of_the_code(acgan):
    page, address, path = acgan
    for _ in range(2):
        source = after(page, lambda: page.click("#random"))
        expected = answer(path, code(path, source)[None])[0]
        np.testing.assert_array_equal(fetched(address, source), expected)
    loaded = "() => {const p = document.querySelector('#picture'); return p.complete && p.naturalWidth}"
    page.wait_for_function(loaded)
    assert page.evaluate(loaded) == expected.shape[1]


def test_the_address_follows_and_leads_back(vae):
    page, address, path = vae
    centre = shown(page)
    after(page, lambda: page.click("#random"))
    page.click("#a-current")
    page.fill("#truncation", "0.5")
    page.wait_for_function("location.search.includes('a=') && location.search.includes('truncation=0.5')")
    there, url = shown(page), page.url
    assert asked(url)["code"] == asked(there)["code"] and asked(there) != asked(centre)
    other = page.context.new_page()
    other.goto(url)
    other.wait_for_selector("#picture[src]")
    assert shown(other) == there
    assert (other.input_value("#truncation"), other.inner_text("#truncation-value")) == ("0.5", "0.50")
    assert "picture.png" in other.locator("#a").evaluate("button => button.style.backgroundImage")
    other.close()


def test_truncation_scales_the_code(vae):
    page, _, path = vae
    whole = code(path, after(page, lambda: page.click("#random")))
    half = code(path, after(page, lambda: page.fill("#truncation", "0.5")))
    np.testing.assert_allclose(half, whole / 2, rtol=1e-5)


def test_keys_draw_and_go_to_the_centre_but_not_while_one_types(vae):
    page, _, _ = vae
    centre = shown(page)
    page.locator("#map").focus()
    drawn = after(page, lambda: page.keyboard.press("r"))
    assert page.inner_text("#origin").startswith("Seed ")
    page.locator("#number0").focus()
    page.keyboard.press("c")  # which no number field takes either
    page.locator("#slider0").focus()
    assert shown(page) == drawn
    assert after(page, lambda: page.keyboard.press("c")) == centre


def test_saved_files_are_the_picture_and_the_way_from_the_centre(vae):
    page, address, path = vae
    source = after(page, lambda: page.click("#random"))
    with page.expect_download() as saved:
        page.click("#save")
    assert saved.value.suggested_filename == "picture.png"
    expected = answer(path, code(path, source)[None])[0]
    np.testing.assert_array_equal(np.asarray(Image.open(saved.value.path())), expected)
    with page.expect_download() as saved:
        page.click("#save-walk")
    assert saved.value.suggested_filename == "from-the-centre.gif"
    film = Image.open(saved.value.path())
    first = np.asarray(film.convert("L")).astype(int)
    film.seek(film.n_frames // 2)
    last = np.asarray(film.convert("L")).astype(int)
    assert abs(first - answer(path, np.zeros((1, size(path))))[0]).max() <= 1
    assert abs(last - expected).max() <= 1


def test_visitors_have_codes_of_their_own(vae, browser):
    page, address, _ = vae
    before = shown(page)
    other = browser.new_context().new_page()
    other.goto(address)
    other.wait_for_selector("#picture[src]")
    after(other, lambda: other.click("#random"))
    page.wait_for_timeout(300)
    assert shown(page) == before


@pytest.mark.parametrize("query", ["code=abc", "code=%00", "label=-1", "label=x", f"code={'A' * 5000}"], ids=range(5))
def test_a_wrong_address_is_told_and_shows_the_centre(query, vae):
    page, address, path = vae
    centre = shown(page)
    page.goto(f"{address}/?{query}")
    page.wait_for_selector("text=The page shows the centre instead")
    assert shown(page) == centre
    assert urllib.request.urlopen(f"{address}/?{query}").status == 200


def test_on_a_phone_nothing_is_outside_and_the_picture_is_square(vae, browser):
    _, address, _ = vae
    page = browser.new_context(viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True).new_page()
    page.goto(address)
    page.wait_for_selector("#picture[src]")
    page.wait_for_function("document.querySelector('#picture').naturalWidth > 0")
    outside = """() => [...document.querySelectorAll('main, main *')].filter(each => {
        const box = each.getBoundingClientRect();
        return box.width && (box.left < -1 || box.right > innerWidth + 1) && !each.closest('.map');
    }).map(each => each.outerHTML.slice(0, 99))"""
    assert page.evaluate(outside) == []
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    box = page.locator("#picture").bounding_box()
    assert box["width"] == pytest.approx(box["height"], abs=0.5) and box["width"] > 120
    lefts = page.evaluate("[...document.querySelectorAll('.card')].map(each => each.getBoundingClientRect().left)")
    assert len(set(lefts)) == 1  # one column
    page.locator("#sum").scroll_into_view_if_needed()
    top = page.locator("#picture").bounding_box()["y"]
    assert 0 <= top < 100  # it stays in sight


def test_everything_has_a_name(acgan):
    page = acgan.page
    nameless = """() => [...document.querySelectorAll('main button, main input, main img, main [tabindex]')]
        .filter(each => !each.closest('.map *') && !each.closest('[aria-hidden=true]') && each.offsetParent)
        .filter(each => !(each.ariaLabel || each.alt || each.innerText || each.labels?.length))
        .map(each => each.outerHTML.slice(0, 99))"""
    assert page.evaluate(nameless) == []


def test_the_state_comes_back_with_the_server(root, browser):
    port = conftest.free_port()
    flags = ("--saved-model", root / "vae" / "1")
    process = conftest.start(port, *flags)
    page = browser.new_context().new_page()
    try:
        page.goto(f"http://127.0.0.1:{port}")
        page.wait_for_selector("#picture[src]")
        drawn = after(page, lambda: page.click("#random"))
        page.click("#b-current")
        page.wait_for_function("location.search.includes('b=')")
        conftest.stop(process)
        page.wait_for_selector("#popup[aria-hidden=false]", timeout=60_000)
        assert "comes back by itself" in page.inner_text("#popup")
        page.evaluate("window.before = true")
        process = conftest.start(port, *flags)
        page.wait_for_function("!window.before && document.querySelector('#picture')?.src", timeout=120_000)
        assert shown(page) == drawn
        assert asked(page.url)["b"] == asked(drawn)["code"]
        assert after(page, lambda: page.click("#centre")) != drawn  # and it goes on
    finally:
        conftest.stop(process)


def test_a_link_is_copied(vae):
    page = vae.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    drawn = after(page, lambda: page.click("#random"))
    page.click("#share")
    page.wait_for_selector("text=It was copied")
    assert asked(page.evaluate("navigator.clipboard.readText()")) == asked(drawn)


def test_the_first_code_is_the_centre_in_every_place(vae):
    page, address, path = vae
    np.testing.assert_array_equal(code(path, shown(page)), np.zeros(size(path)))
    assert {page.input_value(f"#number{number}") for number in range(size(path))} == {"0.00"}
    assert "left: 50" in page.get_attribute("#mark", "style")
    picture = Image.open(io.BytesIO(urllib.request.urlopen(address + shown(page)).read()))
    np.testing.assert_array_equal(np.asarray(picture), answer(path, np.zeros((1, size(path))))[0])
    assert visitor.to_text(np.zeros(size(path))) == asked(shown(page))["code"]
