"""One source as a drawing, and the programme as one: what lies where, and what speaks for it."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from ..operations import DecisionList, Kind, Operation
from ..programme import programme
from ..timing import seconds_at, timecode
from .drawing import WIDTH, area, drawing, mirrored, safe, tag, text, ticks
from .looks import PICTURE, PICTURES, Look
from .png import data_url, heat

#: Heights of the lanes of a source.
_STRIP = WIDTH / PICTURES * PICTURE[1] / PICTURE[0]
_BAR, _SOUND, _CURVE, _ROW, _GAP = 30.0, 64.0, 56.0, 16.0, 22.0
#: Most height of a heat map.
_TALLEST = 420.0


def source_drawing(look: Look, numbers: Mapping[int, int]) -> str:
    """The lanes of one source. ``numbers`` gives an operation's row in the table, by identity."""
    parts, y = [_axis(look)], 26.0
    if look.filmstrip is not None:
        parts.append(
            tag(
                "image", href=data_url(look.filmstrip), x=0, y=y, width=WIDTH, height=_STRIP,
                preserveAspectRatio="none",
            )
        )  # fmt: skip
        y += _STRIP + 4
    parts.append(_bar(look, y, numbers))
    y += _BAR
    if look.level is not None:
        parts.append(text(0, y + 15, "sound, and where somebody speaks", "lane"))
        y += _GAP
        if look.speech is not None:
            parts.append(area(look.speech, y, _SOUND, "speech"))
        parts.append(mirrored(look.level, y, _SOUND, "wave"))
        y += _SOUND
    for name, curve in look.importance.items():
        parts.append(text(0, y + 15, name, "lane"))
        y += _GAP
        parts.append(area(curve, y, _CURVE, "importance"))
        y += _CURVE
    if look.attention is not None and len(look.attention):
        parts.append(text(0, y + 15, "where each decision looked (one row each, framed)", "lane"))
        y += _GAP
        drawn, height = _attention(look, y)
        parts.append(drawn)
        y += height
    return drawing(y + 4, *parts, label=f"{look.source.name}: decisions over time")


def _x(frame: int, look: Look) -> float:
    return WIDTH * frame / max(1, look.source.frame_count)


def _axis(look: Look) -> str:
    made = []
    for second in ticks(look.seconds):
        x = WIDTH * second / max(look.seconds, 1e-9)
        if x <= WIDTH - 60:
            frame = look.source.start_frame + round(Fraction(str(second)) * look.source.rate)
            words = timecode(frame, look.source.rate, look.source.drop_frame)
            made += [tag("path", d=f"M{x:.1f} 0V22", class_="tick"), text(x + 4, 14, words, "time")]
    return "".join(made)


def _bar(look: Look, y: float, numbers: Mapping[int, int]) -> str:
    """Kept and dropped ranges, the surer the stronger."""
    made = []
    for operation in look.decisions:
        kept = operation.kind is Kind.KEEP
        x = _x(operation.range.start, look)
        width = max(1.0, _x(operation.range.end, look) - x - 1)
        title = tag("title", safe(f"{operation.kind}: {operation.reason}"))
        shape = tag(
            "rect", title, x=x, y=y, width=width, height=_BAR - 6, rx=2,
            class_="kept" if kept else "dropped", opacity=0.45 + 0.55 * operation.confidence,
        )  # fmt: skip
        made.append(tag("a", shape, href=f"#op-{numbers.get(id(operation), 0)}"))
    return "".join(made)


def _attention(look: Look, y: float) -> tuple[str, float]:
    assert look.attention is not None
    row = min(_ROW, _TALLEST / len(look.attention))
    height = row * len(look.attention)
    made = [
        tag(
            "image", href=data_url(heat(look.attention)), x=0, y=y, width=WIDTH, height=height,
            preserveAspectRatio="none", class_="pixels",
        )
    ]  # fmt: skip
    for number, operation in enumerate(look.decisions):
        x = _x(operation.range.start, look)
        width = max(2.0, _x(operation.range.end, look) - x)
        title = tag("title", safe(f"{operation.kind}: {operation.reason}"))
        made.append(
            tag(
                "rect", title, x=x, y=y + number * row, width=width, height=row,
                class_="frame-kept" if operation.kind is Kind.KEEP else "frame-dropped",
            )
        )  # fmt: skip
    return "".join(made), height


def programme_drawing(edit: DecisionList, numbers: Mapping[int, int]) -> str:
    """The programme: its clips one after the other, a colour per source, its joins between them."""
    played = programme(edit)
    whole = max(1, played.duration)
    colours = {source.id: number % 6 for number, source in enumerate(edit.sources)}
    made = []
    seconds = float(seconds_at(whole, edit.rate))
    for second in ticks(seconds):
        x = WIDTH * second / max(seconds, 1e-9)
        if x <= WIDTH - 60:
            frame = edit.start_frame + round(Fraction(str(second)) * edit.rate)
            words = timecode(frame, edit.rate, edit.drop_frame)
            made += [tag("path", d=f"M{x:.1f} 0V22", class_="tick"), text(x + 4, 14, words, "time")]
    for item in played.items:
        operation: Operation = item.listed.operation
        x, width = WIDTH * item.record.start / whole, WIDTH * item.record.duration / whole
        name = str(operation.parameters.get("name") or edit.source(operation.source).name)
        title = tag("title", safe(f"{name}: {operation.reason}"))
        shape = tag(
            "rect", title, x=x + 0.5, y=26, width=max(1.0, width - 1), height=46, rx=3,
            class_=f"clip c{colours[operation.source]}",
        )  # fmt: skip
        made.append(tag("a", shape, href=f"#op-{numbers.get(id(operation), 0)}"))
        if (shown := int(width / 7.2)) > 6:
            short = name if len(name) <= shown else name[: shown - 1] + "…"
            made.append(text(x + 8, 53, short, "clip-name"))
    for number, join in played.joins.items():
        edge = played.items[number].record.start if number < len(played.items) else whole
        x = WIDTH * edge / whole
        made.append(tag("circle", tag("title", safe(join.kind)), cx=x, cy=72, r=4, class_="join"))
    return drawing(80, *made, label="the programme")
