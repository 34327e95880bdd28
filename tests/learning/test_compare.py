"""What a human changed is told exactly: made timelines, one edit at a time, and real exports."""

from __future__ import annotations

import random
from collections import Counter
from fractions import Fraction
from pathlib import Path
from typing import Any

import opentimelineio as otio
import pytest
from hypothesis import given, settings

from otio_mapedit.interchange.registry import read_timeline, write_timeline
from otio_mapedit.learning.compare import Change, Comparison, compare
from otio_mapedit.learning.marked import COLOURS, described, marked
from otio_mapedit.timing import NTSC_24, rational_time
from tests.cli_support import TALK, Cli, one_line
from tests.human_edits import EDITS, clips_of
from tests.interchange_strategies import timelines

RT, TR = otio.opentime.RationalTime, otio.opentime.TimeRange


def clip(media: str, first: int, frames: int, rate: float = 25.0, tc: int = 90000) -> Any:
    """``frames`` of a media from its frame ``first``; the media has 5,000 frames from ``tc``."""
    reference = otio.schema.ExternalReference(
        f"file:///rushes/{media}", TR(RT(tc, rate), RT(5000, rate))
    )
    reference.name = media
    return otio.schema.Clip(media, reference, TR(RT(tc + first, rate), RT(frames, rate)))


def timeline(*tracks: list[Any], sound: list[Any] | None = None) -> Any:
    made = otio.schema.Timeline("cut", global_start_time=RT(90000, 25))
    for items in tracks:
        track = otio.schema.Track(f"V{len(made.tracks) + 1}", kind="Video")
        track.extend(items)
        made.tracks.append(track)
    if sound is not None:
        track = otio.schema.Track("A1", kind="Audio")
        track.extend(sound)
        made.tracks.append(track)
    return made


def cut() -> Any:
    """Twelve shots of six rushes, with their sound."""
    shots = [(f"A{n % 6:03d}.mov", 200 * n, 40 + 3 * n) for n in range(12)]
    return timeline([clip(*shot) for shot in shots], sound=[clip(*shot) for shot in shots])


def silent() -> Any:
    """Twelve shots, each of its own media, without sound."""
    return timeline([clip(f"B{n:03d}.mov", 100 + n, 40 + 2 * n) for n in range(12)])


def changed(found: Comparison) -> Counter[tuple[Change, ...]]:
    return Counter(each.changes for each in found.passages if not each.is_accepted)


def test_an_edit_is_like_itself() -> None:
    found = compare(cut(), cut())
    assert found.same
    assert found.agreement.f1 == 1
    assert len(found.passages) == 12
    assert set(found.agreement.boundary) == {0}


@pytest.mark.parametrize("name", EDITS)
@pytest.mark.parametrize("seed", range(4))
def test_each_edit_is_told(name: str, seed: int) -> None:
    for luck in range(100 * seed, 100 * seed + 100):
        human = silent()
        expected = EDITS[name](human, random.Random(luck))
        if expected is not None:
            break
    assert expected is not None
    assert changed(compare(silent(), human)) == Counter(expected.values())


@settings(max_examples=60)
@given(timelines())
def test_any_edit_is_like_itself(made: Any) -> None:
    assert compare(made, made.deepcopy()).same


def test_frames_of_a_trim() -> None:
    human = cut()
    for track in human.tracks:
        span = track[3].source_range
        track[3].source_range = TR(span.start_time + RT(5, 25), span.duration - RT(12, 25))
        span = track[5].source_range
        track[5].source_range = TR(span.start_time - RT(4, 25), span.duration + RT(4, 25))
    found = compare(cut(), human)
    assert [(p.head, p.tail) for p in found.passages if not p.is_accepted] == [(5, 7), (-4, 0)]
    assert found.agreement.boundary.count(0) == 21
    # 577 of the frames are common; 12 of the proposed are gone, 4 of the human's new
    total = sum(40 + 3 * n for n in range(12))
    assert found.agreement.kept == tuple(Fraction(n, 25) for n in (total, total - 8, total - 12))
    assert found.agreement.f1 == pytest.approx(2 * (total - 12) / (2 * total - 8))


def test_sound_that_is_cut_apart_from_its_picture() -> None:
    human = cut()
    picture, sound = human.tracks
    first, second = picture[2].source_range, picture[3].source_range
    picture[2].source_range = TR(first.start_time, first.duration - RT(6, 25))
    picture[3].source_range = TR(second.start_time - RT(6, 25), second.duration + RT(6, 25))
    told = changed(compare(cut(), human))
    assert told == Counter({(Change.TRIMMED, Change.SOUND): 2})
    assert len(sound) == 12


def test_a_removed_sound_is_a_change() -> None:
    human = cut()
    del human.tracks[1][:]
    assert changed(compare(cut(), human)) == Counter({(Change.SOUND,): 12})


def test_media_is_known_by_other_signs() -> None:
    """Relinked, proxied, counted from 0, and as an EDL names it."""
    human = silent()
    for number, each in enumerate(human.tracks[0]):
        reference, span = each.media_reference, each.source_range
        if number % 4 == 0:
            reference.target_url = f"file:///Volumes/Other/{reference.name}"
        elif number % 4 == 1:
            reference.target_url = reference.target_url.replace(".mov", "_proxy.mp4").replace(
                "_proxy", ""
            )
        elif number % 4 == 2:
            reference.available_range = TR(RT(0, 25), RT(5000, 25))
            each.source_range = TR(span.start_time - RT(90000, 25), span.duration)
        else:
            missing = otio.schema.MissingReference(reference.name)
            missing.metadata["cmx_3600"] = {"reel": f"B{number:03d}"}
            each.media_reference = missing
        each.name = f"renamed {number}"
    assert compare(silent(), human).same


def test_the_rate_of_the_sequence_does_not_matter() -> None:
    slow = otio.schema.Timeline("cut", global_start_time=rational_time(0, NTSC_24))
    track = otio.schema.Track("V1", kind="Video")
    for n in range(6):
        each = clip(f"B{n:03d}.mov", 100 + n, 40 + 2 * n)
        length = round(each.source_range.duration.to_seconds() * 24000 / 1001)
        each.source_range = TR(each.source_range.start_time, RT(length, 24000 / 1001))
        track.append(each)
    slow.tracks.append(track)
    human = timeline([clip(f"B{n:03d}.mov", 100 + n, 40 + 2 * n) for n in range(6)])
    found = compare(slow, human)
    assert all(abs(p.head or 0) <= 1 and abs(p.tail or 0) <= 1 for p in found.passages)
    assert not found.count(Change.MOVED)


def test_a_part_of_a_reel() -> None:
    human = silent()
    del human.tracks[0][9:]
    del human.tracks[0][:4]
    assert changed(compare(silent(), human)) == Counter({(Change.REMOVED,): 7})
    assert changed(compare(silent(), human, partial=True)) == Counter({(Change.OUTSIDE,): 7})


def exported(first: int, last: int, into: int = 0, start: int | None = None) -> Any:
    """Clips ``first`` to ``last`` of the reel from an in point ``into`` frames into the first: with
    the record's timecode, or with ``start``."""
    reel, human = silent(), silent()
    begins = human.tracks[0].range_of_child_at_index(first).start_time + RT(into, 25)
    del human.tracks[0][last + 1 :]
    del human.tracks[0][:first]
    head = human.tracks[0][0]
    span = head.source_range
    head.source_range = TR(span.start_time + RT(into, 25), span.duration - RT(into, 25))
    origin = reel.global_start_time or RT(0, 25)
    human.global_start_time = origin + begins if start is None else RT(start, 25)
    return human


def test_a_part_of_a_reel_is_told_by_its_timecode() -> None:
    found = compare(silent(), exported(4, 8))
    assert found.partial
    assert found.found_out
    assert changed(found) == Counter({(Change.OUTSIDE,): 7})
    inside = compare(silent(), exported(4, 8, into=7))
    assert changed(inside) == Counter({(Change.OUTSIDE,): 7}), "the in point is no trim"
    edited = exported(3, 8)
    del edited.tracks[0][2]
    assert changed(compare(silent(), edited)) == Counter(
        {(Change.OUTSIDE,): 6, (Change.REMOVED,): 1}
    )


@pytest.mark.parametrize(
    "human",
    [
        pytest.param(exported(4, 8, start=90000), id="the gap was closed"),
        pytest.param(exported(4, 8, start=180_000), id="an hour later"),
        pytest.param(exported(4, 8, start=90_013), id="a little later"),
    ],
)
def test_what_is_not_certain_counts_as_removed(human: Any) -> None:
    found = compare(silent(), human)
    assert not found.partial
    assert changed(found) == Counter({(Change.REMOVED,): 7})
    assert changed(compare(silent(), exported(4, 8), partial=False))[(Change.REMOVED,)] == 7


def test_a_drop_that_the_human_takes_back() -> None:
    """Two passages become one, over what had been left out."""
    proposed = timeline([clip("A.mov", 0, 50), clip("A.mov", 80, 40), clip("B.mov", 0, 30)])
    human = timeline([clip("A.mov", 0, 120), clip("B.mov", 0, 30)])
    found = compare(proposed, human)
    assert [(p.head, p.tail) for p in found.passages] == [(0, None), (None, 0), (0, 0)]
    assert found.agreement.precision == 1
    assert found.agreement.recall == pytest.approx(120 / 150)


def test_many_uses_of_the_same_moments_stay_in_order() -> None:
    """A loop of one shot, 400 times: one is taken out."""
    proposed = timeline([clip("loop.mov", 0, 25) for _ in range(400)])
    human = timeline([clip("loop.mov", 0, 25) for _ in range(399)])
    assert changed(compare(proposed, human)) == Counter({(Change.REMOVED,): 1})


def test_a_sample_is_no_frame() -> None:
    """Sound that is counted in samples may be rounded to one by a format."""

    def music(samples: int) -> Any:
        reference = otio.schema.ExternalReference(
            "file:///music/a.wav", TR(RT(0, 48000), RT(9_600_000, 48000))
        )
        span = TR(RT(0, 48000), RT(samples, 48000))
        return timeline([], sound=[otio.schema.Clip("a", reference, span)])

    assert compare(music(2_993_454), music(2_993_453)).same
    assert changed(compare(music(2_993_454), music(2_990_000))) == Counter({(Change.TRIMMED,): 1})


def test_empty_edits() -> None:
    found = compare(timeline([]), timeline([]))
    assert found.passages == ()
    assert found.agreement.f1 == 1
    assert changed(compare(silent(), timeline([]))) == Counter({(Change.REMOVED,): 12})


def test_the_marked_timeline_shows_every_change() -> None:
    human = silent()
    del human.tracks[0][4]
    human.tracks[0][6].enabled = False
    found = compare(silent(), human)
    result = marked(human, found)
    assert [(m.color, m.comment) for m in result.tracks.markers] == [
        (COLOURS[Change.REMOVED], "removed"),
        (COLOURS[Change.DISABLED], "disabled"),
    ]
    place = result.tracks.markers[0].marked_range.start_time
    assert place == human.tracks[0].range_of_child_at_index(4).start_time
    assert not human.tracks.markers, "the human's timeline is not touched"


def test_words_for_what_happened() -> None:
    human = silent()
    human.tracks[0][2].source_range = TR(
        human.tracks[0][2].source_range.start_time + RT(3, 25), RT(41, 25)
    )
    (told,) = [p for p in compare(silent(), human).passages if not p.is_accepted]
    assert described(told) == "trimmed: head -3f"


def test_on_the_command_line(cli: Cli, here: Path) -> None:
    assert cli("roughcut", TALK, "-o", "p.otio", "-q").code == 0
    assert cli("convert", "p.otio", "h.fcpxml").code == 0
    same = cli("compare", "p.otio", "h.fcpxml", "--strict")
    assert (same.code, "5 accepted" in same.out) == (0, True), same
    edit = read_timeline(Path("p.otio"))
    for track in edit.tracks:
        del track[1]
    write_timeline(edit, Path("h.xml"), "premiere")
    found = cli("compare", "p.otio", "h.xml", "-o", "marked.otio", "--json", "--strict")
    assert found.code == 3
    assert found.json["counts"]["removed"] == 1
    assert found.json["passages"][1]["changes"] == ["removed"]
    assert found.json["passages"][1]["id"].startswith("keep-")
    assert len(read_timeline(Path("marked.otio")).tracks.markers) == 1
    again = cli("compare", "p.otio", "h.xml", "-o", "marked.otio")
    assert "--force" in one_line(again, 2)
    lost = cli("compare", "p.otio", "gone.xml")
    assert "gone.xml" in one_line(lost, 4)
    moved = cli("compare", "p.otio", "h.xml", "--media-root", "/nowhere=/there")
    assert "no media lies below /nowhere" in one_line(moved, 2)


def read_real(path: Path) -> Any | None:
    """A real export at the first rate that it can be read at, None if it cannot be read."""
    rates = (None, 24, NTSC_24, 25, Fraction(30000, 1001), 30)
    for rate in rates if path.suffix.lower() == ".edl" else rates[:1]:
        try:
            return read_timeline(path, None if rate is None else Fraction(rate))
        except Exception:
            continue
    return None


def test_edits_of_real_exports_are_told_right(shared: Path) -> None:
    """At least 98 of 100; the whole table is printed by benchmarks/compare.py."""
    wrong, told = [], 0
    endings = (".fcpxml", ".xml", ".edl", ".otio")
    for path in sorted((shared / "interchange").rglob("*")):
        made = read_real(path) if path.suffix.lower() in endings else None
        if made is None or not 0 < len(clips_of(made)) < 60:
            continue
        for name, edit in EDITS.items():
            human = made.deepcopy()
            expected = edit(human, random.Random(1))
            if expected is None:
                continue
            told += 1
            if changed(compare(made, human)) != Counter(expected.values()):
                wrong.append((path.name, name))
    assert told > 300
    assert len(wrong) <= 0.02 * told, wrong
