"""A slider for each direction of the code, with a name and a number field. They always say where the code is."""

from collections.abc import Callable

from nicegui import events, ui

from kgen.errors import UsageError
from kgen.explorer.browser import VALUE, place
from kgen.explorer.subject import REACH, SLIDERS
from kgen.explorer.visitor import Visitor

WHOLE = "Each number of the code has a slider."
PRINCIPAL = "The {count} directions in which {what} differ most."


class Sliders:
    """The sliders of one visitor.

    Args:
        visitor: whose code they move.
        moved: called after a slider or a number field has moved the code.
    """

    def __init__(self, visitor: Visitor, moved: Callable[[], None]) -> None:
        self.visitor, self.moved = visitor, moved
        self.sliders, self.numbers = [], []

    def build(self) -> None:
        """Adds the card."""
        with ui.element("section").classes("card sliders-card").props('aria-label="Sliders"'):
            ui.label("Sliders").classes("heading")
            ui.label(f"{self._about()} 0 is the centre, 1 is one standard deviation.").classes("hint")
            with ui.element("div").classes("sliders"):
                for number, name in enumerate(self.visitor.subject.names):
                    self._row(number, name)

    def _about(self) -> str:
        """Returns what the sliders are."""
        subject = self.visitor.subject
        what = "the codes of the examples" if subject.examples else "pictures"
        count = len(subject.directions)
        return WHOLE if subject.size <= SLIDERS else PRINCIPAL.format(count=count, what=what)

    def _row(self, number: int, name: str) -> None:
        """Adds the name, the slider and the number field of one direction."""
        ui.label(name)
        slider = ui.element("input").props(f'type=range min={-REACH} max={REACH} step=0.01 id="slider{number}"')
        slider.props(f'aria-label="{name}"')
        slider.on("input", lambda event: self._move(number, event, slider), throttle=0.04, js_handler=VALUE)
        field = ui.element("input").props(f'type=number step=0.1 id="number{number}" aria-label="{name}, as a number"')
        field.on("change", lambda event: self._move(number, event, field), js_handler=VALUE)
        self.sliders.append(slider)
        self.numbers.append(field)

    def _move(self, number: int, event: events.GenericEventArguments, hand: ui.element) -> None:
        """Moves the code to the value of a slider or a number field, `hand`, and the other of the two along."""
        try:
            self.visitor.move({number: event.args})
        except UsageError as error:
            ui.notify(str(error), type="warning")
        self.show(but=hand if hand in self.sliders else None)  # a slider that is dragged must not be moved
        self.moved()

    def show(self, but: ui.element | None = None) -> None:
        """Sets all sliders and number fields to where the code is; `but` is left alone."""
        values = {}
        for slider, field, value in zip(self.sliders, self.numbers, self.visitor.steps, strict=True):
            values |= {element.props["id"]: value for element in (slider, field) if element is not but}
        place(values)
