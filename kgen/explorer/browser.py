"""What the page asks of the browser, see page.js."""

import json

from nicegui import ui

from kgen.explorer.visitor import Visitor

VALUE = "(event) => emit(event.target.value)"  # a handler that sends the value of a native input


def place(values: dict[str, float]) -> None:
    """Sets native inputs, `{id: value}`. Their values are the browser's: Vue would set a dragged slider back."""
    ui.run_javascript(f"explorer.place({json.dumps({name: f'{value + 0:.2f}' for name, value in values.items()})})")


def remember(visitor: Visitor) -> None:
    """Writes the visitor's state into the address, from which it comes back after a reload."""
    ui.run_javascript(f"explorer.remember({json.dumps(visitor.address)})")


def copy_address(visitor: Visitor) -> None:
    """Writes the visitor's state into the address, and copies the address to the clipboard."""
    ui.run_javascript(f"explorer.copyAddress({json.dumps(visitor.address)})")
