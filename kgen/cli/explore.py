"""Opens a page on which one walks through a model's code: python scripts/explore.py --run latest"""

from dataclasses import dataclass

from kgen.cli import parsing
from kgen.studies import extras


@dataclass(frozen=True, kw_only=True)
class Options(parsing.ModelOptions):
    """Serves a web page with sliders for the code of a model, whose picture follows."""

    port: int = 8080  # Of the page, http://127.0.0.1:PORT.
    host: str = "127.0.0.1"  # Who may open it: this machine alone; 0.0.0.0 is everybody who can reach it.


def main(arguments: list[str]) -> int | None:
    """Runs the command until Ctrl-C."""
    options = parsing.parse(Options, arguments)
    path = options.path()
    parsing.demand(0 < options.port < 65536, f"--port must be from 1 to 65535, not {options.port}.")
    extras.demand("nicegui", extra="ui")
    from nicegui import ui

    from kgen.explorer import page, subject

    page.publish(subject.of(path))
    print(f"http://{options.host}:{options.port}   Ctrl-C ends.", flush=True)
    ui.run(host=options.host, port=options.port, title="kgen", reload=False, show=False, show_welcome_message=False)
    return 0
