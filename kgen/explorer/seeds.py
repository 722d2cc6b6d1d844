"""The pictures of seeds, side by side; a click goes to one."""

from collections.abc import Awaitable, Callable

from nicegui import ui

from kgen.explorer.routes import LARGEST_SEED, SEEDS, SEEDS_IN_A_ROW
from kgen.explorer.visitor import Visitor


class Seeds:
    """The seeds of one visitor.

    Args:
        visitor: whose class and truncation the pictures have.
        go: called with a seed that was clicked on.
    """

    def __init__(self, visitor: Visitor, go: Callable[[int], Awaitable[None]]) -> None:
        self.visitor, self.go = visitor, go
        self.first, self.shown = 0, ""

    def build(self) -> None:
        """Adds the card."""
        with ui.element("section").classes("card seeds-card").props('aria-label="Seeds"'):
            ui.label("Seeds").classes("heading")
            ui.label("Pictures of random codes. A seed always gives the same code. Click one to go there.").classes(
                "hint"
            )
            with ui.element("div").classes("seeds"):
                self.tiles = [self._tile(number) for number in range(SEEDS)]
            with ui.row().classes("controls"):
                ui.button("Back", on_click=lambda: self._turn(-SEEDS)).props('id="seeds-back" flat dense no-caps')
                self.range = ui.label().props('id="seeds-range"')
                ui.button("More", on_click=lambda: self._turn(SEEDS)).props('id="seeds-on" flat dense no-caps')

    def _tile(self, number: int) -> ui.element:
        """Adds the picture of one seed."""
        tile = ui.element("button").classes("tile").props(f'id="tile{number}"')
        return tile.on("click", lambda: self.go(self.first + number))

    def _turn(self, by: int) -> None:
        """Shows the seeds before or after those that are shown."""
        self.first = min(max(self.first + by, 0), LARGEST_SEED - SEEDS)
        self.show()

    def show(self) -> None:
        """Shows the pictures of the seeds, in the visitor's class and truncation."""
        visitor = self.visitor
        source = f"/seeds.png?first={self.first}&label={visitor.label}&truncation={visitor.truncation:g}"
        if source == self.shown:
            return
        self.shown = source
        self.range.text = f"Seeds {self.first} to {self.first + SEEDS - 1}"
        for number, tile in enumerate(self.tiles):
            paint(tile, source, number, SEEDS_IN_A_ROW, SEEDS // SEEDS_IN_A_ROW)
            tile.props(f'aria-label="seed {self.first + number}" title="seed {self.first + number}"')


def paint(tile: ui.element, source: str, number: int, columns: int, rows: int) -> None:
    """Shows one picture of a grid of `columns x rows` pictures on a button; they are counted row by row from 0."""
    row, column = divmod(number, columns)
    x, y = (100 * at / max(count - 1, 1) for at, count in ((column, columns), (row, rows)))
    tile.style(f"background-image: url('{source}'); background-size: {columns}00% {rows}00%")
    tile.style(f"background-position: {x:.4f}% {y:.4f}%")
