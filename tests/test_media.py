"""What a file is, against media whose truth is known."""

from __future__ import annotations

import os
import random
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from otio_mapedit import media_times
from otio_mapedit.errors import MediaError
from otio_mapedit.media import MediaInfo, probe
from otio_mapedit.timing import NTSC_24, NTSC_30, NTSC_60, frame_of_timecode, timecode
from tests.mediamaker import (
    Picture,
    Sound,
    broadcast_wave,
    clicks,
    count_pairs,
    movie,
    tone,
    turn,
)

RATES = [NTSC_24, Fraction(25), NTSC_30, Fraction(30), Fraction(50), NTSC_60]


def used(media: MediaInfo):
    assert media.picture is not None
    return media.picture


# Rates and counts


@pytest.mark.parametrize("rate", [*RATES, Fraction(12), Fraction(179, 6), Fraction(100)])
@pytest.mark.parametrize("suffix", [".mov", ".mkv", ".mp4"])
def test_constant_rate_is_exact(tmp_path: Path, rate: Fraction, suffix: str) -> None:
    media = probe(movie(tmp_path / f"a{suffix}", Picture(rate=rate, frames=61)))
    assert media.rate == used(media).rate == rate
    assert media.frame_count == used(media).frame_count == used(media).picture_count == 61
    assert not used(media).variable_rate
    assert used(media).worst_deviation <= Fraction(1, 1000)


def test_2997_hundredths_is_ntsc(tmp_path: Path) -> None:
    media = probe(movie(tmp_path / "a.mp4", Picture(rate=Fraction(2997, 100), frames=90)))
    assert media.rate == NTSC_30
    assert media.frame_count == 90
    assert not used(media).variable_rate


def test_milliseconds_do_not_hide_ntsc_rates(tmp_path: Path) -> None:
    for rate in (NTSC_24, NTSC_30, NTSC_60, Fraction(24), Fraction(30), Fraction(60)):
        media = probe(movie(tmp_path / "a.mkv", Picture(rate=rate, frames=150)))
        assert media.rate == rate
        assert not used(media).variable_rate


def test_reordered_pictures_are_counted_once(tmp_path: Path) -> None:
    options = {"bf": "3", "g": "30", "preset": "veryfast"}
    for name in ("a.mov", "a.mkv", "a.ts", "a.mpg", "a.avi"):
        codec = "mpeg2video" if name.endswith("mpg") else "libx264"
        media = probe(movie(tmp_path / name, Picture(frames=47, codec=codec, options=options)))
        assert (media.rate, media.frame_count) == (25, 47), name
        assert not used(media).variable_rate


def test_variable_rate_is_told_with_how_far_it_strays(tmp_path: Path) -> None:
    # Thirty a second with every fifth picture dropped, the last 12 of 60 lost time.
    times = [number * 3000 for number in range(60) if number % 5]
    picture = Picture(
        rate=Fraction(30), times=times, time_base=Fraction(1, 90000), options={"bf": "0"}
    )
    media = probe(movie(tmp_path / "a.mp4", picture))
    video = used(media)
    assert video.variable_rate
    assert video.rate == 30
    assert (video.picture_count, video.frame_count) == (48, 59)
    # The last picture is number 47 of those that exist and stands at frame 58.
    assert video.worst_deviation == Fraction(58 - 47, 30)
    assert any("varies" in warning for warning in media.warnings)


def test_rate_nobody_edits_at_becomes_one_that_somebody_does(tmp_path: Path) -> None:
    intervals = random.Random(1)
    times, now = [], 0
    for _ in range(80):
        times.append(now)
        now += intervals.choice([7199, 8098, 8993, 9000])
    picture = Picture(rate=Fraction(10), times=times, time_base=Fraction(1, 90000))
    video = used(probe(movie(tmp_path / "a.mp4", picture)))
    assert video.variable_rate
    assert video.rate == 24
    assert video.picture_count == 80


def test_jitter_below_a_quarter_frame_is_still_constant(tmp_path: Path) -> None:
    shake = random.Random(2)
    times = [number * 3600 + shake.randint(-400, 400) for number in range(100)]
    times[0] = 0
    picture = Picture(rate=Fraction(25), times=times, time_base=Fraction(1, 90000))
    video = used(probe(movie(tmp_path / "a.mp4", picture)))
    assert not video.variable_rate
    assert (video.rate, video.frame_count) == (25, 100)
    assert 0 < video.worst_deviation <= Fraction(500, 90000)


def test_single_picture_has_a_rate(tmp_path: Path) -> None:
    media = probe(movie(tmp_path / "a.mov", Picture(rate=NTSC_30, frames=1)))
    assert (media.rate, media.frame_count) == (NTSC_30, 1)


# Start, extent, sound


def test_grid_starts_with_the_first_picture(tmp_path: Path) -> None:
    times = [number + 40 for number in range(25)]
    sound = Sound(duration=2.0, start=1.0)
    media = probe(movie(tmp_path / "a.mkv", Picture(times=times), [sound]))
    assert media.origin == Fraction(8, 5)
    assert media.frame_count == 35
    assert used(media).frame_count == 25
    assert media.audio[0].start == Fraction(-3, 5)
    assert abs(media.audio[0].duration - 2) < Fraction(1, 100)
    assert any("begins 0.600 s before" in warning for warning in media.warnings)
    assert any("ends 0.400 s after" in warning for warning in media.warnings)


def test_delayed_and_short_sound(tmp_path: Path) -> None:
    sounds = [Sound(duration=1.0, start=0.5), Sound(duration=2.0, channels=(clicks, tone))]
    media = probe(movie(tmp_path / "a.mov", Picture(), sounds))
    late, whole = media.audio
    assert (late.start, late.duration) == (Fraction(1, 2), 1)
    assert (whole.start, whole.duration) == (0, 2)
    assert (late.channels, late.layout) == (1, "mono")
    assert (whole.channels, whole.layout, whole.sample_rate) == (2, "stereo", 48000)
    assert media.frame_count == 50
    assert [warning for warning in media.warnings if warning.startswith("Sound 2")] == []


def test_sound_alone_is_put_on_the_rate_asked_for(tmp_path: Path) -> None:
    path = movie(tmp_path / "a.wav", sounds=[Sound(duration=2.5)])
    media = probe(path, NTSC_24)
    assert media.picture is None
    assert (media.rate, media.frame_count) == (NTSC_24, 59)
    assert media.duration == Fraction(5, 2)
    assert probe(path).frame_count == 75


@pytest.mark.parametrize("name", ["a.m4a", "a.aac", "a.mp3", "a.flac", "a.mka", "a.aiff"])
def test_length_of_sound_files(tmp_path: Path, name: str) -> None:
    codec = {"mp3": "mp3", "flac": "flac", "aiff": "pcm_s16be"}.get(name[2:], "aac")
    media = probe(movie(tmp_path / name, sounds=[Sound(duration=3.0, codec=codec)]))
    assert abs(float(media.duration) - 3) < 0.06
    assert media.audio[0].codec == codec


def test_header_that_lies_about_its_length(tmp_path: Path) -> None:
    path = movie(tmp_path / "a.wav", sounds=[Sound(duration=4.0)])
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    media = probe(path)
    assert abs(float(media.duration) - 2) < 0.05
    path = movie(tmp_path / "a.mkv", Picture(frames=200))
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    media = probe(path)
    assert 50 < media.frame_count < 150
    assert any("cut off" in warning for warning in media.warnings)


def test_largest_of_two_pictures_is_used(tmp_path: Path) -> None:
    small, large = Picture(size=(64, 48)), Picture(size=(128, 96), rate=Fraction(50), frames=100)
    media = probe(movie(tmp_path / "a.mkv", [small, large], tags={"title": "two"}))
    assert [stream.width for stream in media.video] in ([128, 64], [64, 128])
    assert any("2 pictures" in warning for warning in media.warnings)


def test_facts_of_the_picture(tmp_path: Path) -> None:
    picture = Picture(codec="prores_ks", pixels="yuv422p10le", options={}, aspect=Fraction(4, 3))
    video = used(probe(movie(tmp_path / "a.mov", picture)))
    assert (video.codec, video.width, video.height) == ("prores", 96, 64)
    assert (video.bit_depth, video.pixel_format) == (10, "yuv422p10le")
    assert video.pixel_aspect == Fraction(4, 3)
    assert video.all_keyframes
    assert not used(probe(movie(tmp_path / "b.mov", Picture()))).all_keyframes


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_rotation_is_clockwise(tmp_path: Path, degrees: int) -> None:
    path = movie(tmp_path / "a.mov", Picture(frames=5))
    turn(path, degrees)
    assert used(probe(path)).rotation == degrees


# Timecode and reel


@pytest.mark.parametrize(
    ("rate", "text"),
    [
        (NTSC_30, "00:59:50;00"),
        (NTSC_30, "00:59:50:00"),
        (NTSC_24, "00:59:50:00"),
        (Fraction(25), "00:59:50:00"),
        (Fraction(30), "00:59:50:00"),
        (Fraction(50), "00:59:50:49"),
        (NTSC_60, "00:59:50;00"),
        (Fraction(60), "23:59:59:59"),
    ],
)
def test_timecode_track(tmp_path: Path, rate: Fraction, text: str) -> None:
    media = probe(movie(tmp_path / "a.mov", Picture(rate=rate, frames=30, timecode=text)))
    assert media.has_timecode
    assert media.timecode_source == "tmcd track"
    assert media.drop_frame == (";" in text)
    assert media.start_frame == frame_of_timecode(text, rate, ";" in text)
    assert timecode(media.start_frame, rate, media.drop_frame) == text
    assert not media.warnings


@pytest.mark.parametrize(
    ("rate", "text", "label"),
    [
        (Fraction(60), "00:00:10:00", "00:00:10:00"),
        (NTSC_60, "00:59:50;00", "00:59:50;00"),
        (Fraction(50), "10:00:00:20", "10:00:00:20"),
    ],
)
def test_timecode_that_counts_pairs_of_pictures(
    tmp_path: Path, rate: Fraction, text: str, label: str
) -> None:
    path = movie(tmp_path / "a.mov", Picture(rate=rate, frames=30, timecode=text))
    count_pairs(path)
    media = probe(path)
    assert timecode(media.start_frame, rate, media.drop_frame) == label
    assert media.drop_frame == (";" in text)


def test_timecode_tags_elsewhere(tmp_path: Path) -> None:
    mkv = probe(movie(tmp_path / "a.mkv", Picture(timecode="10:11:12:13")))
    assert (mkv.timecode_source, mkv.start_frame) == ("stream tag", 916813)
    whole = probe(movie(tmp_path / "b.mkv", Picture(), tags={"timecode": "01:00:00:00"}))
    assert (whole.timecode_source, whole.start_frame) == ("container tag", 90000)
    mxf = Picture(codec="mpeg2video", options={"g": "12", "bf": "2"}, timecode="09:59:50:00")
    media = probe(movie(tmp_path / "a.mxf", mxf, [Sound()]))
    assert media.start_frame == frame_of_timecode("09:59:50:00", Fraction(25))
    assert (media.rate, used(media).frame_count) == (25, 50)
    assert media.has_timecode


def test_no_timecode_is_none(tmp_path: Path) -> None:
    media = probe(movie(tmp_path / "a.mov", Picture()))
    assert not media.has_timecode
    assert (media.start_frame, media.timecode_source, media.reel) == (0, "", "")


def test_timecode_nobody_can_read_is_a_warning(tmp_path: Path) -> None:
    media = probe(movie(tmp_path / "a.mkv", Picture(), tags={"timecode": "noon"}))
    assert not media.has_timecode
    assert any("'noon'" in warning for warning in media.warnings)


def test_broadcast_wave(tmp_path: Path) -> None:
    reference = 48000 * 3600 * 10 + 24000
    path = broadcast_wave(
        tmp_path / "a.wav", Sound(), reference, "sSPEED=025.000-ND\r\nsTAPE=20240102\r\n"
    )
    for rate in (Fraction(25), NTSC_30):
        media = probe(path, rate)
        assert (media.timecode_source, media.drop_frame) == ("BWF time reference", False)
        assert media.start_frame == int(Fraction(reference, 48000) * rate + Fraction(1, 2))
        assert media.reel == "20240102"


def test_reel_tags(tmp_path: Path) -> None:
    path = movie(tmp_path / "a.mkv", Picture(), tags={"reel_name": "A001_C003"})
    assert probe(path).reel == "A001_C003"


# Fingerprint


def test_fingerprint_follows_content_not_name(tmp_path: Path) -> None:
    path = movie(tmp_path / "a.mov", Picture())
    before = probe(path).fingerprint
    moved = path.rename(tmp_path / "b c é.mov")
    assert probe(moved).fingerprint == before
    content = bytearray(moved.read_bytes())
    content[len(content) // 2] ^= 1
    moved.write_bytes(content)
    assert probe(moved).fingerprint != before


# Large files are not read through


@pytest.mark.parametrize("name", ["a.mov", "a.mkv", "a.ts", "a.mxf", "a.avi"])
def test_large_files_are_told_the_same_without_reading_them(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    codec = "mpeg2video" if name.endswith("mxf") else "libx264"
    options = {"bf": "2", "g": "25"} | ({} if codec == "mpeg2video" else {"preset": "veryfast"})
    picture = Picture(rate=NTSC_30, frames=900, codec=codec, options=options)
    sound = Sound(duration=30.03, channels=(tone,), codec="aac" if "ts" in name else "pcm_s16le")
    path = movie(tmp_path / name, picture, [sound])
    whole = probe(path)
    monkeypatch.setattr(media_times, "READ_THROUGH", 0)
    monkeypatch.setattr(media_times, "_PLACE_PACKETS", 60)
    part = probe(path)
    same = replace(used(part), worst_deviation=used(whole).worst_deviation)
    assert same == used(whole)
    assert used(part).worst_deviation <= Fraction(1, 1000)
    assert (part.rate, part.frame_count, part.origin) == (
        whole.rate,
        whole.frame_count,
        whole.origin,
    )
    assert part.frame_count in (900, 901)
    assert abs(part.audio[0].duration - whole.audio[0].duration) < Fraction(1, 20)


def test_index_of_a_variable_rate_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    times = [number * 3000 for number in range(600) if number % 7]
    options = {"bf": "2", "g": "30", "preset": "veryfast"}
    picture = Picture(rate=Fraction(30), times=times, time_base=Fraction(1, 90000), options=options)
    path = movie(tmp_path / "a.mov", picture)
    whole = used(probe(path))
    monkeypatch.setattr(media_times, "READ_THROUGH", 0)
    monkeypatch.setattr(media_times, "_PLACE_PACKETS", 60)
    part = used(probe(path))
    assert (part.picture_count, part.frame_count) == (whole.picture_count, whole.frame_count)
    assert abs(part.worst_deviation - whole.worst_deviation) <= Fraction(2, 30)


# What cannot be read


def refused(path: Path) -> str:
    with pytest.raises(MediaError) as caught:
        probe(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)
    return caught.value.what


def test_no_file(tmp_path: Path) -> None:
    assert refused(tmp_path / "a.mov") == "no such file"
    assert refused(tmp_path / "b" / "a.mov") == "no such file"
    (tmp_path / "c").write_text("x")
    assert refused(tmp_path / "c" / "a.mov") == "no such file"
    assert "name is too long" in refused(tmp_path / ("x" * 300))


def test_not_a_file(tmp_path: Path) -> None:
    assert "folder" in refused(tmp_path)
    empty = tmp_path / "empty.mov"
    empty.touch()
    assert "empty" in refused(empty)
    loop = tmp_path / "loop.mov"
    loop.symlink_to(tmp_path / "pool.mov")
    (tmp_path / "pool.mov").symlink_to(loop)
    assert "loop" in refused(loop)
    (tmp_path / "dangling.mov").symlink_to(tmp_path / "nothing.mov")
    assert refused(tmp_path / "dangling.mov") == "no such file"


def test_a_pipe_is_never_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mov")
    assert "not a regular file" in refused(tmp_path / "pipe.mov")
    assert "not a regular file" in refused(Path("/dev/zero"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_no_permission(tmp_path: Path) -> None:
    path = movie(tmp_path / "a.mov", Picture())
    path.chmod(0)
    assert "permission" in refused(path)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("notes.txt", b"Words and more words.\n" * 400),
        ("fake.mov", b"Words and more words.\n" * 400),
        ("noise.mp4", random.Random(3).randbytes(200_000)),
        ("zeros.mov", bytes(100_000)),
        ("archive.zip", b"PK\x03\x04" + bytes(60) + b"a.mov" + bytes(5000)),
        ("list.m3u8", b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n/etc/passwd\n"),
        ("list.ffconcat", b"ffconcat version 1.0\nfile '/etc/passwd'\n"),
        ("cut.srt", b"1\n00:00:01,000 --> 00:00:02,000\nHello\n\n" * 50),
        ("art.ans", b"\x1b[0;31mHello\x1b[0m\r\n" * 400),
        ("still.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\2\0\0\0"),
        ("meta.mov", b";FFMETADATA1\ntitle=x\n"),
        ("session.sdp", b"v=0\no=- 0 0 IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n"),
    ],
)
def test_not_media(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    assert "not a video or sound file" in refused(path)


def test_names_that_look_like_addresses_or_patterns(tmp_path: Path) -> None:
    for name in (
        "http:a.mov",
        "concat:a|b.mov",
        "a%03d.mov",
        "a[1]*?.mov",
        "-i.mov",
        "日本 語.mov",
    ):
        path = movie(tmp_path / "plain.mov", Picture(frames=3)).rename(tmp_path / name)
        assert probe(path).name == name


def test_recording_without_its_index(tmp_path: Path) -> None:
    path = movie(tmp_path / "a.mov", Picture())
    content = path.read_bytes()
    path.write_bytes(content[: content.index(b"moov") - 4])
    assert "moov" in refused(path)


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts", "a.avi", "a.mxf", "a.wav", "a.mp3"])
def test_damage_ends_in_an_answer(tmp_path: Path, name: str) -> None:
    """Cut anywhere and with bits turned anywhere, a file is read or refused in one line."""
    picture = {
        "a.wav": None,
        "a.mp3": None,
        "a.mxf": Picture(codec="mpeg2video", options={"g": "12"}),
    }.get(name, Picture())
    codec = {"a.mp3": "mp3", "a.mp4": "aac", "a.mxf": "pcm_s16le", "a.ts": "aac"}
    sound = Sound(codec=codec.get(name, "pcm_s16le"), channels=(tone,))
    whole = movie(tmp_path / name, picture, [sound]).read_bytes()
    chance = random.Random(4)
    path = tmp_path / f"damaged-{name}"
    answers = 0
    for attempt in range(40):
        content = bytearray(whole)
        if attempt % 2:
            del content[chance.randrange(len(content)) :]
        # Headers stand at the beginning or the end: hit those more often.
        for _ in range(chance.choice([1, 10, 200])):
            if content:
                reach = chance.choice([len(content), min(len(content), 600)])
                content[chance.choice([0, -1]) * reach + chance.randrange(reach)] ^= (
                    1 << chance.randrange(8)
                )
        path.write_bytes(content)
        try:
            media = probe(path)
        except MediaError as error:
            answers += "\n" not in str(error)
        else:
            answers += media.frame_count >= 0
    assert answers == 40


def test_shared_media_are_all_read(shared: Path) -> None:
    """Every file of the shared footage is read, or is none and says so."""
    texts = {".json", ".rttm", ".uem", ".segments"}
    for folder in ("videos", "speech"):
        for path in sorted((shared / "data" / folder).iterdir()):
            if path.suffix in texts:
                assert "not a video or sound file" in refused(path)
            else:
                media = probe(path)
                assert media.frame_count > 0
                assert all(sound.duration > 0 for sound in media.audio)
                assert media.warnings == tuple(dict.fromkeys(media.warnings))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("moviepy_fire2.mp4", {"rotation": 180, "variable_rate": True, "picture_count": 25}),
        ("torchcodec_h264_10bit.mp4", {"bit_depth": 10}),
        ("torchcodec_av1.mkv", {"codec": "av1", "frame_count": 125}),
        ("autoeditor_sar2by3.mp4", {"pixel_aspect": Fraction(2, 3)}),
        ("editly_changi.mp4", {"codec": "hevc", "rate": NTSC_30, "height": 3840}),
        ("intel_bottle.mp4", {"rate": Fraction(179, 6), "variable_rate": False}),
        ("pyfeat_face_noface.mov", {"variable_rate": True, "rate": 30, "picture_count": 169}),
        ("torchcodec_nasa_13013.mp4", {"index": 3, "width": 480, "rate": NTSC_30}),
        ("kivy_cityCC0.mpg", {"codec": "mpeg2video", "rate": 25, "frame_count": 190}),
        ("psychopy_jwpIntro.mp4", {"rate": NTSC_30, "variable_rate": False}),
        ("commandpost_test_1080p.mov", {"codec": "h264", "frame_count": 30}),
    ],
)
def test_odd_shared_media(shared: Path, name: str, expected: dict[str, object]) -> None:
    video = used(probe(shared / "data" / "videos" / name))
    assert {key: getattr(video, key) for key in expected} == expected


def test_shared_start_timecodes(shared: Path) -> None:
    videos = shared / "data" / "videos"
    assert probe(videos / "otioaaf_linear_speed.mov").start_frame == 86400
    zero = probe(videos / "fcpscene_2997.mp4")
    assert (zero.has_timecode, zero.start_frame, zero.drop_frame) == (True, 0, False)
    delayed = probe(videos / "pyscenedetect_delayed_start.mp4")
    assert (delayed.origin, delayed.frame_count) == (Fraction(43, 40), 24)
    assert len(probe(videos / "commandpost_test_1080p.mov").video) == 1
