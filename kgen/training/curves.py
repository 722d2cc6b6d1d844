"""Draws curves as inline SVG, which a browser shows without a script or a library."""

import math
from html import escape

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 480, 220, 56, 24, 10, 24  # of a chart and its margins, in SVG units
DECADES = 100  # times the least value: a chart whose largest value is above it has a logarithmic axis
FEW = 12  # points that are marked each
MOST = 500  # points of a curve; of a longer one every n-th is drawn, and the last
COLOURS = 6  # classes .c0 ... .c5 of the page's style

Points = list[tuple[int, float]]


def chart(title: str, curves: dict[str, Points], last: int) -> str:
    """Returns a figure of curves over the steps 0 to `last`, with their last values as a legend.

    Args:
        title: of the figure.
        curves: `{name: [(step, value), ...]}`. Values that are not finite are left out.
        last: step at the right end.
    """
    finite = {name: thinned([point for point in points if math.isfinite(point[1])]) for name, points in curves.items()}
    finite = {name: points for name, points in finite.items() if points}
    if not finite:
        return ""
    values = [value for points in finite.values() for _, value in points]
    scale = math.log10 if min(values) > 0 and max(values) > DECADES * min(values) else float
    low, high = bounds(scale(min(values)), scale(max(values)))

    def place(step: float, value: float) -> str:
        return (
            f"{across(step, last):.1f},{HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (value - low) / (high - low):.1f}"
        )

    parts = [grid_line(place(0, tick), tick, scale) for tick in ticks(low, high, scale is math.log10)]
    parts += [
        f'<text x="{across(tick, last):.1f}" y="{HEIGHT - 6}" text-anchor="middle">{tick:,.0f}</text>'
        for tick in ticks(0, last)
        if tick == int(tick)
    ]
    for number, points in enumerate(finite.values()):
        kind, placed = f"c{number % COLOURS}", [place(step, scale(value)) for step, value in points]
        parts.append(f'<polyline class="{kind}" points="{" ".join(placed)}"/>')
        marked = placed if len(placed) <= FEW else []
        parts += ['<circle class="{}" r="2.5" cx="{}" cy="{}"/>'.format(kind, *each.split(",")) for each in marked]
    legend = "".join(
        f'<li><i class="c{number % COLOURS}"></i>{escape(name)} <b>{points[-1][1]:.4g}</b></li>'
        for number, (name, points) in enumerate(finite.items())
    )
    axis = "" if scale is float else " <small>logarithmic</small>"
    return (
        f'<figure><h3>{escape(title)}{axis}</h3><svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{escape(title)}">{"".join(parts)}<line class="now" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/></svg>'
        f"<ul>{legend}</ul></figure>"
    )


def across(step: float, last: int) -> float:
    """Returns the x of a step."""
    return LEFT + (WIDTH - LEFT - RIGHT) * step / max(last, 1)


def grid_line(place: str, tick: float, scale: type) -> str:
    """Returns a horizontal line at a tick, given its place "x,y", and its number."""
    y = place.split(",")[1]
    shown = f"{tick if scale is float else 10**tick:.4g}"
    return (
        f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}"/>'
        f'<text x="{LEFT - 6}" y="{y}" dy="4" text-anchor="end">{shown}</text>'
    )


def thinned(points: Points) -> Points:
    """Returns at most about `MOST` of some points, evenly chosen, the last one too."""
    every = math.ceil(len(points) / MOST)
    return [*points[: -1 : max(every, 1)], *points[-1:]]


def bounds(low: float, high: float) -> tuple[float, float]:
    """Returns the ends of an axis that holds both values, with a margin, also if they are equal."""
    margin = (high - low) * 0.04 or abs(high) * 0.1 or 1.0
    return low - margin, high + margin


def ticks(low: float, high: float, whole: bool = False) -> list[float]:
    """Returns about five round numbers from `low` to `high`: multiples of 1, 2 or 5 times a power of ten.

    Args:
        low: end of an axis.
        high: the other end.
        whole: whether the numbers are whole, as exponents are.
    """
    rough = max((high - low) / 5, 1e-300)
    unit = 10 ** math.floor(math.log10(rough))
    apart = next(factor * unit for factor in (1, 2, 5, 10) if factor * unit >= rough * 0.999)
    apart = max(1, round(apart)) if whole else apart
    return [number * apart for number in range(math.ceil(low / apart), math.floor(high / apart) + 1)]
