"""The pictures of the page over HTTP. Routes are plain functions, which FastAPI runs in threads: nobody waits."""

import numpy as np
from fastapi import HTTPException, Response
from nicegui import app

from kgen import images
from kgen.errors import UsageError
from kgen.explorer.decoder import Decoder
from kgen.explorer.subject import CELLS, REACH, Subject
from kgen.explorer.visitor import from_text

SEEDS, SEEDS_IN_A_ROW = 24, 6
LARGEST_SEED = 2**31 - 1


def publish(subject: Subject, others: list[Decoder]) -> None:
    """Adds the pictures of a subject, and of the models beside it, to the application.

    A code is given as `kgen.explorer.visitor.to_text` writes it; a wrong one is answered with 400.
    """
    models = [subject, *others]

    @app.get("/picture.png")
    def picture(code: str, label: int = 0, model: int = 0) -> Response:
        """The picture of a code, as the export's `png` gives it; `model` is 0, or a number of `others` from 1."""
        if not 0 <= model < len(models):
            raise HTTPException(400, f"model must be from 0 to {len(models) - 1}.")
        return png(models[model].picture(read(subject, code), checked(subject, label)))

    @app.get("/plane.png")
    def plane(code: str, across: int, up: int, label: int = 0) -> Response:
        """Pictures of the plane through a code, see `Subject.plane`."""
        codes = subject.plane(read(subject, code), direction(subject, across), direction(subject, up))
        return png(images.grid(subject.pictures(codes, checked(subject, label)), CELLS))

    @app.get("/dots.svg")
    def dots(across: int, up: int) -> Response:
        """Where the examples are in the plane of two directions, in the colours of their classes."""
        points = subject.coordinates(subject.encoded)[:, [direction(subject, across), direction(subject, up)]]
        return Response(drawing(points, colours(subject)), media_type="image/svg+xml")

    @app.get("/seeds.png")
    def seeds(first: int, label: int = 0, truncation: float = 1.0) -> Response:
        """The pictures of `SEEDS` seeds from `first` on, in one picture."""
        if not (0 <= first <= LARGEST_SEED - SEEDS and 0 <= truncation <= 1):
            raise HTTPException(400, f"first must be from 0 to {LARGEST_SEED - SEEDS}, and truncation from 0 to 1.")
        codes = [subject.random(seed, checked(subject, label)) for seed in range(first, first + SEEDS)]
        near = np.stack([subject.scaled(code, truncation) for code in codes])
        return png(images.grid(subject.pictures(near, label), SEEDS_IN_A_ROW))

    @app.get("/classes.png")
    def classes(code: str) -> Response:
        """The pictures of one code in all classes, in one row."""
        if not subject.classes:
            raise HTTPException(400, "This model has no classes.")
        return png(images.grid(subject.in_each_class(read(subject, code)), len(subject.classes)))

    @app.get("/walk.gif")
    def walk(first: str, second: str, label: int = 0) -> Response:
        """The animation of the straight line between two codes and back."""
        film = subject.walk(read(subject, first), read(subject, second), checked(subject, label))
        return Response(film, media_type="image/gif")


def png(picture: np.ndarray) -> Response:
    """Returns the answer with one picture, uint8 `(height, width, channels)`."""
    return Response(images.png_bytes(picture), media_type="image/png")


def read(subject: Subject, text: str) -> np.ndarray:
    """Returns the code `(size,)` of a request; raises HTTPException 400 if it is none."""
    try:
        return from_text(text, subject.size)
    except UsageError as error:
        raise HTTPException(400, str(error)) from None


def checked(subject: Subject, label: int) -> int:
    """Returns the class of a request; raises HTTPException 400 if there is no such class."""
    try:
        return subject.checked(label)
    except UsageError as error:
        raise HTTPException(400, str(error)) from None


def direction(subject: Subject, number: int) -> int:
    """Returns the direction of a request; raises HTTPException 400 if there is no such direction."""
    if not 0 <= number < len(subject.directions):
        raise HTTPException(400, f"A direction must be from 0 to {len(subject.directions) - 1}.")
    return number


def colours(subject: Subject) -> list[str]:
    """Returns a CSS colour for each example: equal steps of hue for classes, grey without labels."""
    if subject.examples is None or subject.examples.labels is None:
        return ["#666"] * len(subject.encoded)
    return [colour(label, len(subject.examples.classes)) for label in subject.examples.labels]


def colour(label: int, count: int) -> str:
    """Returns the CSS colour of one of `count` classes; neighbours differ in lightness too."""
    return f"hsl({360 * label // max(count, 1)} 75% {42 if label % 2 else 55}%)"


def drawing(points: np.ndarray, filling: list[str]) -> str:
    """Returns an SVG of points `(n, 2)` in [-REACH, REACH], the second coordinate upwards, in the colours `filling`."""
    circles = [
        f'<circle cx="{x:.3f}" cy="{-y:.3f}" r="0.05" fill="{fill}"/>'
        for (x, y), fill in zip(points, filling, strict=True)
    ]
    box = f"{-REACH} {-REACH} {2 * REACH} {2 * REACH}"
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}">{"".join(circles)}</svg>'
