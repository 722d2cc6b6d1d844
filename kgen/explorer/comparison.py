"""The same code elsewhere: in all classes of a model, and in the models beside it."""

from collections.abc import Callable

from nicegui import ui

from kgen.explorer.decoder import Decoder
from kgen.explorer.seeds import paint
from kgen.explorer.visitor import Visitor, to_text


class Classes:
    """One code in all classes.

    Args:
        visitor: whose code it is.
        choose: called with the class that was clicked on.
    """

    def __init__(self, visitor: Visitor, choose: Callable[[int], None]) -> None:
        self.visitor, self.choose = visitor, choose

    def build(self) -> None:
        """Adds the card."""
        with ui.element("section").classes("card wide").props('aria-label="Classes"'):
            ui.label("Classes").classes("heading")
            hint = (
                "The same code in each class. Click one to choose it. The model takes whole classes, and no mixtures."
            )
            ui.label(hint).classes("hint")
            self.tiles = []
            with ui.element("div").classes("classes"):
                for number, name in enumerate(self.visitor.subject.classes):
                    with ui.element("div").classes("named"):
                        tile = ui.element("button").classes("tile").props(f'id="class{number}"')
                        tile.props["aria-label"] = f"class {name}"
                        self.tiles.append(tile.on("click", lambda _, number=number: self.choose(number)))
                        ui.label(name)

    def show(self) -> None:
        """Shows the pictures of the code."""
        source = f"/classes.png?code={to_text(self.visitor.code)}"
        for number, tile in enumerate(self.tiles):
            paint(tile, source, number, len(self.tiles), 1)
            tile.props(f"aria-pressed={str(number == self.visitor.label).lower()}")


class Beside:
    """The pictures that several models make of the same code.

    Args:
        visitor: whose code and class they take.
        others: the models beside the one that is explored.
    """

    def __init__(self, visitor: Visitor, others: list[Decoder]) -> None:
        self.visitor, self.models = visitor, [visitor.subject, *others]
        self.pictures = []

    def build(self) -> None:
        """Adds the card."""
        with ui.element("section").classes("card wide").props('aria-label="Comparison"'):
            ui.label("The same code in each model").classes("heading")
            with ui.element("div").classes("beside"):
                for number, model in enumerate(self.models):
                    with ui.element("figure"):
                        picture = ui.element("img").classes("picture").props(f'id="beside{number}"')
                        picture.props["alt"] = f"the picture of the same code by {model.name}"
                        self.pictures.append(picture)
                        ui.label(model.name).classes("path")

    def show(self) -> None:
        """Shows the pictures of the code."""
        query = f"code={to_text(self.visitor.code)}&label={self.visitor.label}"
        for number, picture in enumerate(self.pictures):
            picture.props["src"] = f"/picture.png?{query}&model={number}"
            picture.update()
