"""Serves a web page that explores a model's latent code: kgen explore --run latest"""

from dataclasses import dataclass

from kgen.cli import parsing
from kgen.studies import extras


@dataclass(frozen=True, kw_only=True)
class Options(parsing.ModelOptions):
    """Serves a web page on which one moves the code of a model and sees its picture."""

    beside: tuple[str, ...] = ()  # Runs, checkpoints or exports whose pictures of the same codes are shown beside.
    port: int = 8080  # Port of the page, http://127.0.0.1:PORT.
    host: str = "127.0.0.1"  # 127.0.0.1 lets only this machine open the page; 0.0.0.0 lets all that can reach it.


def main(arguments: list[str]) -> int:
    """Runs the command with the arguments behind its name until Ctrl-C, and returns the exit code, 0."""
    options = parsing.parse(Options, arguments)
    path = options.path()
    parsing.demand(0 < options.port < 65536, f"--port must be from 1 to 65535, not {options.port}.")
    extras.demand("nicegui", extra="ui")
    from nicegui import app, ui

    from kgen.explorer import decoder, page, sources, subject
    from kgen.explorer.body_limit import BodyLimit

    app.add_middleware(BodyLimit, most=sources.LARGEST + 10_000)  # and what surrounds a file in a form
    explored = subject.of(path, options.trust)
    page.publish(explored, [decoder.beside(other, explored, options.trust) for other in options.beside])
    print(f"http://{options.host}:{options.port}   Ctrl-C ends.", flush=True)
    how = {"title": "kgen", "reload": False, "show": False, "show_welcome_message": False}
    ui.run(host=options.host, port=options.port, reconnect_timeout=60, **how)  # a phone that sleeps keeps its page
    return 0
