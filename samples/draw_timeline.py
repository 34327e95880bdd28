"""Draw what `mapedit` made of the samples: ``samples/demo.png``.

    mapedit roughcut samples/talk.mp4 -o demo/talk.mapedit
    mapedit shots samples/edited.mp4 -o demo/edited.mapedit
    python samples/draw_timeline.py demo/talk.mapedit demo/edited.mapedit samples/demo.png

Everything in the picture is read from the two decision lists and their media. Needs Pillow.
"""

from __future__ import annotations

import sys
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from otio_mapedit import mapedit_file
from otio_mapedit.operations import DecisionList, Kind, Operation
from otio_mapedit.timing import timecode

WIDTH, LEFT, RIGHT = 1600, 34, 1566
BACK, PANEL, TEXT, FAINT = "#14161a", "#1d2026", "#e8eaee", "#8b93a1"
KEPT, DROPPED, JOIN = "#34c38f", "#e5484d", "#f5b83d"
STRIP, WAVE, BLOCK = 78, 62, 66


def font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Pillow's own typeface."""
    return ImageFont.load_default(size)


def pictures(path: str, frames: list[int], height: int) -> dict[int, Image.Image]:
    """Some frames of a constant-rate file, scaled."""
    found = {}
    with av.open(path) as container:
        for index, frame in enumerate(container.decode(video=0)):
            if index in frames:
                width = round(frame.width * height / frame.height)
                found[index] = frame.to_image(width=width, height=height)
    return found


def loudness(path: str, columns: int) -> npt.NDArray[np.float32]:
    """Peak of the sound in each of ``columns`` equal stretches, 0 to 1."""
    with av.open(path) as container:
        parts = [np.abs(frame.to_ndarray()).max(axis=0) for frame in container.decode(audio=0)]
    whole = np.concatenate(parts)
    return np.array([part.max() for part in np.array_split(whole, columns)], np.float32)


class Scale:
    """Frames to pixels."""

    def __init__(self, frames: int, left: float = LEFT, right: float = RIGHT) -> None:
        self.frames, self.left, self.right = frames, left, right

    def __call__(self, frame: float) -> float:
        return self.left + (self.right - self.left) * frame / self.frames


def strip(
    image: Image.Image, scale: Scale, path: str, top: int, first: int, stop: int, height: int
) -> None:
    """Pictures of frames ``first`` to ``stop``, side by side."""
    left, right = round(scale(first)), round(scale(stop))
    width = round(height * 16 / 9)
    places = list(range(left, right, width))
    frames = [
        min(stop - 1, first + round((x - left + min(width, right - x) / 2) / (right - left)
            * (stop - first))) for x in places
    ]  # fmt: skip
    found = pictures(path, frames, height)
    for x, frame in zip(places, frames, strict=True):
        image.paste(found[frame].crop((0, 0, min(width, right - x), height)), (x, top))


def label(draw: ImageDraw.ImageDraw, span: tuple[float, float], y: float, text: str,
          colour: str, size: int = 15) -> None:  # fmt: skip
    """Text in the middle of a span, on a dark plate; its first words only where room is short."""
    width = draw.textlength(text, font=font(size))
    if width > span[1] - span[0] - 12:
        if " · " in text:
            label(draw, span, y, text.split(" · ")[0], colour, size - 1)
        return
    x = (span[0] + span[1] - width) / 2
    draw.rounded_rectangle((x - 5, y - 2, x + width + 5, y + size + 5), 4, fill="#000000c8")
    draw.text((x, y), text, fill=colour, font=font(size))


def short(operation: Operation) -> str:
    """``no speech, 51 dB below speech, 3.7 s`` as ``no speech · 3.7 s``."""
    parts = operation.reason.split(", ")
    return " · ".join(dict.fromkeys([parts[0], parts[-1]]))


def heading(draw: ImageDraw.ImageDraw, y: int, command: str, result: str) -> None:
    """The command and what it said."""
    draw.text((LEFT, y), f"$ {command}", fill=TEXT, font=font(21))
    draw.text((RIGHT, y + 3), result, fill=FAINT, font=font(17), anchor="ra")


def shade(image: Image.Image, area: tuple[float, float, float, float], colour: str) -> None:
    """A translucent colour over part of the picture."""
    cover = Image.new("RGBA", image.size, (0, 0, 0, 0))
    ImageDraw.Draw(cover).rectangle(area, fill=colour)
    image.alpha_composite(cover)


def rough_cut(image: Image.Image, decisions: DecisionList, top: int) -> None:
    """Source above, programme below, and where each clip came from."""
    draw = ImageDraw.Draw(image)
    source = decisions.sources[0]
    scale = Scale(source.frame_count)
    kept = [op for op in decisions.operations if op.kind is Kind.KEEP]
    total = sum(op.range.duration for op in kept)
    heading(
        draw, top, f"mapedit roughcut {source.name}",
        f"kept {total / float(source.rate):.1f} s of "
        f"{source.frame_count / float(source.rate):.1f} s",
    )  # fmt: skip
    y = top + 44
    strip(image, scale, source.path, y, 0, source.frame_count, STRIP)
    levels = loudness(source.path, RIGHT - LEFT)
    for op in decisions.operations:
        if op.kind not in (Kind.KEEP, Kind.DROP):
            continue
        left, right = scale(op.range.start), scale(op.range.end)
        colour = KEPT if op.kind is Kind.KEEP else DROPPED
        middle = y + STRIP + WAVE / 2 + 4
        for x in range(round(left), round(right)):
            reach = max(1.0, WAVE / 2 * float(levels[x - LEFT]) ** 0.7)
            tone = KEPT if op.kind is Kind.KEEP else "#5a616d"
            draw.line((x, middle - reach, x, middle + reach), fill=tone)
        if op.kind is Kind.DROP:
            shade(image, (left, y, right, y + STRIP), "#0c0e12b0")
            draw = ImageDraw.Draw(image)
            label(draw, (left, right), y + STRIP // 2 - 9, short(op), "#ff9a9d")
        draw.rectangle((left, y - 5, right - 1, y - 2), fill=colour)
    bottom = y + STRIP + WAVE + 58
    programme = Scale(total, LEFT, LEFT + (RIGHT - LEFT) * total / source.frame_count)
    at = 0
    for op in kept:
        left, right = programme(at), programme(at + op.range.duration)
        corners = [(scale(op.range.start), y + STRIP + WAVE + 12),
                   (scale(op.range.end), y + STRIP + WAVE + 12),
                   (right - 1, bottom - 5), (left + 1, bottom - 5)]  # fmt: skip
        cover = Image.new("RGBA", image.size, (0, 0, 0, 0))
        ImageDraw.Draw(cover).polygon(corners, fill="#34c38f30")
        image.alpha_composite(cover)
        draw = ImageDraw.Draw(image)
        moved = Scale(op.range.duration, left, right)
        piece = Scale(source.frame_count, left - moved(op.range.start) + left, 0)
        piece.right = piece.left + (right - left) * source.frame_count / op.range.duration
        strip(image, piece, source.path, bottom, op.range.start, op.range.end, BLOCK)
        draw.rectangle((left, bottom, right - 1, bottom + BLOCK), outline=BACK, width=3)
        text = timecode(source.start_frame + op.range.start, source.rate, source.drop_frame)
        label(draw, (left, right), bottom + BLOCK - 24, text, TEXT, 14)
        at += op.range.duration
    draw.text((programme(total) + 14, bottom + 20), "the rough cut: every clip with its own "
              "timecode", fill=FAINT, font=font(17))  # fmt: skip


def shots(image: Image.Image, decisions: DecisionList, top: int) -> None:
    """One block per shot, transitions where they lie."""
    draw = ImageDraw.Draw(image)
    source = decisions.sources[0]
    scale = Scale(source.frame_count)
    kept = [op for op in decisions.operations if op.kind is Kind.KEEP]
    found = [op for op in kept if op.reason != "black"]
    heading(draw, top, f"mapedit shots {source.name}", f"{len(found)} shots")
    y = top + 44
    for op in kept:
        strip(image, scale, source.path, y, op.range.start, op.range.end, STRIP)
        left, right = scale(op.range.start), scale(op.range.end)
        draw.rectangle((left, y - 1, right - 1, y + STRIP), outline=BACK, width=3)
        if op in found:
            label(draw, (left, right), y + STRIP - 26, op.reason, TEXT, 14)
    for op in decisions.operations:
        if op.kind in (Kind.CUT, Kind.KEEP, Kind.MARK):
            continue
        left, right = scale(op.range.start), scale(op.range.end)
        shade(image, (left, y + STRIP + 6, right, y + STRIP + 30), "#f5b83d50")
        draw = ImageDraw.Draw(image)
        draw.rectangle((left, y + STRIP + 6, right, y + STRIP + 30), outline=JOIN, width=2)
        draw.line((left, y + STRIP + 30, right, y + STRIP + 6), fill=JOIN, width=2)
        place, anchor = {"fade-out": (right, "ra"), "fade-in": (left, "la")}.get(
            op.reason.split(",")[0], ((left + right) / 2, "ma")
        )
        text = op.reason.replace(" frames", " f")
        draw.text((place, y + STRIP + 36), text, fill=JOIN, font=font(14), anchor=anchor)


def main(talk: Path, edited: Path, out: Path) -> None:
    """Write the picture."""
    image = Image.new("RGBA", (WIDTH, 590), BACK)
    rough_cut(image, mapedit_file.read(talk), 20)
    shots(image, mapedit_file.read(edited), 390)
    image.convert("RGB").quantize(200, dither=Image.Dither.NONE).save(out, optimize=True)


if __name__ == "__main__":
    main(*(Path(word) for word in sys.argv[1:4]))
