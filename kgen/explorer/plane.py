"""The map: a plane of two directions of the code, to click and to drag in."""

from collections.abc import Callable

import numpy as np
from nicegui import events, ui

from kgen.explorer.routes import colour
from kgen.explorer.subject import REACH
from kgen.explorer.visitor import FARTHEST, Visitor, to_text

PICTURES, EXAMPLES = "Pictures", "Examples"
HINTS = {
    PICTURES: "Each small picture is the one you get by clicking on it.",
    EXAMPLES: "Each dot is a picture of the training data, where its code lies.",
}
KEYS = "Click, drag, or use the arrow keys (with Shift: larger steps)."
MOST_NAMED = 12  # classes in the legend


class Plane:
    """The map of one visitor.

    Args:
        visitor: whose code it shows and moves.
        moved: called after the map has moved the code.
    """

    def __init__(self, visitor: Visitor, moved: Callable[[], None]) -> None:
        self.visitor, self.moved = visitor, moved
        self.across, self.up, self.kind = 0, min(1, len(visitor.subject.directions) - 1), PICTURES
        self.choices: dict[str, ui.select] = {}
        self.waiting: ui.timer | None = None

    def build(self) -> None:
        """Adds the card."""
        with ui.element("section").classes("card map-card").props('aria-label="Map"'):
            ui.label("Map").classes("heading")
            self.hint = ui.label().classes("hint")
            with ui.row().classes("controls"):
                self._axis("across", "Rightwards")
                self._axis("up", "Upwards")
                if self.visitor.subject.examples:
                    kinds = ui.toggle([PICTURES, EXAMPLES], value=self.kind, on_change=self._show_kind)
                    kinds.props('dense no-caps unelevated aria-label="What the map shows"')
            self._map()
            self.legend = ui.row().classes("legend")
            with self.legend:
                self._name_classes()
            self._background()
        ui.run_javascript("explorer.focus('map')")

    def _axis(self, which: str, label: str) -> None:
        """Adds the choice of the direction of one axis, `across` or `up`."""

        names = dict(enumerate(self.visitor.subject.names))
        choice = ui.select(names, value=getattr(self, which), label=label)
        choice.on_value_change(lambda event: self._choose(which, event.value)).props(f'dense id="{which}"')
        self.choices[which] = choice

    def _choose(self, which: str, direction: int) -> None:
        """Gives one axis another direction; if the other axis has it, they change places."""
        other = {"across": "up", "up": "across"}[which]
        if direction == getattr(self, other):
            setattr(self, other, getattr(self, which))
        setattr(self, which, direction)
        self.choices[other].value = getattr(self, other)
        self._background()
        self.show()

    def _map(self) -> None:
        """Adds the map and the mark of the code."""
        self.map = ui.element("div").classes("map").props('id="map" tabindex=0 role=application')
        point = "(event) => {const at = explorer.point(event); if (at) emit(at);}"
        arrow = "(event) => {const step = explorer.arrow(event); if (step) emit(step);}"
        for kind in ("pointerdown", "pointermove"):
            self.map.on(kind, self._point, throttle=0.04, js_handler=point)
        self.map.on("keydown", self._arrow, js_handler=arrow)
        with self.map:
            self.back = ui.element("img").props('alt="" draggable=false')
            self.mark = ui.element("div").classes("mark").props('id="mark"')

    def _name_classes(self) -> None:
        """Adds the colours of the classes of the examples."""
        examples = self.visitor.subject.examples
        names = examples.classes if examples and examples.labels is not None else ()
        for number, name in enumerate(names[:MOST_NAMED]):
            with ui.row().classes("items-center gap-1"):
                ui.element("span").classes("swatch").style(f"background: {colour(number, len(names))}")
                ui.label(name)

    def _show_kind(self, event: events.ValueChangeEventArguments) -> None:
        """Shows pictures or examples."""
        self.kind = event.value
        self._background()

    def _point(self, event: events.GenericEventArguments) -> None:
        """Goes to a point of the map, `(x, y)` from 0 to 1 from its upper left corner."""
        x, y = (float(np.clip(value, 0, 1)) for value in event.args)
        self._go((2 * x - 1) * REACH, (1 - 2 * y) * REACH)

    def _arrow(self, event: events.GenericEventArguments) -> None:
        """Goes a step, `(across, up)` in standard deviations."""
        here = self.visitor.steps[[self.across, self.up]] + np.float32(event.args)
        self._go(*np.clip(here, -FARTHEST, FARTHEST).tolist())

    def _go(self, across: float, up: float) -> None:
        """Moves the code in the plane, which leaves the pictures of the map as they are."""
        self.visitor.move({self.up: up, self.across: across})
        self.show()
        self.moved()

    def show(self) -> None:
        """Puts the mark where the code is, at the edge if it is outside."""
        x, y = self.visitor.steps[[self.across, self.up]]
        left, top = (np.clip([x, -y], -REACH, REACH) / REACH + 1) * 50
        self.mark.style(f"left: {left:.2f}%; top: {top:.2f}%")
        names = self.visitor.subject.names
        self.map.props["aria-label"] = (
            f"Map of {names[self.across]}, now {x:.2f}, and {names[self.up]}, now {y:.2f}. Arrow keys move the code."
        )
        self.map.update()

    def follow(self) -> None:
        """Renews the pictures of the map, since the code has left their plane, once it rests."""
        if self.waiting:
            self.waiting.cancel()
        with self.map:
            self.waiting = ui.timer(0.3, self._background, once=True)

    def _background(self) -> None:
        """Shows the pictures of the plane through the code, or the examples."""
        self.legend.set_visibility(self.kind == EXAMPLES)
        self.hint.text = f"{HINTS[self.kind]} {KEYS}"
        axes = f"across={self.across}&up={self.up}"
        plane = f"/plane.png?code={to_text(self.visitor.code)}&label={self.visitor.label}&{axes}"
        self.back.props["src"] = f"/dots.svg?{axes}" if self.kind == EXAMPLES else plane
        self.back.update()
