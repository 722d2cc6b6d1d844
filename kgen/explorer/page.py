"""The page of one visitor: the picture of the code, and cards that move the code."""

from pathlib import Path

import numpy as np
from fastapi import Request
from nicegui import events, run, ui

from kgen.explorer import routes
from kgen.explorer.arithmetic import Arithmetic
from kgen.explorer.browser import VALUE, copy_address, place, remember
from kgen.explorer.comparison import Beside, Classes
from kgen.explorer.decoder import Decoder
from kgen.explorer.plane import Plane
from kgen.explorer.seeds import Seeds
from kgen.explorer.sliders import Sliders
from kgen.explorer.sources import Sources, random_seed
from kgen.explorer.subject import Subject
from kgen.explorer.visitor import Visitor, to_text

FILES = Path(__file__).parent
ABOUT = "The model makes a picture of a code of {size} numbers. Move the code, and the picture follows."


def publish(subject: Subject, others: list[Decoder]) -> None:
    """Adds the page `/` and its pictures to the application.

    Args:
        subject: what the page explores.
        others: models whose pictures of the same codes it shows beside.
    """
    routes.publish(subject, others)

    @ui.page("/")
    def index(request: Request) -> None:
        Page(subject, others, dict(request.query_params)).build()


class Page:
    """The page of one visitor.

    Args:
        subject, others: as in `publish`.
        given: the parameters of the address, see `kgen.explorer.visitor.Visitor`.
    """

    def __init__(self, subject: Subject, others: list[Decoder], given: dict[str, str]) -> None:
        self.subject = subject
        self.visitor = Visitor(subject, given)
        self.origin = "the code of the address" if "code" in given and not self.visitor.problem else "the centre"
        self.sliders = Sliders(self.visitor, self.moved)
        self.plane = Plane(self.visitor, self.moved_in_the_plane)
        self.seeds = Seeds(self.visitor, self.go_to_seed)
        self.arithmetic = Arithmetic(self.visitor, self.settled)
        self.sources = Sources(self.visitor, "page", self.take, lambda words: ui.notify(words, type="warning"))
        self.classes = Classes(self.visitor, self.choose) if subject.classes else None
        self.beside = Beside(self.visitor, others) if others else None

    def build(self) -> None:
        """Builds all elements of the page."""
        ui.page_title(f"{self.subject.name} - kgen")
        ui.colors(primary="#1d4ed8")
        ui.add_css((FILES / "page.css").read_text())
        ui.add_head_html(f"<script>{(FILES / 'page.js').read_text()}</script>")
        ui.on("explorer_key", self.key)
        with ui.element("header"):
            ui.label(self.subject.name).classes("title path")
            ui.label(ABOUT.format(size=self.subject.size)).classes("hint")
        with ui.element("main").classes("board"):
            with ui.element("div").classes("side"):
                self.stage()
                self.settings()
            with ui.element("div").classes("cards"):
                for card in filter(None, (self.beside, self.classes)):
                    card.build()
                for column in ((self.plane, self.seeds), (self.sliders, self.arithmetic)):
                    with ui.element("div").classes("column"):
                        for card in column:
                            card.build()
        self.sliders.show()
        self.plane.show()
        self.show()
        if self.visitor.problem:
            ui.notify(self.visitor.problem, type="warning")

    def stage(self) -> None:
        """Adds the picture, where it is, and what one does most."""
        with ui.element("section").classes("card stage").props('aria-label="Picture"'):
            self.picture = ui.element("img").classes("picture").props('id="picture"')
            with ui.element("div").classes("where"):
                self.caption = ui.label().classes("label").props('id="origin" role="status"')
                self.distance = ui.label().classes("hint").props('id="distance"')
                with ui.row().classes("controls"):
                    ui.button("Random", on_click=self.draw).props('id="random" no-caps unelevated dense')
                    ui.button("Centre", on_click=self.centre).props('id="centre" no-caps unelevated dense')
                    ui.button("Copy link", on_click=self.share).props('id="share" flat no-caps dense')
                ui.label("Keys: R random, C centre.").classes("hint keys")

    def settings(self) -> None:
        """Adds the class, the truncation, other sources of codes, and what can be saved."""
        with ui.element("section").classes("card").props('aria-label="Settings and files"'):
            if self.subject.classes:
                names = dict(enumerate(self.subject.classes))
                chosen = ui.select(names, value=self.visitor.label, label="Class")
                chosen.on_value_change(lambda event: self.choose(event.value)).props('dense id="class"')
                self.chosen = chosen
            ui.label("Truncation").classes("label")
            ui.label("Nearer to the centre, pictures are more alike. 1 is where random codes are.").classes("hint")
            with ui.row().classes("controls"):
                self.truncation = ui.element("input").props('type=range min=0.05 max=1 step=0.05 id="truncation"')
                self.truncation.props('aria-label="Truncation"').classes("grow")
                self.truncation.on("input", self.truncate, throttle=0.04, js_handler=VALUE)
                self.share_shown = ui.label().props('id="truncation-value"')
            if self.subject.autoencoder:
                ui.label("Code of a picture").classes("label")
                with ui.row().classes("controls"):
                    self.sources.build()
            ui.label("Save").classes("label")
            with ui.row().classes("controls"):
                ui.button("Picture (PNG)", on_click=self.save).props('id="save" flat dense no-caps')
                film = ui.button("Way from the centre (GIF)", on_click=self.save_walk)
                film.props('id="save-walk" flat dense no-caps')

    def show(self, but: ui.element | None = None) -> None:
        """Shows the picture of the code and where it is, and writes the state into the address."""
        visitor = self.visitor
        self.picture.props["src"] = f"/picture.png?code={to_text(visitor.code)}&label={visitor.label}"
        self.picture.props["alt"] = f"the picture of the code: {self.origin}"
        self.picture.update()
        self.caption.text = self.origin[0].upper() + self.origin[1:]
        self.distance.text = (
            f"{visitor.distance:.2f} from the centre; random codes: {self.subject.usual:.2f} on average"
        )
        self.share_shown.text = f"{visitor.truncation:.2f}"
        if but is not self.truncation:
            place({"truncation": visitor.truncation})
        self.arithmetic.show(but)
        self.seeds.show()
        for card in (self.classes, self.beside):
            if card:
                card.show()
        remember(visitor)

    def moved(self) -> None:
        """Shows what follows from a slider."""
        self.origin = f"{self.origin.removesuffix(', moved')}, moved"
        self.plane.show()
        self.plane.follow()
        self.show()

    def moved_in_the_plane(self) -> None:
        """Shows what follows from the map, whose pictures stay as they are."""
        self.origin = f"{self.origin.removesuffix(', moved')}, moved"
        self.sliders.show()
        self.show()

    def settled(self, words: str, but: ui.element | None = None) -> None:
        """Shows a code that was gone to; `words` say where it is from, and the slider `but` is left alone."""
        self.origin = words
        self.sliders.show()
        self.plane.show()
        self.plane.follow()
        self.show(but)

    def take(self, code: np.ndarray, words: str) -> None:
        """Goes to a code `(size,)`; `words` say where it is from."""
        self.visitor.settle(code)
        self.settled(words)

    def centre(self) -> None:
        """Goes to the centre."""
        self.take(self.subject.centre, "the centre")

    async def draw(self) -> None:
        """Goes to a seed drawn at random."""
        await self.go_to_seed(random_seed())

    async def go_to_seed(self, seed: int) -> None:
        """Goes to the code of a seed."""
        await run.io_bound(self.visitor.draw, seed)
        self.settled(f"seed {seed}")

    def truncate(self, event: events.GenericEventArguments) -> None:
        """Goes towards the centre or back."""
        self.visitor.truncate(float(np.clip(float(event.args), 0.05, 1)))
        self.settled(self.origin, self.truncation)

    def choose(self, label: int) -> None:
        """Shows another class."""
        if label != self.visitor.label:
            self.visitor.label = label
            self.chosen.value = label
            self.plane.follow()
            self.show()

    async def key(self, event: events.GenericEventArguments) -> None:
        """Does what a key is for, `r` or `c`, see page.js."""
        if event.args == "r":
            await self.draw()
        else:
            self.centre()

    def share(self) -> None:
        """Copies the address of this state to the clipboard."""
        copy_address(self.visitor)
        ui.notify("The address of this page leads to this picture. It was copied.")

    def save(self) -> None:
        """Downloads the picture."""
        visitor = self.visitor
        ui.download(f"/picture.png?code={to_text(visitor.code)}&label={visitor.label}", "picture.png")

    def save_walk(self) -> None:
        """Downloads the animation from the centre to the code and back."""
        first, second = to_text(self.subject.centre), to_text(self.visitor.code)
        ui.download(f"/walk.gif?first={first}&second={second}&label={self.visitor.label}", "from-the-centre.gif")
