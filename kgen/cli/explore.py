"""Opens a page on which one walks through a model's code: python scripts/explore.py --run latest"""

from dataclasses import dataclass
from pathlib import Path

from kgen.cli import parsing
from kgen.runs import directory
from kgen.studies import extras


@dataclass(frozen=True)
class Options:
    """Serves a web page with sliders for the code of a model, whose picture follows."""

    run: str | None = None  # Run directory, or latest; its newest checkpoint is used.
    saved_model: Path | None = None  # An export, saved_models/<name>/<version>, instead of a run.
    port: int = 8080  # Of the page, http://127.0.0.1:PORT.
    host: str = "127.0.0.1"  # Who may open it: this machine alone; 0.0.0.0 is everybody who can reach it.
    runs_dir: Path = Path("runs")  # Where latest is looked for.


def main(arguments):
    options = parsing.parse(Options, arguments)
    parsing.demand((options.run is None) != (options.saved_model is None), "Give either --run or --saved-model.")
    parsing.demand(0 < options.port < 65536, f"--port must be from 1 to 65535, not {options.port}.")
    extras.demand("nicegui", extra="ui")
    from nicegui import ui

    from kgen.explorer import page, subject

    run = directory.find(options.run, options.runs_dir) if options.run else None
    page.publish(subject.of_run(run) if run else subject.of_saved_model(options.saved_model))
    print(f"http://{options.host}:{options.port}   Ctrl-C ends.", flush=True)
    ui.run(host=options.host, port=options.port, title="kgen", reload=False, show=False, show_welcome_message=False)
    return 0
