"""The shipped network on media made here: every cut and transition where it was put."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from otio_mapedit import watching
from otio_mapedit.cache import Cache
from otio_mapedit.inference import predict_shots
from otio_mapedit.media import probe
from otio_mapedit.operations import DecisionList, Kind, partition_faults
from otio_mapedit.pipeline import decide
from otio_mapedit.recipes import recipe, shots
from otio_mapedit.timing import NTSC_24, NTSC_60

Pictures = NDArray[np.float32]
WIDTH, HEIGHT = 160, 90


def texture(random: np.random.Generator, height: int, width: int) -> Pictures:
    """A picture to pan over: soft shapes and detail, in a few colours."""
    field = np.zeros((height, width), np.float32)
    for cell, weight in ((60, 1.0), (24, 0.6), (8, 0.3), (3, 0.15)):
        rough = random.random((height // cell + 2, width // cell + 2)).astype(np.float32)
        field += weight * np.kron(rough, np.ones((cell, cell), np.float32))[:height, :width]
    field = (field - field.min()) / np.ptp(field)
    stops = random.uniform(20, 235, (4, 3))
    return np.stack(
        [np.interp(field, np.linspace(0, 1, 4), stops[:, channel]) for channel in range(3)], -1
    ).astype(np.float32)


def take(seed: int, count: int, slow: float = 1) -> Pictures:
    """A camera pans over a scene in which a disc moves, ``slow`` times slower by the picture."""
    random = np.random.default_rng(seed)
    scene = texture(random, HEIGHT + 60, WIDTH + 120)
    speed = random.uniform(-0.5, 0.5, 2) / slow
    start = np.array([30, 60]) - speed * count / 2
    colour, radius = random.uniform(0, 255, 3), random.uniform(8, 20)
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    pictures = np.empty((count, HEIGHT, WIDTH, 3), np.float32)
    for number in range(count):
        top, left = np.clip((start + speed * number).astype(int), 0, [60, 120])
        pictures[number] = scene[top : top + HEIGHT, left : left + WIDTH]
        middle = (
            HEIGHT / 2 + 15 * np.sin(number / 20 / slow + seed),
            WIDTH / 2 + 50 * np.sin(number / 50 / slow - seed),
        )
        inside = (rows - middle[0]) ** 2 + (columns - middle[1]) ** 2 < radius**2
        pictures[number][inside] = colour
    return pictures


@dataclass
class Film:
    """Shots joined at known frames."""

    pictures: Pictures
    truth: list[tuple[str, int, int]] = field(default_factory=list)

    def cut(self, shot: Pictures) -> None:
        at = len(self.pictures)
        self.truth.append(("cut", at, at))
        self.pictures = np.concatenate([self.pictures, shot])

    def dissolve(self, shot: Pictures, length: int) -> None:
        stop = len(self.pictures)
        share = (np.arange(1, length + 1) / (length + 1))[:, None, None, None]
        mixed = self.pictures[-length:] * (1 - share) + shot[:length] * share
        self.truth.append(("dissolve", stop - length, stop))
        self.pictures = np.concatenate([self.pictures[:-length], mixed, shot[length:]])

    def through_black(self, shot: Pictures, out: int, black: int, into: int) -> None:
        stop = len(self.pictures)
        share = (np.arange(1, out + 1) / (out + 1))[::-1, None, None, None]
        rise = (np.arange(1, into + 1) / (into + 1))[:, None, None, None]
        self.pictures[-out:] *= share
        shot[:into] *= rise
        self.truth.append(("fade_out", stop - out, stop))
        self.truth.append(("fade_in", stop + black, stop + black + into))
        dark = np.zeros((black, HEIGHT, WIDTH, 3), np.float32)
        self.pictures = np.concatenate([self.pictures, dark, shot])


def film(pace: float = 1) -> Film:
    """Six shots. ``pace`` stretches all lengths, as a higher rate would."""

    def frames(count: int) -> int:
        return round(count * pace)

    made = Film(take(1, frames(60)))
    made.cut(take(2, frames(55)))
    made.dissolve(take(3, frames(75)), frames(14))
    made.cut(take(4, frames(50)))
    made.through_black(take(5, frames(60)), frames(12), frames(9), frames(12))
    made.cut(take(6, frames(45)))
    return made


def write(
    path: Path,
    pictures: Pictures,
    rate: Fraction,
    dropped: set[int] | None = None,
    **options: str,
) -> Path:
    """H.264 of the pictures; those ``dropped`` are never written, the others keep their time."""
    options = {"crf": "20", "g": "50", "preset": "veryfast"} | options
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=rate, options=options)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.codec_context.time_base = 1 / rate
        for number, picture in enumerate(pictures):
            if dropped and number in dropped:
                continue
            frame = av.VideoFrame.from_ndarray(np.clip(picture, 0, 255).astype(np.uint8), "rgb24")
            frame.pts, frame.time_base = number, 1 / rate
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def found(decisions: DecisionList) -> list[tuple[str, int, int]]:
    """Cuts and transitions with the frames that they cover."""
    kinds = (Kind.CUT, Kind.DISSOLVE, Kind.WIPE, Kind.FADE_IN, Kind.FADE_OUT)
    return [
        (op.kind.value, op.range.start, op.range.end)
        for op in decisions.operations
        if op.kind in kinds
    ]


def shots_of(*paths: Path, **options: Any) -> DecisionList:
    return decide(list(paths), recipe("shots"), shots.Options(**options))


def agree(truth: list[tuple[str, int, int]], seen: list[tuple[str, int, int]], slack: int) -> None:
    """Same kinds in the same order; cuts to the frame, extents within ``slack`` frames."""
    assert [kind for kind, *_ in seen] == [kind for kind, *_ in truth], (seen, truth)
    for (kind, first, stop), (_, at, end) in zip(truth, seen, strict=True):
        allowed = 0 if kind == "cut" else slack
        assert abs(first - at) <= allowed, (seen, truth)
        assert abs(stop - end) <= allowed, (seen, truth)


@pytest.mark.parametrize(
    ("rate", "pace"), [(NTSC_24, 1), (Fraction(25), 1), (NTSC_60, 2)], ids=["24", "25", "60"]
)
def test_every_cut_and_transition_is_found(tmp_path: Path, rate: Fraction, pace: float) -> None:
    made = film(pace)
    decisions = shots_of(write(tmp_path / "film.mp4", made.pictures, rate))
    assert decisions.rate == rate
    assert partition_faults(decisions) == []
    agree(made.truth, found(decisions), slack=3 * round(pace))


@pytest.mark.parametrize("rate", [50, 100, 120])
def test_fast_film_is_exact_to_the_frame(tmp_path: Path, rate: int) -> None:
    """Cuts on frames that the network is not shown, dissolves within two frames."""
    pace = rate // 25
    made = Film(take(1, 37 * pace + 1, pace))
    made.cut(take(2, 30 * pace + pace // 2, pace))
    made.dissolve(take(3, 52 * pace + 1, pace), 14 * pace + 1)
    made.cut(take(4, 34 * pace + 3, pace))
    decisions = shots_of(write(tmp_path / "fast.mp4", made.pictures, Fraction(rate)))
    assert decisions.rate == rate
    agree(made.truth, found(decisions), slack=2)


def test_variable_rate(tmp_path: Path) -> None:
    made = film()
    # Every fifth picture is missing, but none next to a cut.
    near = {
        at + offset for _, first, stop in made.truth for at in (first, stop) for offset in (-1, 0)
    }
    dropped = set(range(2, len(made.pictures) - 2, 5)) - near
    path = write(tmp_path / "phone.mp4", made.pictures, Fraction(30), dropped)
    decisions = shots_of(path)
    assert decisions.rate == 30
    agree(made.truth, found(decisions), slack=4)


@pytest.mark.parametrize("variable", [False, True])
def test_an_interrupted_run_gives_the_same_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: bool
) -> None:
    monkeypatch.setattr(watching, "WINDOWS_PER_SEGMENT", 1)
    dropped = set(range(3, 500, 7)) if variable else None
    pictures = np.concatenate([take(1, 250), take(2, 250)])
    media = probe(write(tmp_path / "film.mp4", pictures, NTSC_24, dropped))
    whole = predict_shots(media, Cache(None))
    cache = Cache(tmp_path / "cache")
    predict_shots(media, cache)
    entries = {path: len(np.load(path)["frames"]) for path in (tmp_path / "cache").rglob("*.npz")}
    assert len(entries) == 3
    # The last segment is the short one; without it the run goes on where it stopped.
    min(entries, key=lambda path: entries[path]).unlink()
    resumed = predict_shots(media, cache)
    assert len(whole) == 500
    assert len(whole.picture_frames) == 500 - len(dropped or ())
    for one in fields(whole)[:-1]:
        assert np.array_equal(getattr(whole, one.name), getattr(resumed, one.name)), one.name


@pytest.mark.parametrize("name", ["film.mp4", "film.mkv", "open.mp4"])
@pytest.mark.parametrize("variable", [False, True])
def test_several_decoders_give_the_answer_of_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, variable: bool
) -> None:
    monkeypatch.setattr(watching, "WINDOWS_PER_SEGMENT", 1)
    pictures = np.concatenate([take(1, 300), take(2, 250), take(3, 250)])
    dropped = {*range(3, 800, 7), *range(200, 240), *range(380, 392)} if variable else None
    options = {"x264-params": "open-gop=1:keyint=24:bframes=3"} if "open" in name else {}
    media = probe(write(tmp_path / name, pictures, Fraction(25), dropped, **options))
    monkeypatch.setattr(watching, "workers_of", lambda job: (1, 1))
    one = predict_shots(media, Cache(None))
    monkeypatch.setattr(watching, "workers_of", lambda job: (3, 1))
    several = predict_shots(media, Cache(None))
    for each in fields(one)[:-1]:
        assert np.array_equal(getattr(one, each.name), getattr(several, each.name)), each.name
    assert (one.seen is not None) == (several.seen is not None) == variable
    for each in fields(one.seen) if one.seen else ():
        assert np.array_equal(getattr(one.seen, each.name), getattr(several.seen, each.name))


def test_one_take_has_no_cut(tmp_path: Path) -> None:
    path = write(tmp_path / "take.mp4", take(11, 300), Fraction(25))
    assert found(shots_of(path)) == []
