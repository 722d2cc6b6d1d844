"""Buttons that take a code from an example of the training data, or from an uploaded picture; random seeds."""

from collections.abc import Callable

import numpy as np
from nicegui import events, run, ui

from kgen.errors import UsageError
from kgen.explorer.visitor import Visitor

LARGEST = 20_000_000  # bytes of an uploaded picture
NAMES = {"page": "the page", "a": "A", "b": "B", "c": "C"}
DRAWN_BELOW = 10_000  # seeds that are drawn at random


class Sources:
    """The buttons for one purpose. Uploads are encoded in threads, so that other visitors need not wait.

    Args:
        visitor: whose subject they are for.
        purpose: what the code is for, one of `NAMES`; the buttons' ids begin with it.
        take: called with a code `(size,)`, and with the words that say where it is from.
        tell: called with a sentence if there is no code.
    """

    def __init__(
        self,
        visitor: Visitor,
        purpose: str,
        take: Callable[[np.ndarray, str], None],
        tell: Callable[[str], None],
    ) -> None:
        self.visitor, self.purpose, self.take, self.tell = visitor, purpose, take, tell

    def build(self) -> None:
        """Adds the buttons; if there are examples and an encoder."""
        subject = self.visitor.subject
        if subject.examples:
            self._button("Example", "example").on_click(self.example)
        if subject.autoencoder:
            hidden = ui.upload(auto_upload=True, max_file_size=LARGEST, on_rejected=self._refuse)
            hidden.on_upload(self._receive).classes("hidden").props(f'accept="image/*" id="{self.purpose}-file"')
            picked = f"() => runMethod({hidden.id}, 'pickFiles', [])"
            self._button("Upload", "upload").on("click", js_handler=picked)

    def _button(self, words: str, kind: str) -> ui.button:
        """Adds one button."""
        button = ui.button(words).props(f'flat dense no-caps id="{self.purpose}-{kind}"')
        return button.props(f'aria-label="{words} for {NAMES[self.purpose]}"')

    def example(self) -> None:
        """Takes the code of an example drawn at random."""
        examples = self.visitor.subject.examples
        number = int(np.random.default_rng().integers(len(examples.images)))
        of = "" if examples.labels is None else f", class {examples.classes[examples.labels[number]]}"
        self.take(self.visitor.subject.encoded[number], f"example {number}{of}")

    async def _receive(self, event: events.UploadEventArguments) -> None:
        """Takes the code of an uploaded picture, or tells why it cannot be used."""
        event.sender.reset()
        try:
            code = await run.io_bound(self.visitor.subject.encode, await event.file.read())
        except UsageError as error:
            return self.tell(str(error))
        self.take(code, f"upload {event.file.name}")

    def _refuse(self, event: events.UiEventArguments) -> None:
        """Tells that a file was not uploaded."""
        event.sender.reset()
        self.tell(f"This file is not a picture of at most {LARGEST // 1_000_000} MB.")


def random_seed() -> int:
    """Returns a seed of at most four digits, another one each time."""
    return int(np.random.default_rng().integers(DRAWN_BELOW))
