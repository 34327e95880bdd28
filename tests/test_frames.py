"""Pictures stand at their frames: proved by the number that each made picture shows."""

from __future__ import annotations

import random
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from otio_mapedit import frames as frames_module
from otio_mapedit import picture_decoder
from otio_mapedit.errors import MediaError
from otio_mapedit.frames import Thumbnails, decode_span, keyframe_pictures, thumbnails
from otio_mapedit.media import MediaInfo, probe
from otio_mapedit.timing import NTSC_24, NTSC_30, NTSC_60, frame_at
from tests.mediamaker import Picture, Sound, movie, number_in

RATES = [NTSC_24, Fraction(25), NTSC_30, Fraction(30), Fraction(50), NTSC_60]

OPEN_GOP = {"x264-params": "open-gop=1:keyint=24:min-keyint=24:bframes=3:scenecut=0"}

KINDS = {
    "open.mp4": Picture(options=OPEN_GOP, frames=150),
    "open.mkv": Picture(options=OPEN_GOP, frames=150),
    "open.ts": Picture(options=OPEN_GOP, frames=150),
    "closed.mov": Picture(frames=150),
    "refresh.mp4": Picture(options={"x264-params": "intra-refresh=1:keyint=24"}, frames=150),
    "one.mp4": Picture(options={"g": "999", "bf": "2", "preset": "veryfast"}, frames=150),
    "old.mpg": Picture(codec="mpeg2video", options={"g": "15", "bf": "2"}, frames=150),
    "old.avi": Picture(codec="mpeg4", options={"g": "15", "bf": "2"}, frames=150),
    "new.avi": Picture(options={"g": "15", "bf": "2", "preset": "veryfast"}, frames=150),
    "intra.mov": Picture(codec="prores_ks", pixels="yuv422p10le", options={}, frames=150),
    "intra.avi": Picture(codec="mjpeg", pixels="yuvj420p", options={}, frames=150),
    "broadcast.mxf": Picture(codec="mpeg2video", options={"g": "12", "bf": "2"}, frames=150),
    "web.webm": Picture(
        codec="libvpx-vp9", options={"g": "24", "deadline": "realtime"}, frames=150
    ),
}


def joined(batches: list[Thumbnails]) -> Thumbnails:
    return Thumbnails(
        np.concatenate([batch.frames for batch in batches]),
        np.concatenate([batch.pictures for batch in batches]),
    )


def numbers(batch: Thumbnails) -> list[int]:
    return [number_in(picture) for picture in batch.pictures]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, MediaInfo]:
    folder = tmp_path_factory.mktemp("made")
    return {name: probe(movie(folder / name, picture)) for name, picture in KINDS.items()}


@pytest.mark.parametrize("rate", RATES)
def test_first_middle_and_last_frame_at_every_rate(tmp_path: Path, rate: Fraction) -> None:
    media = probe(movie(tmp_path / "a.mov", Picture(rate=rate, frames=211, timecode="01:00:00:00")))
    whole = joined(list(thumbnails(media)))
    assert whole.pictures.shape == (211, 27, 48, 3)
    assert whole.pictures.dtype == np.uint8
    assert whole.frames.tolist() == numbers(whole) == list(range(211))
    for first in (0, 1, 104, 105, 106, 209, 210):
        part = joined(list(thumbnails(media, first)))
        assert part.frames[0] == numbers(part)[0] == first
        assert np.array_equal(part.pictures, whole.pictures[first:])


@pytest.mark.parametrize("name", list(KINDS))
def test_every_kind_of_stream(made: dict[str, MediaInfo], name: str) -> None:
    media = made[name]
    whole = joined(list(thumbnails(media, batch=64)))
    assert whole.frames.tolist() == numbers(whole) == list(range(150))
    for first, stop in ((149, 150), (140, 150), (73, 90), (60, 61), (24, 50)):
        part = joined(list(thumbnails(media, first, stop, batch=7)))
        assert part.frames.tolist() == numbers(part) == list(range(first, stop)), (first, stop)
        assert np.array_equal(part.pictures, whole.pictures[first:stop])


def test_without_the_loop_filter_thumbnails_are_nearly_alike(tmp_path: Path) -> None:
    options = {"x264-params": "crf=38:keyint=30:bframes=2:scenecut=0"}
    media = probe(movie(tmp_path / "coarse.mp4", Picture(options=options, frames=90)))
    whole = joined(list(thumbnails(media)))
    found = joined(list(thumbnails(media, unfiltered=True)))
    (part,) = thumbnails(media, 40, 60, unfiltered=True)
    apart = np.abs(found.pictures.astype(int) - whole.pictures)
    assert 0 < apart.mean() < 3
    assert numbers(found) == found.frames.tolist() == list(range(90))
    assert np.array_equal(part.pictures, found.pictures[40:60])


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(first=st.integers(-3, 160), length=st.integers(0, 60), batch=st.integers(1, 70))
def test_any_span_is_a_slice_of_the_whole(
    made: dict[str, MediaInfo], first: int, length: int, batch: int
) -> None:
    media = made["open.mkv"]
    batches = list(thumbnails(media, first, first + length, batch))
    expected = list(range(max(0, first), max(0, min(first + length, 150))))
    assert [int(frame) for part in batches for frame in part.frames] == expected
    assert all(len(part.frames) == batch for part in batches[:-1])
    if batches:
        assert numbers(joined(batches)) == expected


def test_variable_rate_pictures_stand_at_their_nearest_frame(tmp_path: Path) -> None:
    chance = random.Random(5)
    times, now = [], 0
    for _ in range(120):
        times.append(now)
        now += chance.choice([3000, 3000, 3000, 3300, 6000, 1000])
    options = {"g": "20", "bf": "2", "preset": "veryfast"}
    picture = Picture(rate=Fraction(30), times=times, time_base=Fraction(1, 90000), options=options)
    media = probe(movie(tmp_path / "a.mkv", picture))
    assert media.rate == 30
    # Matroska rounds to milliseconds. Of two pictures on one frame the later stands.
    expected: dict[int, int] = {}
    for number, time in enumerate(times):
        expected[frame_at(Fraction(round(time / 90), 1000), Fraction(30))] = number
    whole = joined(list(thumbnails(media)))
    assert dict(zip(whole.frames.tolist(), numbers(whole), strict=True)) == expected
    assert np.all(np.diff(whole.frames) > 0)
    middle = int(whole.frames[60])
    part = joined(list(thumbnails(media, middle, middle + 30)))
    inside = (whole.frames >= middle) & (whole.frames < middle + 30)
    assert np.array_equal(part.frames, whole.frames[inside])
    assert np.array_equal(part.pictures, whole.pictures[inside])


@pytest.mark.parametrize("name", ["late.mkv", "late.mp4", "late.ts"])
def test_frames_count_from_the_first_picture(tmp_path: Path, name: str) -> None:
    sound = Sound(codec="aac", duration=3)
    media = probe(movie(tmp_path / name, Picture(times=range(30, 130)), [sound]))
    assert media.origin >= Fraction(30, 25)
    whole = joined(list(thumbnails(media)))
    assert whole.frames.tolist() == numbers(whole) == list(range(100))
    assert numbers(joined(list(thumbnails(media, 77)))) == list(range(77, 100))


def test_span_in_another_size(made: dict[str, MediaInfo]) -> None:
    span = decode_span(made["closed.mov"], 70, 80)
    assert span.pictures.shape == (10, 54, 96, 3)
    assert numbers(span) == span.frames.tolist() == list(range(70, 80))
    nothing = decode_span(made["closed.mov"], 80, 80, (32, 18))
    assert nothing.pictures.shape == (0, 18, 32, 3)


@pytest.mark.parametrize("name", list(KINDS))
@pytest.mark.parametrize("large", [False, True])
def test_keyframes_are_about_a_second_apart(
    made: dict[str, MediaInfo], name: str, large: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if large:
        monkeypatch.setattr(frames_module, "READ_THROUGH", 0)
    media = made[name]
    found = list(keyframe_pictures(media))
    frames = [frame for frame, _ in found]
    assert [number_in(picture) for _, picture in found] == frames
    assert frames[0] == 0
    assert all(picture.shape == (54, 96, 3) for _, picture in found)
    apart = np.diff(frames)
    # The numbers in the picture change so much that encoders put keyframes early now and then.
    assert not len(apart) or np.mean(apart) >= 20
    if name not in ("refresh.mp4", "one.mp4"):
        assert np.all(apart <= 48)
        assert len(frames) >= 4


def test_keyframes_may_be_wanted_closer(made: dict[str, MediaInfo]) -> None:
    found = [frame for frame, _ in keyframe_pictures(made["intra.mov"], Fraction(0), (48, 27))]
    assert found == list(range(150))
    found = [frame for frame, _ in keyframe_pictures(made["intra.mov"], Fraction(1, 5))]
    assert found == list(range(0, 150, 5))


def test_no_picture(tmp_path: Path) -> None:
    media = probe(movie(tmp_path / "a.wav", sounds=[Sound()]))
    with pytest.raises(MediaError, match="no picture"):
        next(thumbnails(media))
    with pytest.raises(MediaError, match="no picture"):
        next(keyframe_pictures(media))


def test_file_that_went_away(tmp_path: Path) -> None:
    path = movie(tmp_path / "a.mov", Picture())
    media = probe(path)
    path.unlink()
    with pytest.raises(MediaError, match="no such file"):
        list(thumbnails(media))


def test_damage_costs_pictures_not_the_rest(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = movie(tmp_path / "a.mkv", Picture(frames=300, size=(320, 180)))
    media = probe(path)
    content = bytearray(path.read_bytes())
    chance = random.Random(6)
    third = len(content) // 3
    for _ in range(30):
        content[third + chance.randrange(third)] ^= 1 << chance.randrange(8)
    path.write_bytes(content)
    found = joined(list(thumbnails(media)))
    assert np.all(np.diff(found.frames) > 0)
    assert numbers(found)[:90] == found.frames.tolist()[:90] == list(range(90))
    assert len(found.frames) > 130
    path.write_bytes(path.read_bytes()[: 2 * third])
    assert 100 < len(joined(list(thumbnails(media))).frames) < 250
    list(keyframe_pictures(media))


def test_memory_does_not_grow_with_threads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of large pictures few are decoded at once, however many processors there are."""
    media = probe(movie(tmp_path / "a.mov", Picture(frames=3)))
    monkeypatch.setattr(picture_decoder.os, "cpu_count", lambda: 64)
    assert media.picture is not None
    for size, most in (((96, 64), 16), ((3840, 2160), 16), ((8192, 8192), 2)):
        video = replace(media.picture, width=size[0], height=size[1])
        with frames_module.open_media(media.path) as container:
            stream = picture_decoder.picture_stream(media, container, video)
            assert 1 <= stream.codec_context.thread_count <= most


@pytest.mark.parametrize(
    "name",
    [
        "pyscenedetect_delayed_start.mp4",
        "torchcodec_h264_10bit.mp4",
        "torchcodec_av1.mkv",
        "pyfeat_no_face.mp4",
        "pyfeat_face_noface.mov",
        "intel_asl_brother.mkv",
        "autoeditor_sar2by3.mp4",
    ],
)
def test_shared_media_give_every_picture(shared: Path, name: str) -> None:
    media = probe(shared / "data" / "videos" / name)
    assert media.picture is not None
    found = [int(frame) for batch in thumbnails(media) for frame in batch.frames]
    if media.picture.variable_rate:
        assert media.picture.picture_count - 2 <= len(found) <= media.picture.picture_count
        assert found[0] == 0
    else:
        assert found == list(range(media.picture.frame_count))
