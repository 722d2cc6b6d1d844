"""Writes docs/results.md and the README's short table from the records and the tables: equal records, equal bytes."""

import os
import re
import string
from collections.abc import Iterator
from pathlib import Path

from kgen.errors import UsageError
from kgen.studies.reproduction import table as registry
from kgen.studies.reproduction.records import Measured, Record, measured
from kgen.studies.reproduction.table import Table

INTRODUCTION = """\
# Results

Numbers that kgen measured, beside those of the papers and of the [student reports](reports.md). The formulas and
protocols are in [metrics.md](metrics.md). A step is one training step; it takes one batch, or several where a model's
discriminator moves several times.

`kgen reproduce` wrote this page, see [reproducing](guides/reproducing.md). Below a table are its seeds: value ± is then
the sample standard deviation over seeds. A table without that list was measured once, with version 0.1.0 or on the way
to the next, by the commands that its text names, and ± is the standard error unless the text says otherwise.
"""
SUMMARY = "| quantity | reference | kgen |"  # head of the README's table
MISSING = "-"


def page(records: list[Record], pictures: str) -> str:
    """Returns the page of results.

    Args:
        records: of `kgen.studies.reproduction.records.read`.
        pictures: the folder of pictures, from the page.
    """
    tables = registry.all_tables()
    unknown = [record.table for record in records if record.table not in tables]
    if unknown:
        raise UsageError(f"There is a record of the table {unknown[0]!r}, which kgen reproduce does not know.")
    sections = [section(name, table, records, pictures) for name, table in tables.items()]
    return "\n".join([INTRODUCTION, *(text for text in sections if text)])


def section(name: str, table: Table, records: list[Record], pictures: str) -> str:
    """Returns a table's section as Markdown, or "" where nothing was measured."""
    numbers = measured(records, name)
    own = [record for record in records if record.table == name]
    rows = [texts for texts, some in (row(each, numbers) for each in table.rows) if some]
    if not rows if table.rows else not own:
        return ""
    kept = [record for record in own if record.seed is not None]
    shown = [f"![{caption}]({pictures}/{name}-{file})" for each in kept for file, caption in each.pictures.items()]
    parts = [
        f"## {table.title}",
        filled(table.before, numbers)[0].strip(),
        markdown([table.columns, *rows]),
        filled(table.after, numbers)[0].strip(),
        f"What fell short: {table.short.strip()}" if table.short else "",
        "\n".join(shown),
        provenance(name, kept),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def markdown(rows: list[list[str] | tuple[str, ...]]) -> str:
    """Returns a Markdown table; the first row has the heads. An empty text is one space."""
    lines = ["".join(f"| {text} " if text else "| " for text in texts) + "|" for texts in rows]
    return "\n".join([*lines[:1], "|---" * len(rows[0]) + "|", *lines[1:]]) if rows[0] else ""


def row(texts: tuple[str, ...], numbers: dict[tuple[str, str], Measured]) -> tuple[list[str], bool]:
    """Returns a row with its numbers, and whether it has any; a row without references counts as one that has."""
    found = [filled(text, numbers) for text in texts]
    asked = [some for _, some in found if some is not None]
    return [text for text, _ in found], any(asked) or not asked


def filled(text: str, numbers: dict[tuple[str, str], Measured]) -> tuple[str, bool | None]:
    """Returns a text whose `{cell[measure]:form}` are numbers, and whether one of them is known; None without any."""
    parts, known = [], []
    for literal, cell, measure, form in references(text):
        parts.append(literal)
        if cell:
            known.append((cell, measure) in numbers)
            parts.append(format(numbers[cell, measure], form) if known[-1] else MISSING)
    return "".join(parts), any(known) if known else None


def references(text: str) -> Iterator[tuple[str, str, str, str]]:
    """Yields `(text before, cell, measure, form)` for each reference of a text, and its end as `(text, "", "", "")`."""
    for literal, field, form, _ in string.Formatter().parse(text):
        found = re.fullmatch(r"([\w.-]+)\[([\w.-]+)\]", field or "")
        if field is not None and not found:
            raise ValueError(f"{{{field}}} is not a reference such as {{cell[measure]:.2f}}: {text[:60]}")
        yield literal, *(found.groups() if found else ("", "")), form or ""


def provenance(name: str, kept: list[Record]) -> str:
    """Returns a table of what a table's cells were measured by, a row for each cell; "" if no record has a seed."""
    if not kept:
        return ""
    rows = [["cell", "seeds", "steps", "kgen", "commit", "device", "seconds a seed", "date"]]
    for cell in dict.fromkeys(record.cell for record in kept):
        own = [record for record in kept if record.cell == cell]
        seeds, seconds = (", ".join(rounded(getattr(each, name)) for each in own) for name in ("seed", "seconds"))
        steps, version, changes, device, date = (
            several(getattr(record, name) for record in own)
            for name in ("steps", "version", "commit", "device", "date")
        )
        rows.append([f"`{cell}`", seeds, steps, version, changes, device, seconds, date])
    again = f"Again: `kgen reproduce --table {name}`; the commands: `kgen reproduce --list --table {name}`."
    return f"{again}\n\n{markdown(rows)}"


def rounded(value: float | None) -> str:
    """Returns a number without decimals, `-` if it is not known."""
    return MISSING if value is None else f"{value:.0f}"


def several(values: Iterator) -> str:
    """Returns the different values as text, those that are not known as `-`."""
    return ", ".join(dict.fromkeys(MISSING if value is None else str(value) for value in values))


def summary(records: list[Record]) -> str:
    """Returns the README's short table as Markdown."""
    rows = [SUMMARY.strip("| ").split(" | ")]
    for name, table in registry.all_tables().items():
        numbers = measured(records, name)
        rows += [texts for texts, some in (row(each, numbers) for each in table.summary) if some]
    return markdown(rows)


def write(records: list[Record], pictures: Path, file: Path, readme: Path) -> None:
    """Writes the page; and into a README that has a table with the head `SUMMARY`, the short table in its place."""
    file.parent.mkdir(parents=True, exist_ok=True)
    write_whole(file, page(records, Path(os.path.relpath(pictures, file.parent)).as_posix()))
    text = readme.read_text() if readme.is_file() else ""
    if SUMMARY in text:
        start = text.index(SUMMARY)
        end = text.index("\n\n", start)
        write_whole(readme, text[:start] + summary(records) + text[end:])


def write_whole(file: Path, text: str) -> None:
    """Writes a file; a reader sees the old one or the new one."""
    aside = file.with_name(f".{file.name}.partial")
    aside.write_text(text)
    os.replace(aside, file)
