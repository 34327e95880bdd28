"""From the shot network's curves to shots.

Everything here counts moments of one file, as the network was shown them; the answer counts the
file's pictures (:mod:`otio_mapedit.shot_refine`). A boundary is a hard cut (a local maximum of the
cut curve), a gradual transition (a run of mixed pictures) or an edge of a black passage. The
network decides; what the pictures themselves show (their luma, whether the picture before comes
back) only refines: it tells a flash from a cut and black from a dark shot.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from .inference import ShotPredictions
from .shot_curves import (
    CAME_BACK,
    LONGEST_DIP,
    MIN_RUN,
    PLAIN,
    RUN_GAP,
    Curve,
    Run,
    beside_black,
    black_between_shots,
    evidence_of_change,
    flash_end,
    likely_kind,
    mixed_runs,
    peaks,
    shifted,
)
from .shot_list import Boundary, Doubt, Shot, ShotList
from .shot_refine import to_pictures


def find_shots(
    predictions: ShotPredictions,
    sensitivity: float = 0.5,
    min_frames: int = 1,
    almost: float = 0.4,
) -> ShotList:
    """The shots that a file's predictions describe.

    ``sensitivity`` runs from 0 (only what is certain) to 1; 0.5 takes the network's own thresholds.
    Shots shorter than ``min_frames`` grid frames join a neighbour. What did not count, but has a
    probability from ``almost`` up, is a doubt.
    """
    cut_level = shifted(predictions.cut_threshold, sensitivity)
    run_level = shifted(predictions.transition_threshold, sensitivity)
    blacks, dark = black_between_shots(predictions)
    gradual = _gradual(predictions, run_level, blacks)
    cuts, flashes = _without_flashes(predictions, _cuts(predictions, cut_level))
    cuts = _outside(cuts, gradual, blacks)
    boundaries = sorted([*cuts, *gradual, *_black_edges(predictions, blacks, gradual)])
    boundaries = _dips(predictions, boundaries, blacks)
    boundaries, shorts = _long_enough(predictions, boundaries, blacks, min_frames)
    doubts = [*flashes, *shorts, *(Doubt(*run, "black", 1.0) for run in dark)]
    doubts += _almost(predictions, almost, (cut_level, run_level), boundaries, doubts)
    shots = _shots(len(predictions), boundaries, blacks)
    return to_pictures(predictions, ShotList(shots, tuple(sorted(doubts))))


def _cuts(predictions: ShotPredictions, level: float) -> list[Boundary]:
    curve = predictions.cut
    return [Boundary(at, at, "cut", float(curve[at])) for at in peaks(curve, level)]


def _without_flashes(
    predictions: ShotPredictions, cuts: list[Boundary]
) -> tuple[list[Boundary], list[Doubt]]:
    """Cuts that are not the edges of a flash, and the flashes."""
    kept: list[Boundary] = []
    flashes: list[Doubt] = []
    for cut in cuts:
        if flashes and cut.at <= flashes[-1].stop:
            continue
        back = flash_end(predictions, cut.at)
        if back is None:
            kept.append(cut)
        else:
            flashes.append(Doubt(cut.at, back, "flash", cut.confidence))
    return kept, flashes


def _gradual(predictions: ShotPredictions, level: float, blacks: list[Run]) -> list[Boundary]:
    """Gradual transitions; what touches a black passage is a fade into or out of it."""
    found: list[Boundary] = []
    for first, stop in mixed_runs(predictions.transition, level):
        for start, end in beside_black(first, stop, blacks):
            found += _transitions(predictions, start, end, blacks)
    return found


def _transitions(
    predictions: ShotPredictions, first: int, stop: int, blacks: list[Run]
) -> Iterator[Boundary]:
    """What a run of mixed pictures is: a fade beside black, else a transition or a cut."""
    to_black = any(stop == black_first for black_first, _ in blacks)
    from_black = any(first == black_stop for _, black_stop in blacks)
    if from_black and to_black:
        brightest = predictions.luma[first:stop].argmax()
        middle = first + int(brightest)
        yield from _mixed(predictions, "fade_in", first, middle)
        yield from _mixed(predictions, "fade_out", middle + 1, stop)
    elif from_black:
        yield from _mixed(predictions, "fade_in", first, stop)
    elif to_black:
        yield from _mixed(predictions, "fade_out", first, stop)
    elif stop - first < MIN_RUN:
        at = (first + stop + 1) // 2
        if 0 < at < len(predictions):
            peak = float(predictions.transition[first:stop].max())
            yield Boundary(at, at, "cut", peak)
    else:
        yield from _without_black(predictions, first, stop)


def _without_black(predictions: ShotPredictions, first: int, stop: int) -> Iterator[Boundary]:
    """A transition that touches no black passage."""
    kind, _ = likely_kind(predictions, first, stop)
    starts, ends = first <= RUN_GAP, stop >= len(predictions) - RUN_GAP
    if starts or ends:
        first, stop = 0 if starts else first, len(predictions) if ends else stop
        # The other shot of a dissolve is not in the file; a fade needs none.
        if kind == ("fade_in" if starts else "fade_out") and not (starts and ends):
            yield from _mixed(predictions, kind, first, stop)
    else:
        plain = kind in ("fade_out", "fade_in")
        yield from _mixed(predictions, "dissolve" if plain else kind, first, stop, plain)


def _mixed(
    predictions: ShotPredictions, kind: str, first: int, stop: int, plain: bool = False
) -> Iterator[Boundary]:
    if first < stop:
        yield Boundary(first, stop, kind, float(predictions.transition[first:stop].mean()), plain)


def _outside(cuts: list[Boundary], gradual: list[Boundary], blacks: list[Run]) -> list[Boundary]:
    """Cuts that no transition or black passage explains."""
    runs = [(boundary.first, boundary.stop) for boundary in gradual]
    taken = _covered(max((cut.at for cut in cuts), default=0) + 1, [*runs, *blacks], 1)
    return [cut for cut in cuts if not taken[cut.at]]


def _covered(count: int, spans: Iterable[Run], reach: int) -> Curve:
    """Which of ``count`` pictures lie in a span or, at most ``reach`` pictures, beside it; the
    picture after a span is in it."""
    taken = np.zeros(count, bool)
    for first, stop in spans:
        taken[max(0, first - reach) : stop + reach + 1] = True
    return taken


def _black_edges(
    predictions: ShotPredictions, blacks: list[Run], gradual: list[Boundary]
) -> list[Boundary]:
    """Hard edges of black passages: the ones that no fade leads to."""
    faded_out = {boundary.stop for boundary in gradual if boundary.kind == "fade_out"}
    faded_in = {boundary.first for boundary in gradual if boundary.kind == "fade_in"}
    edges = [first for first, _ in blacks if first > 0 and first not in faded_out]
    edges += [stop for _, stop in blacks if stop < len(predictions) and stop not in faded_in]
    return [Boundary(at, at, "cut", evidence_of_change(predictions, at)) for at in edges]


def _dips(
    predictions: ShotPredictions, boundaries: list[Boundary], blacks: list[Run]
) -> list[Boundary]:
    """Boundaries with a few pictures of one plain colour between them are one, a dip through it."""
    edges = {edge for black in blacks for edge in black}
    merged: list[Boundary] = []
    for boundary in boundaries:
        one = merged[-1] if merged else boundary
        between = slice(one.stop, boundary.first)
        if (
            0 < boundary.first - one.stop <= LONGEST_DIP
            and not {one.at, boundary.at} & edges
            and (predictions.peak[between] - predictions.luma[between]).max() <= PLAIN
        ):
            surer = max(one.confidence, boundary.confidence)
            merged[-1] = Boundary(one.first, boundary.stop, "dissolve", surer, plain=True)
        else:
            merged.append(boundary)
    return merged


def _long_enough(
    predictions: ShotPredictions,
    boundaries: list[Boundary],
    blacks: list[Run],
    min_frames: int,
) -> tuple[list[Boundary], list[Doubt]]:
    """Boundaries without those that make a shot shorter than ``min_frames``, the less certain of
    two going, and the short shots. The edges of black stay."""
    edges = {edge for black in blacks for edge in black}
    frames = predictions.frames
    kept: list[Boundary] = []
    doubts: list[Doubt] = []

    def length(first: int, stop: int) -> int:
        return int(frames[min(stop, len(frames) - 1)] - frames[first]) + (stop >= len(frames))

    def weaker(one: Boundary, two: Boundary) -> list[Boundary]:
        """What has to go of two neighbouring boundaries: the one, the other, both or neither."""
        loose = [each for each in (one, two) if each.at not in edges]
        if not loose or length(one.at, two.at) >= min_frames:
            return []
        came_back = one.kind == "cut" and predictions.returned[one.at] < CAME_BACK
        return loose if came_back else [min(loose, key=lambda each: each.confidence)]

    for boundary in boundaries:
        if boundary.at not in {0, len(frames), *edges} and (
            length(0, boundary.at) < min_frames or length(boundary.at, len(frames)) < min_frames
        ):
            doubts.append(Doubt(boundary.at, boundary.at + 1, "short shot", boundary.confidence))
            continue
        while kept and (gone := weaker(kept[-1], boundary)):
            one = kept[-1]
            doubts.append(Doubt(one.at, max(boundary.at, one.at + 1), "short shot", one.confidence))
            if one in gone:
                kept.pop()
            if boundary in gone:
                break
        else:
            kept.append(boundary)
    return kept, doubts


def _almost(
    predictions: ShotPredictions,
    floor: float,
    levels: tuple[float, float],
    boundaries: list[Boundary],
    doubts: list[Doubt],
) -> list[Doubt]:
    """What came near to counting as a cut or transition, away from everything already named."""
    cut_level, run_level = levels
    found = [
        Doubt(cut.at, cut.at + 1, "cut", cut.confidence)
        for cut in _cuts(predictions, floor)
        if cut.confidence < cut_level
    ]
    for first, stop in mixed_runs(predictions.transition, floor):
        mean = float(predictions.transition[first:stop].mean())
        if mean < run_level and stop - first >= MIN_RUN:
            found.append(Doubt(first, stop, "transition", mean))
    named: list[Run] = [(each.first, each.stop) for each in boundaries]
    named += [(each.first, each.stop) for each in doubts]
    taken = _covered(len(predictions), named, 3)
    return [doubt for doubt in found if not taken[doubt.first : doubt.stop].any()]


def _shots(count: int, boundaries: list[Boundary], blacks: list[Run]) -> tuple[Shot, ...]:
    """The stretches between boundaries."""
    inner = [boundary for boundary in boundaries if 0 < boundary.at < count]
    starts = [0, *(boundary.at for boundary in inner)]
    stops = [*starts[1:], count]
    head = next((each for each in boundaries if each.at == 0), None)
    tail = next((each for each in boundaries if each.at == count), None)
    openings = [head, *inner]
    closings = [*inner, tail]
    return tuple(
        Shot(first, stop, (first, stop) in blacks, opening, closing)
        for first, stop, opening, closing in zip(starts, stops, openings, closings, strict=True)
    )
