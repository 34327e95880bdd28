"""MLT: what is written reads back, and ``melt`` shows the expected picture at every frame."""

from __future__ import annotations

import contextlib
import re
import shutil
import subprocess
from collections.abc import Sequence
from fractions import Fraction
from math import floor
from pathlib import Path
from typing import Any

import av
import numpy as np
import opentimelineio as otio
import pytest
from hypothesis import given
from numpy.typing import NDArray

from otio_mapedit.assemble import assemble
from otio_mapedit.disassemble import disassemble
from otio_mapedit.errors import FormatError
from otio_mapedit.interchange.mlt_reader import read_mlt
from otio_mapedit.interchange.mlt_writer import write_mlt
from otio_mapedit.interchange.registry import write_timeline
from otio_mapedit.interchange.timeline_facts import clip_data
from otio_mapedit.operations import DecisionList
from otio_mapedit.timing import (
    NTSC_24,
    NTSC_30,
    nominal_rate,
    rate_text,
    rational_time,
    timecode,
)
from tests.cli_support import Cli, one_line
from tests.decision_lists import decision_lists
from tests.interchange_strategies import property_test, timeline_facts
from tests.mediamaker import Picture, Sound, movie, number_in, numbered

TR = otio.opentime.TimeRange
FRAMES, WIDTH, HEIGHT = 150, 160, 96


@property_test
@given(decision_lists())
def test_assembled_edits_read_back(decisions: DecisionList) -> None:
    timeline = assemble(decisions)
    text, report = write_mlt(timeline)
    room = [loss for loss in report.losses if "room" in loss.message]
    read = read_mlt(text.encode())[0]
    if not room:
        assert timeline_facts(read) == timeline_facts(timeline)
        assert disassemble(read) == decisions


def test_the_reel_that_an_edl_gave_comes_along() -> None:
    """Its reader keeps it on the clip, as other readers of EDLs do."""
    one = shot(Path("/m/a.mov"), Fraction(25), 0, 50, Fraction(25))
    one.metadata["cmx_3600"] = {"reel": "A001 B", "drop_frame": True}
    (again,) = read_mlt(write_mlt(sequence(Fraction(25), [one]))[0].encode())[0].find_clips()
    assert clip_data(again).reel == "A001 B"
    assert clip_data(again).fact("drop_frame") is True


# What melt shows ----------------------------------------------------------------------------


def shot(
    path: Path, rate: Fraction, first: int, frames: int, sequence: Fraction, start: int = 0
) -> otio.schema.Clip:
    """``frames`` of the sequence from media frame ``first``, whose timecode begins at ``start``."""
    whole = TR(rational_time(start, rate), rational_time(FRAMES, rate))
    span = TR(rational_time(start + first, rate), rational_time(frames, sequence))
    return otio.schema.Clip(path.stem, otio.schema.ExternalReference(path.as_uri(), whole), span)


def paced(clip: otio.schema.Clip, scalar: float) -> otio.schema.Clip:
    clip.effects.append(
        otio.schema.LinearTimeWarp("Speed", time_scalar=scalar)
        if scalar
        else otio.schema.FreezeFrame("Hold")
    )
    return clip


def gap(frames: int, rate: Fraction) -> otio.schema.Gap:
    return otio.schema.Gap(source_range=TR(rational_time(0, rate), rational_time(frames, rate)))


def joined(name: str, before: int, after: int, rate: Fraction) -> otio.schema.Transition:
    types = otio.schema.TransitionTypes
    kind = types.SMPTE_Dissolve if name in ("Cross Dissolve", "Fade") else types.Custom
    return otio.schema.Transition(
        name, kind, rational_time(before, rate), rational_time(after, rate)
    )


def sequence(rate: Fraction, *tracks: Sequence[Any], start: int = 0) -> otio.schema.Timeline:
    timeline = otio.schema.Timeline("cut", global_start_time=rational_time(start, rate))
    timeline.metadata["mapedit"] = {
        "sources": [{"id": "a", "width": WIDTH, "height": HEIGHT, "path": "a.mov"}]
    }
    for number, items in enumerate(tracks, 1):
        timeline.tracks.append(otio.schema.Track(f"V{number}", list(items)))
    return timeline


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Numbered films by rate and first number, made when first asked for."""
    folder = tmp_path_factory.mktemp("films")
    made: dict[tuple[Fraction, int, str], Path] = {}

    def make(rate: Fraction, first: int = 0, timecode: str = "", name: str = "") -> Path:
        key = (rate, first, timecode)
        if key not in made:
            path = folder / (name or f"film {len(made)} & 50%.mov")
            options = {"g": "12", "preset": "veryfast", "qp": "10"}
            picture = Picture(
                rate, FRAMES, size=(WIDTH, HEIGHT), first_number=first, timecode=timecode,
                options=options,
            )  # fmt: skip
            made[key] = movie(path, picture, [Sound(1.0)])
        return made[key]

    return make


def rendered(timeline: otio.schema.Timeline, folder: Path) -> NDArray[np.uint8]:
    """Every picture ``[frame, height, width, 3]`` that melt makes of the file that we write."""
    melt = shutil.which("melt")
    if melt is None:
        pytest.skip("melt is not installed: apt-get install melt")
    path, raw = folder / "cut.mlt", folder / "cut.raw"
    write_timeline(timeline, path)
    how = [
        "f=rawvideo",
        "vcodec=rawvideo",
        "pix_fmt=rgb24",
        "an=1",
        "real_time=-1",
        "rescale=nearest",
    ]
    said = ""
    # On a busy machine melt 7.12 at times ends or waits before its first picture (3 of 120 runs of
    # one file, four at once). What it cannot play at all stays empty however often it is asked.
    for _ in range(6):
        try:
            said = subprocess.run(
                [melt, str(path), "-consumer", f"avformat:{raw}", *how, "terminate_on_pause=1"],
                capture_output=True, text=True, timeout=40, check=False,
            ).stderr  # fmt: skip
        except subprocess.TimeoutExpired:
            continue
        if raw.exists() and raw.stat().st_size:
            break
    assert raw.exists(), said
    return np.fromfile(raw, np.uint8).reshape(-1, HEIGHT, WIDTH, 3)


def numbers(timeline: otio.schema.Timeline, folder: Path) -> list[int]:
    return [number_in(picture) for picture in rendered(timeline, folder)]


@pytest.mark.parametrize("rate", [Fraction(25), NTSC_30, NTSC_24], ids=rate_text)
def test_melt_shows_every_cut(film: Any, tmp_path: Path, rate: Fraction) -> None:
    """Media with timecode, two tracks, a hole, a disabled clip, in a sequence from hour one."""
    one = film(rate, 1000, timecode(nominal_rate(rate) * 3600, rate, False))
    two, hour = film(rate, 5000), nominal_rate(rate) * 3600
    off = shot(two, rate, 40, 6, rate)
    off.enabled = False
    timeline = sequence(
        rate,
        [shot(one, rate, 17, 10, rate, hour), gap(5, rate), shot(two, rate, 3, 12, rate)],
        [gap(4, rate), shot(two, rate, 90, 3, rate), gap(11, rate), off],
        start=hour,
    )
    expected = [*range(1017, 1021), *range(5090, 5093), *range(1024, 1027)]
    expected += [0] * 5 + list(range(5003, 5015))
    assert numbers(timeline, tmp_path) == expected


@pytest.mark.parametrize("scalar", [2.0, 0.5, -1.0, -2.0, 1.25, 0.0])
def test_melt_shows_every_speed(film: Any, tmp_path: Path, scalar: float) -> None:
    rate = Fraction(25)
    one, two = film(rate, 1000, "01:00:00:00"), film(rate, 5000)
    fast = paced(shot(one, rate, 20, 12, rate, 90000), scalar)
    timeline = sequence(rate, [shot(two, rate, 0, 3, rate), fast, shot(two, rate, 9, 3, rate)])
    positions = [Fraction(k) * Fraction(scalar) for k in range(12)]
    if scalar < 0:
        positions = [abs(p) for p in reversed(positions)]
    expected = [1020 + floor(p + Fraction(1, 2)) for p in positions]
    assert numbers(timeline, tmp_path) == [5000, 5001, 5002, *expected, 5009, 5010, 5011]


@pytest.mark.parametrize(
    ("media", "rate"),
    [(NTSC_24, Fraction(25)), (Fraction(50), Fraction(25)), (Fraction(25), NTSC_30)],
)
def test_melt_conforms_other_rates(
    film: Any, tmp_path: Path, media: Fraction, rate: Fraction
) -> None:
    first = 12
    timeline = sequence(rate, [shot(film(media, 1000), media, first, 30, rate, 0)])
    begin = floor(Fraction(first) * rate / media + Fraction(1, 2))
    expected = [1000 + floor((begin + k) * media / rate + Fraction(1, 2)) for k in range(30)]
    assert expected[0] == 1000 + first
    assert numbers(timeline, tmp_path) == expected


@pytest.mark.parametrize(("before", "after"), [(4, 4), (2, 7), (0, 5), (6, 0)])
@pytest.mark.parametrize("name", ["Cross Dissolve", "Wipe"])
def test_melt_mixes_the_right_pictures(
    film: Any, tmp_path: Path, name: str, before: int, after: int
) -> None:
    """Each picture of the mix is so much of the one and so much of the other, to the frame."""
    rate = Fraction(25)
    one, two = film(rate, 1000, "01:00:00:00"), film(rate, 5000)
    timeline = sequence(
        rate,
        [
            shot(one, rate, 30, 20, rate, 90000), joined(name, before, after, rate),
            shot(two, rate, 60, 20, rate),
        ],
    )  # fmt: skip
    shown = rendered(timeline, tmp_path).astype(float)
    assert len(shown) == 40
    for frame, picture in enumerate(shown):
        left, right = (
            numbered(number, (WIDTH, HEIGHT)).astype(float)
            for number in (1030 + frame, 5060 + frame - 20)
        )
        done = min(1.0, max(0.0, (frame - (20 - before)) / (before + after)))
        if name == "Wipe":
            edge = round(done * WIDTH)
            mixed = np.concatenate([right[:, :edge], left[:, edge:]], axis=1)
        else:
            mixed = left * (1 - done) + right * done
        assert abs(picture - mixed).mean() < 12, frame


def test_melt_fades(film: Any, tmp_path: Path) -> None:
    rate = Fraction(25)
    one, two = film(rate, 65535 - FRAMES), film(rate, 5000)
    timeline = sequence(
        rate,
        [
            joined("Fade", 0, 5, rate), shot(one, rate, 0, 20, rate), joined("Fade", 5, 0, rate),
            gap(3, rate), shot(one, rate, 0, 20, rate), joined("Dip to Black", 4, 4, rate),
            shot(two, rate, 0, 20, rate),
        ],
    )  # fmt: skip
    shown = rendered(timeline, tmp_path)
    light = [picture.max() / 255 for picture in shown]
    # melt scales the levels of video, whose black is not 0: a little darker than in proportion.
    near = 0.08
    assert light[:6] == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1], abs=near)
    assert light[14:24] == pytest.approx([1, 1, 0.8, 0.6, 0.4, 0.2, 0, 0, 0, 1], abs=near)
    dip = [1, 1, 1, 0.75, 0.5, 0.25, 0, 0.25, 0.5, 0.75, 1]
    assert light[37:48] == pytest.approx(dip, abs=near)
    assert [number_in(picture) for picture in shown[47:]] == list(range(5004, 5020))


def test_melt_plays_images_stills_and_what_is_missing(tmp_path: Path) -> None:
    rate = Fraction(25)
    for number in range(1001, 1021):
        picture = numbered(number, (WIDTH, HEIGHT))
        av.VideoFrame.from_ndarray(picture, format="rgb24").save(tmp_path / f"a 5%.{number}.png")
    whole = TR(rational_time(1001, rate), rational_time(20, rate))
    images = otio.schema.ImageSequenceReference(
        tmp_path.as_uri() + "/", "a 5%.", ".png", 1001, 1, 25, 4, available_range=whole
    )
    shown = TR(rational_time(1004, rate), rational_time(5, rate))
    (tmp_path / "still.png").write_bytes((tmp_path / "a 5%.1009.png").read_bytes())
    lost = shot(tmp_path / "lost.mov", rate, 0, 4, rate)
    missing = otio.schema.Clip(
        "gone", otio.schema.MissingReference(), TR(whole.start_time, rational_time(3, rate))
    )
    still = shot(tmp_path / "still.png", rate, 0, 4, rate)
    timeline = sequence(rate, [otio.schema.Clip("scan", images, shown), lost, still, missing])
    pictures = rendered(timeline, tmp_path)
    assert len(pictures) == 16
    assert [number_in(picture) for picture in pictures[:5]] == list(range(1004, 1009))
    assert [number_in(picture) for picture in pictures[9:13]] == [1009] * 4
    assert all(picture[:, :, 0].mean() > 100 > picture[:, :, 1].mean() for picture in pictures[13:])


# What others write --------------------------------------------------------------------------

FOREIGN = """<?xml version="1.0" standalone="no"?>
<mlt LC_NUMERIC="C" version="7.22.0" title="Shotcut" producer="tractor1" root="/media">
  <profile frame_rate_num="25" frame_rate_den="1" width="1920" height="1080"/>
  <producer id="black" in="00:00:00.000" out="00:00:05.960">
    <property name="mlt_service">color</property><property name="resource">0</property>
  </producer>
  <playlist id="background"><entry producer="black" in="0" out="149"/></playlist>
  <chain id="chain0" out="00:00:59.960">
    <property name="length">00:01:00.000</property><property name="resource">a.mov</property>
    <property name="mlt_service">avformat-novalidate</property>
    <property name="audio_index">1</property><property name="video_index">0</property>
    <filter in="00:00:01.000" out="00:00:02.960">
      <property name="mlt_service">brightness</property>
      <property name="shotcut:filter">fadeInBrightness</property>
      <property name="level">00:00:00.000=0;00:00:00.400=1</property>
    </filter>
    <filter><property name="mlt_service">sepia</property></filter>
  </chain>
  <chain id="chain1" out="00:00:59.960">
    <property name="length">00:01:00.000</property><property name="resource">a.mov</property>
    <property name="mlt_service">avformat-novalidate</property>
    <property name="audio_index">1</property>
  </chain>
  <chain id="chain2" out="00:00:29.960">
    <property name="length">750</property><property name="resource">2:/other/b.mov</property>
    <property name="warp_speed">2</property><property name="warp_resource">/other/b.mov</property>
    <property name="mlt_service">timewarp</property><property name="audio_index">-1</property>
  </chain>
  <tractor id="tractor0" in="00:00:00.000" out="00:00:00.360">
    <property name="shotcut:transition">lumaMix</property>
    <track producer="chain1" in="00:00:02.600" out="00:00:02.960"/>
    <track producer="chain2" in="00:00:04.000" out="00:00:04.360"/>
    <transition><property name="mlt_service">luma</property></transition>
    <transition><property name="mlt_service">mix</property></transition>
  </tractor>
  <playlist id="playlist0">
    <property name="shotcut:video">1</property><property name="shotcut:name">V1</property>
    <blank length="00:00:01.000"/>
    <entry producer="chain0" in="00:00:01.000" out="00:00:02.560"/>
    <entry producer="tractor0" in="00:00:00.000" out="00:00:00.360"/>
    <entry producer="chain2" in="00:00:04.400" out="00:00:05.960"/>
  </playlist>
  <tractor id="tractor1" in="00:00:00.000" out="00:00:05.960">
    <property name="shotcut">1</property>
    <properties name="shotcut:markers"><properties name="0">
      <property name="text">look</property><property name="start">00:00:02.000</property>
      <property name="end">00:00:02.000</property><property name="color">#fe0000</property>
    </properties></properties>
    <track producer="background"/><track producer="playlist0"/>
    <transition><property name="mlt_service">vqm</property></transition>
  </tractor>
</mlt>
"""


def test_what_shotcut_saved_is_read() -> None:
    """Clock times, chains, a mix that stands between its clips, sound that a picture brings."""
    timeline, report = read_mlt(FOREIGN.encode())
    rate = Fraction(25)
    picture, sound = timeline.tracks
    assert [type(item).__name__ for item in picture] == [
        "Gap", "Transition", "Clip", "Transition", "Clip",
    ]  # fmt: skip
    empty, fade, one, mix, two = picture
    assert empty.source_range.duration == rational_time(25, rate)
    assert (fade.in_offset.value, fade.out_offset.value) == (0, 10)
    assert (mix.in_offset.value, mix.out_offset.value) == (5, 5)
    assert one.source_range == TR(rational_time(25, rate), rational_time(45, rate))
    assert one.media_reference.target_url == "file:///media/a.mov"
    assert one.media_reference.available_range.duration == rational_time(1500, rate)
    assert two.source_range == TR(rational_time(210, rate), rational_time(45, rate))
    assert [effect.time_scalar for effect in two.effects] == [2.0]
    assert two.media_reference.target_url == "file:///other/b.mov"
    assert (sound.kind, [item.name for item in sound.find_clips()]) == ("Audio", ["a.mov"])
    assert one.metadata["mapedit"]["link"] == sound.find_clips()[0].metadata["mapedit"]["link"]
    (marker,) = timeline.tracks.markers
    assert (marker.name, marker.color, marker.marked_range.start_time.value) == ("look", "RED", 50)
    assert sorted(loss.message for loss in report.losses) == ["sepia", "vqm between tracks"]


def test_a_marker_that_was_deleted_in_shotcut_stays_deleted(tmp_path: Path) -> None:
    rate = Fraction(25)
    clip = shot(tmp_path / "a.mov", rate, 10, 40, rate, 90000)
    for name, at in (("first", 90012), ("second", 90020)):
        span = TR(rational_time(at, rate), rational_time(0, rate))
        clip.markers.append(otio.schema.Marker(name, span, "RED"))
    text, report = write_mlt(sequence(rate, [gap(5, rate), clip]))
    assert [loss.feature for loss in report.losses] == ["marker", "marker"]
    (back,) = read_mlt(text.encode())[0].find_clips()
    assert [marker.name for marker in back.markers] == ["first", "second"]
    text = re.sub(r'<properties name="0">.*?</properties>', "", text, flags=re.DOTALL)
    (back,) = read_mlt(text.encode())[0].find_clips()
    assert [marker.name for marker in back.markers] == ["second"]


def test_what_a_person_changed_counts(tmp_path: Path) -> None:
    """A clip slipped and trimmed, its media moved to another folder, its speed changed."""
    rate = Fraction(25)
    clip = shot(tmp_path / "a.mov", rate, 10, 40, rate, 90000)
    text, _ = write_mlt(sequence(rate, [clip]))
    text = text.replace('in="10" out="49"', 'in="13" out="40"').replace(str(tmp_path), "/moved")
    (back,) = read_mlt(text.encode())[0].find_clips()
    assert back.source_range == TR(rational_time(90013, rate), rational_time(28, rate))
    assert back.media_reference.target_url == "file:///moved/a.mov"
    fast, _ = write_mlt(sequence(rate, [paced(clip.deepcopy(), 2.0)]))
    (back,) = read_mlt(fast.replace("2.0", "4.0").encode())[0].find_clips()
    assert [effect.time_scalar for effect in back.effects] == [4.0]


def bomb(inline: bool = False) -> str:
    """Thirty playlists, each of which plays the one before it ten times, by its id or inside."""
    parts = ['<producer id="p0" out="9"><property name="resource">a.mov</property></producer>']
    for number in range(1, 31):
        below = f"p{number - 1}" if not inline or number == 1 else f"l{number - 1}"
        entry = f'<entry producer="{below}" in="0" out="1"/>'
        if inline:
            tractor = f'<tractor><track producer="{below}"/></tractor>'
            entry = f'<entry in="0" out="1">{tractor}</entry>'
        entries = entry * 10
        parts.append(f'<playlist id="l{number}">{entries}</playlist>')
        parts.append(f'<tractor id="p{number}"><track producer="l{number}"/></tractor>')
    return "".join(parts)


@pytest.mark.parametrize(
    "content",
    [
        b"", b"no", b"\x00\xff" * 999, b"<mlt/>", b"<mlt><tractor/></mlt", b"<xmeml/>",
        b'<!DOCTYPE a [<!ENTITY b "c">]><mlt>&b;</mlt>', b"<mlt>" + b"<a>" * 10_000,
        f'<mlt producer="p18">{bomb()}</mlt>'.encode(),
        f'<mlt producer="p18">{bomb(inline=True)}</mlt>'.encode(),
    ],
    ids=["empty", "text", "noise", "nothing", "torn", "xmeml", "entity", "deep", "bomb", "inline"],
)  # fmt: skip
def test_what_is_no_mlt_gets_one_line(cli: Cli, here: Path, content: bytes) -> None:
    (here / "bad.mlt").write_bytes(content)
    assert one_line(cli("convert", "bad.mlt", "cut.otio"), 4)
    assert not (here / "cut.otio").exists()


def test_odd_values_do_no_harm() -> None:
    """Every attribute and property replaced by nonsense: our errors, or a timeline."""
    strange = ("", "-1", "999999999999", "nan", "1e400", "00:00:99.9", "x", "=;=", "%d%s", "clip1")
    values = re.findall(r'="([^"]+)"|>([^<\n]+)<', FOREIGN)
    for value in sorted({one or other for one, other in values}):
        for odd in strange:
            text = FOREIGN.replace(f'"{value}"', f'"{odd}"').replace(f">{value}<", f">{odd}<")
            with contextlib.suppress(FormatError):
                read_mlt(text.encode())
