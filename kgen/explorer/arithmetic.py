"""Three remembered codes: a - b + c, and the way from a to b."""

from collections.abc import Callable

import numpy as np
from nicegui import events, run, ui

from kgen.explorer.browser import VALUE, place, remember
from kgen.explorer.sources import Sources, random_seed
from kgen.explorer.visitor import TERMS, Visitor, to_text


class Arithmetic:
    """The remembered codes of one visitor.

    Args:
        visitor: whose codes they are.
        settled: called after the code was moved, with words for where it is from and the slider that a hand may hold.
    """

    def __init__(self, visitor: Visitor, settled: Callable[[str, ui.element | None], None]) -> None:
        self.visitor, self.settled = visitor, settled
        self.pictures, self.captions = {}, {}

    def build(self) -> None:
        """Adds the card."""
        with ui.element("section").classes("card arithmetic-card").props('aria-label="Arithmetic"'):
            ui.label("Arithmetic").classes("heading")
            ui.label(
                "Remember three codes, and add to C what distinguishes A from B. Click a picture to go there."
            ).classes("hint")
            with ui.element("div").classes("terms"):
                for name in TERMS:
                    self._term(name)
            with ui.row().classes("controls"):
                self.sum = ui.button("Show A − B + C", on_click=self._add).props('id="sum" no-caps unelevated dense')
            ui.label("From A to B").classes("label")
            with ui.row().classes("controls"):
                self.between = ui.element("input").props('type=range min=0 max=1 step=0.01 id="between"')
                self.between.props('aria-label="From A to B"').classes("grow")
                self.between.on("input", self._mix, throttle=0.04, js_handler=VALUE)
                self.film = ui.button("Save as GIF", on_click=self._save).props('id="save-between" flat dense no-caps')
        for name in self.visitor.terms:
            self.captions[name].text = "remembered"
        self.show()

    def _term(self, name: str) -> None:
        """Adds the picture of one remembered code, and the buttons that change it."""
        with ui.element("div").classes("term"):
            ui.label(name.upper()).classes("letter")
            picture = ui.element("button").classes("tile").props(f'id="{name}" aria-label="Go to {name.upper()}"')
            self.pictures[name] = picture.on("click", lambda: self._go(name))
            self.captions[name] = ui.label("empty").classes("hint caption").props('role="status"')
            current = ui.button("This code", on_click=lambda: self._put(name, self.visitor.code, "from this page"))
            current.props(f'flat dense no-caps id="{name}-current" aria-label="This code for {name.upper()}"')
            seed = ui.button("Random seed", on_click=lambda: self._draw(name))
            seed.props(f'flat dense no-caps id="{name}-seed" aria-label="Random seed for {name.upper()}"')
            tell = self.captions[name].set_text
            Sources(self.visitor, name, lambda code, words: self._put(name, code, words), tell).build()

    async def _draw(self, name: str) -> None:
        """Remembers the code of a seed drawn at random."""
        seed = random_seed()
        code = await run.io_bound(self.visitor.subject.random, seed, self.visitor.label)
        self._put(name, code, f"seed {seed}")

    def _put(self, name: str, code: np.ndarray, words: str) -> None:
        """Remembers a code `(size,)`; `words` say where it is from."""
        self.visitor.terms[name] = code
        self.captions[name].text = words
        self.show()
        remember(self.visitor)

    def _go(self, name: str) -> None:
        """Shows a remembered code."""
        if name in self.visitor.terms:
            self.visitor.settle(self.visitor.terms[name])
            self.settled(f"{name.upper()}: {self.captions[name].text}", None)

    def _add(self) -> None:
        """Shows a - b + c."""
        self.visitor.add()
        self.settled("A − B + C", None)

    def _mix(self, event: events.GenericEventArguments) -> None:
        """Shows the code between a and b."""
        if {"a", "b"} <= self.visitor.terms.keys():
            share = float(np.clip(float(event.args), 0, 1))
            self.visitor.mix(share)
            self.settled(f"{share:.0%} of the way from A to B", self.between)

    def _save(self) -> None:
        """Downloads the animation from a to b."""
        first, second = (to_text(self.visitor.terms[name]) for name in "ab")
        ui.download(f"/walk.gif?first={first}&second={second}&label={self.visitor.label}", "from-a-to-b.gif")

    def show(self, but: ui.element | None = None) -> None:
        """Shows the remembered codes, and where the code is between a and b; the slider `but` is left alone."""
        terms = self.visitor.terms
        for name, code in terms.items():
            source = f"/picture.png?code={to_text(code)}&label={self.visitor.label}"
            self.pictures[name].style(f"background-image: url('{source}'); background-size: 100% 100%")
        self.sum.set_enabled(len(terms) == len(TERMS))
        both = {"a", "b"} <= terms.keys()
        self.film.set_enabled(both)
        self.between.props["disabled"] = not both
        if but is not self.between:
            place({"between": self.visitor.share})
