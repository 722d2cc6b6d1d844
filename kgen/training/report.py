"""The page of a run, report.html: recipe, curves, pictures, problems and commands, for a browser without a network.

It is made from what lies in the run directory, and from nothing else: a resumed run ends with the same page.
"""

import base64
import html
import os
import shlex
from pathlib import Path
from string import Template

from kgen.callbacks.log import tag
from kgen.core.recipe import Recipe, compared
from kgen.runs import directory
from kgen.training import curves, outcome

FILE = "report.html"
MOST = 24  # pictures on the page, so that the page of a long run stays light
ALONE = {"report": "{}", "validation": "validation {}", "metrics": "{}"}  # units differ: a chart, and a title, for each
PAGE = Path(__file__).with_name("report_page.html")


def write(run: Path) -> None:
    """Writes a run's report.html, aside and renamed: whoever opens it sees a whole page."""
    aside = run / ".report.partial"
    aside.write_text(page(run))
    os.replace(aside, run / FILE)


def page(run: Path) -> str:
    """Returns the page of a run directory as HTML."""
    recipe = directory.read_recipe(run)
    log = lines_of(run, "log")
    step = log[-1]["step"] if log else 0
    numbers = {name: value for name, value in compared(recipe).items() if value is not None}
    problems = outcome.complaints(run)
    return Template(PAGE.read_text()).substitute(
        title=html.escape(f"{recipe.name} on {recipe.dataset}"),
        state=html.escape(f"{named(run)}, step {step:,} of {recipe.steps:,}"),
        problems="".join(f"<li>{html.escape(each)}</li>" for each in problems) or "<li>None was found.</li>",
        kind="bad" if problems else "good",
        pictures=pictures(run),
        real=picture(run / "real.png", "real images") if (run / "real.png").exists() else "",
        charts="".join(curves.chart(title, lines, step) for title, lines in charts(run, log).items()),
        left=curves.LEFT,
        span=curves.WIDTH - curves.LEFT - curves.RIGHT,
        last=max(step, 1),
        recipe="".join(row(name.replace("_", " "), str(value)) for name, value in numbers.items()),
        json=html.escape(recipe.to_json()),
        commands="".join(row(what, f"<code>{html.escape(how)}</code>") for what, how in commands(run, recipe, step)),
    )


def lines_of(run: Path, name: str) -> list[dict]:
    """Returns the lines of a run's JSON-lines file that have a step."""
    return [line for line in directory.read_lines(run / f"{name}.jsonl") if isinstance(line.get("step"), int)]


def named(run: Path) -> Path:
    """Returns the last two parts of a run's path, which are right in the folder where it was started."""
    return Path(*Path(run).resolve().parts[-2:])


def row(name: str, value: str) -> str:
    """Returns a row of a table; the value is HTML."""
    return f"<tr><th>{name}</th><td>{value}</td></tr>"


def picture(path: Path, words: str) -> str:
    """Returns a PNG file as an image that the page holds itself."""
    data = base64.b64encode(path.read_bytes()).decode()
    return f'<img alt="{words}" title="{words}" src="data:image/png;base64,{data}">'


def pictures(run: Path) -> str:
    """Returns the pictures of a run by step, at most `MOST` of them, evenly chosen, the first and the last too."""
    found = sorted((run / "samples").glob("[0-9]*.png"), key=lambda path: int(path.stem))
    count = min(len(found), MOST)
    chosen = [found[round(i * (len(found) - 1) / max(count - 1, 1))] for i in range(count)]
    return "".join(picture(path, f"step {int(path.stem):,}") for path in chosen)


def charts(run: Path, log: list[dict]) -> dict[str, dict[str, curves.Points]]:
    """Returns `{title: {curve: points}}` of all that was logged, losses first; no speeds, which no two runs share."""
    others = [line for name in ("epochs", "diagnosis") for line in lines_of(run, name)]
    logged = {name for line in log for name in line}
    lines = [*log, *({name: line[name] for name in line if name == "step" or name not in logged} for line in others)]
    lines += [{"step": line["step"], f"metrics/{line['name']}": line["value"]} for line in lines_of(run, "metrics")]
    found = {}
    for line in lines:
        for name, value in line.items():
            if name not in ("step", "epoch", "best", "images_per_second") and isinstance(value, (int, float)):
                group, _, curve = (name if "/" in name else tag(name)).partition("/")
                title = ALONE.get(group, group).format(curve).replace("_", " ")
                points = found.setdefault((group, title), {}).setdefault(curve.replace("_", " "), [])
                points.append((line["step"], value))
    order = sorted(found, key=lambda key: (key[0] != "loss", key[0] not in ALONE, key[0]))
    return {title: found[group, title] for group, title in order}


def commands(run: Path, recipe: Recipe, step: int) -> list[tuple[str, str]]:
    """Returns what can be done with the run next, and the commands, given the step that it has reached."""
    place = shlex.quote(str(named(run)))
    longer = f" --steps {2 * recipe.steps}" if step >= recipe.steps else ""
    found = [("train longer" if longer else "go on", f"kgen train --resume {place}{longer}")]
    if any("sample_distance" in line for line in lines_of(run, "diagnosis")):
        found += [
            ("draw images", f"kgen sample --run {place} --count 64 --out x.png"),
            ("measure it", f"kgen evaluate --run {place} --metrics parzen,mmd"),
        ]
    return [*found, ("compare runs", f"tensorboard --logdir {shlex.quote(named(run).parts[0])}")]
