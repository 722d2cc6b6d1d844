"""The web page: sliders, the picture of the code, and buttons. Every visitor has a state of their own."""

import numpy as np
from fastapi import HTTPException, Response
from nicegui import app, events, run, ui

from kgen import images
from kgen.errors import UsageError
from kgen.explorer.subject import Subject, from_text, to_text

LARGEST = 20_000_000  # bytes of an uploaded picture

REACH, SHOWN = 3.0, 384  # how far a slider reaches, in standard deviations; size of the picture, in pixels


def publish(subject: Subject) -> None:
    """Adds the page and the pictures of a subject to the application.

    - `/`: the page; `?code=...&label=...` opens it at a code.
    - `/picture.png?code=...&label=...`: the picture of a code, as the export's `png` gives it.
    - `/walk.gif?first=...&second=...&label=...`: the interpolation between two codes.
    """

    # The routes have no return annotation: FastAPI would take it for the type of the answer.

    def read(text: str, label: int) -> tuple[np.ndarray, int]:
        try:
            return from_text(text, subject.size), checked(subject, label)
        except UsageError as error:
            raise HTTPException(400, str(error)) from None

    @app.get("/picture.png")
    def picture(code: str, label: int = 0):
        return Response(images.png_bytes(subject.picture(*read(code, label))), media_type="image/png")

    @app.get("/walk.gif")
    def walk(first: str, second: str, label: int = 0):
        ends = [read(code, label)[0] for code in (first, second)]
        return Response(subject.walk(*ends, checked(subject, label)), media_type="image/gif")

    @ui.page("/")
    def index(code: str = "", label: int = 0):
        Page(subject, code, label).build()


def checked(subject: Subject, label: int) -> int:
    """Returns the number of a class; raises UsageError if there is no such class."""
    if not 0 <= label < max(len(subject.classes), 1):
        known = f"from 0 to {len(subject.classes) - 1}" if subject.classes else "0, since this model has no classes"
        raise UsageError(f"label must be {known}.")
    return label


class Page:
    """The page of one visitor.

    Args:
        subject: what the page explores.
        text: the code in the address; an empty text is the centre.
        label: the class in the address.
    """

    def __init__(self, subject: Subject, text: str, label: int) -> None:
        self.subject, self.problem = subject, ""
        try:
            self.base, self.label = from_text(text, subject.size) if text else subject.centre, checked(subject, label)
        except UsageError as error:
            self.base, self.label, self.problem = subject.centre, 0, str(error)
        self.start, self.seed, self.ends = subject.centre, 0, [None, None]
        self.steps = np.zeros(len(subject.directions), np.float32)
        self.sliders = []

    @property
    def code(self) -> np.ndarray:
        """The code that is shown, float32 `(size,)`."""
        return self.subject.moved(self.base, self.steps)

    def build(self) -> None:
        """Builds all elements of the page."""
        ui.page_title(f"{self.subject.name} - kgen")
        ui.label(self.subject.name).classes("text-xl")
        with ui.row().classes("items-start no-wrap"):
            with ui.column():
                self.picture = ui.element("img").props('id="picture" alt="the picture of the code"')
                self.picture.style(
                    f"width: {SHOWN}px; height: {SHOWN}px; object-fit: contain; image-rendering: pixelated"
                )
                with ui.row():
                    ui.button("Random", on_click=self.draw).props('id="random"')
                    ui.button("Reset", on_click=self.reset).props('id="reset"')
                    ui.button("Share", on_click=self.share).props('id="share"')
                with ui.row():
                    ui.button("PNG", on_click=lambda: self.save("picture.png")).props("flat")
                    ui.button("GIF from the middle", on_click=lambda: self.save("walk.gif")).props("flat")
            with ui.column():
                self.choices()
                self.columns()
            if self.subject.autoencoder:
                self.encoders()
        self.show()
        if self.problem:
            ui.notify(self.problem, type="warning")

    def choices(self) -> None:
        """Adds the choice of a class, if there are classes."""
        if self.subject.classes:
            names = dict(enumerate(self.subject.classes))
            ui.select(names, value=self.label, label="class", on_change=self.choose).props('id="class"')

    def columns(self) -> None:
        """Adds a slider for each direction of the subject."""
        words = (
            "numbers of the code" if self.subject.size <= len(self.sliders or self.steps) else "principal directions"
        )
        ui.label(f"{words}, in standard deviations").classes("text-caption")
        with ui.grid(columns=2):
            for number in range(len(self.steps)):
                slider = ui.slider(min=-REACH, max=REACH, step=0.05, value=0)
                slider.on_value_change(lambda event, number=number: self.move(number, event.value))
                slider.props(f'label id="slider{number}"').classes("w-40").style("margin: 6px")
                self.sliders.append(slider)

    def encoders(self) -> None:
        """Adds the upload of two pictures, and a slider that interpolates between their codes."""
        with ui.column():
            for number, words in enumerate(("one picture", "another")):
                upload = ui.upload(label=words, auto_upload=True, max_file_size=LARGEST)
                upload.on_upload(lambda event, number=number: self.receive(number, event))
                upload.classes("w-56")
                if len(self.subject.examples):
                    ui.button(f"or an example for {words}", on_click=lambda _, n=number: self.example(n)).props(
                        "flat dense"
                    )
            ui.label("from one to the other").classes("text-caption")
            self.between = ui.slider(min=0, max=1, step=0.01, value=0, on_change=lambda event: self.mix(event.value))
            self.between.props('label id="between"').classes("w-56")

    def show(self) -> None:
        """Shows the picture of the code."""
        self.picture.props(f'src="{self.address("picture.png")}"')

    def address(self, what: str) -> str:
        """Returns the address of the picture of the code, or of the interpolation from the centre to it."""
        code = (
            f"code={to_text(self.code)}"
            if what == "picture.png"
            else (f"first={to_text(self.start)}&second={to_text(self.code)}")
        )
        return f"/{what}?{code}&label={self.label}"

    def move(self, number: int, value: float) -> None:
        """Sets one slider, in standard deviations, and shows the picture of the new code."""
        self.steps[number] = value
        self.show()

    def draw(self) -> None:
        """Shows the picture of a random code."""
        self.seed += 1
        self.settle(self.subject.random(self.seed, self.label))

    def reset(self) -> None:
        """Shows the centre, with all sliders in the middle."""
        self.settle(self.subject.centre)

    def settle(self, code: np.ndarray) -> None:
        """Shows a code `(size,)` with all sliders in the middle."""
        self.base = code
        for slider in self.sliders:
            slider.value = 0
        self.steps[:] = 0
        self.show()

    def choose(self, event: events.ValueChangeEventArguments) -> None:
        """Shows the picture of the chosen class."""
        self.label = event.value
        self.show()

    def share(self) -> None:
        """Puts the code into the address of the browser, and copies the address to the clipboard."""
        address = f"/?code={to_text(self.code)}&label={self.label}"
        ui.run_javascript(f"history.replaceState(null, '', '{address}'); navigator.clipboard?.writeText(location.href)")
        ui.notify("The address of this page now leads to this picture; it was copied.")

    def save(self, what: str) -> None:
        """Downloads `picture.png`, or `walk.gif`, the animation from the centre to the code."""
        ui.download(self.address(what), what)

    async def receive(self, number: int, event: events.UploadEventArguments) -> None:
        """Takes the code of an uploaded picture for one end of the interpolation, or tells why it cannot be used."""
        try:
            contents = await event.file.read()
            code, _ = await run.io_bound(self.subject.encode, contents)  # other visitors must not wait for a large one
        except UsageError as error:
            return ui.notify(str(error), type="warning")
        self.put(number, code)

    def example(self, number: int) -> None:
        """Takes the code of a random example for one end of the interpolation."""
        self.seed += 1
        chosen = np.random.default_rng(self.seed).integers(len(self.subject.examples))
        self.put(number, self.subject.autoencoder.encode(self.subject.examples[chosen][None])[0])

    def put(self, number: int, code: np.ndarray) -> None:
        """Takes a code `(size,)` for one end of the interpolation, 0 or 1, and shows it."""
        self.ends[number] = code
        self.between.value = number
        self.settle(code)

    def mix(self, share: float) -> None:
        """Shows the picture between both ends; `share` is the part of the second, from 0 to 1."""
        first, second = self.ends
        if first is not None and second is not None:
            self.settle((1 - share) * first + share * second)
