"""xmeml: what is written reads back and passes the lint; real exports are understood."""

from __future__ import annotations

import contextlib
import importlib.util
import re
from collections import Counter
from fractions import Fraction
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import opentimelineio as otio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from otio_mapedit.assemble import assemble
from otio_mapedit.errors import FormatError, OptionError, UsageError
from otio_mapedit.interchange.gain import gain_of, set_gain
from otio_mapedit.interchange.xmeml_reader import read_xmeml
from otio_mapedit.interchange.xmeml_writer import write_xmeml
from otio_mapedit.operations import DecisionList
from otio_mapedit.timing import exact_rate, exact_time
from tests.decision_lists import decision_lists
from tests.interchange_strategies import property_test, timeline_facts, timelines

RT = otio.opentime.RationalTime
TR = otio.opentime.TimeRange
TICKS = 254_016_000_000


@property_test
@given(decision_lists())
def test_assembled_edits_read_back(decisions: DecisionList) -> None:
    timeline = assemble(decisions)
    text, report = write_xmeml(timeline)
    assert report.clean, report.losses
    assert timeline_facts(read_xmeml(text.encode())[0]) == timeline_facts(timeline)


@property_test
@given(timelines(), st.sampled_from(["premiere", "resolve"]))
def test_written_documents_pass_the_lint(
    shared: Path, tmp_path: Path, timeline: otio.schema.Timeline, profile: str
) -> None:
    path = tmp_path / "cut.xml"
    path.write_text(write_xmeml(timeline, profile)[0], encoding="utf-8")
    assert lint_of(shared)(path) == {}


def lint_of(shared: Path) -> Any:
    spec = importlib.util.spec_from_file_location(
        "xmeml_lint", shared / "interchange" / "checks" / "xmeml_lint.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.lint


@property_test
@given(timelines())
def test_the_elements_alone_say_the_edit(timeline: otio.schema.Timeline) -> None:
    text, _ = write_xmeml(timeline)
    read, _ = read_xmeml(bare(text).encode())
    for mine, theirs in zip(timeline.tracks, read.tracks, strict=True):
        expected = edit_of(mine)
        got = [
            (*one[:-1], None) if other[-1] is None else one
            for one, other in zip(edit_of(theirs), expected, strict=True)
        ]
        assert got == expected


def edit_of(track: otio.schema.Track) -> list[Any]:
    """Record and source side of a track; media to the frame of the slower clock."""
    found: list[Any] = []
    clock = Fraction(0)
    for item in track:
        if isinstance(item, otio.schema.Transition):
            offsets = exact_time(item.in_offset), exact_time(item.out_offset)
            found.append((clock, *offsets, item.transition_type, ""))
            continue
        span = item.source_range or item.media_reference.available_range
        if isinstance(item, otio.schema.Clip):
            found.append((clock, exact_time(span.duration), item.enabled, *source_of(item, span)))
        clock += exact_time(span.duration)
    return found


def source_of(clip: otio.schema.Clip, span: Any) -> tuple[Any, ...]:
    speed = [
        round(effect.time_scalar, 4) for effect in clip.effects if hasattr(effect, "time_scalar")
    ]
    generator = isinstance(clip.media_reference, otio.schema.GeneratorReference)
    plain = exact_rate(span.start_time.rate) == exact_rate(span.duration.rate)
    # Other rates and speeds round to the sequence's frames; a generator's media is gone.
    whole = plain and not speed and not generator and clip.media_reference.available_range
    return tuple(speed), exact_time(span.start_time) if whole else None


# ---- by hand -----------------------------------------------------------------------------


def shot(name: str, start: int, frames: int, rate: float = 25.0) -> otio.schema.Clip:
    reference = otio.schema.ExternalReference(
        f"file:///m/{name}.mov", TR(RT(90000, rate), RT(1000, rate))
    )
    return otio.schema.Clip(name, reference, TR(RT(90000 + start, rate), RT(frames, 25.0)))


def sequence(*items: Any, sounds: tuple[Any, ...] = ()) -> otio.schema.Timeline:
    timeline = otio.schema.Timeline("Cut", global_start_time=RT(90000, 25.0))
    for kind, content in (("Video", items), *(("Audio", one) for one in sounds)):
        track = otio.schema.Track(f"{kind[0]}1", kind=kind)
        track.extend(content)
        timeline.tracks.append(track)
    return timeline


def written(timeline: otio.schema.Timeline, profile: str = "premiere") -> ElementTree.Element:
    text = write_xmeml(timeline, profile)[0]
    assert text.startswith('<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE xmeml>\n')
    return ElementTree.fromstring(text)


def numbers(root: ElementTree.Element, *names: str) -> list[tuple[str | None, ...]]:
    return [tuple(item.findtext(name) for name in names) for item in root.iter("clipitem")]


def dissolve(before: int, after: int) -> otio.schema.Transition:
    return otio.schema.Transition(
        "Cross Dissolve", "SMPTE_Dissolve", RT(before, 25.0), RT(after, 25.0)
    )


def test_in_and_out_count_from_the_media_s_first_frame() -> None:
    root = written(sequence(shot("a", 100, 50)))
    assert numbers(root, "start", "end", "in", "out", "duration") == [
        ("0", "50", "100", "150", "1000")
    ]
    ticks = [item.findtext("pproTicksIn") for item in root.iter("clipitem")]
    assert ticks == [str(100 * TICKS // 25)]
    (file,) = root.iter("file")
    assert file.findtext("timecode/string") == "01:00:00:00"
    assert file.findtext("duration") == "1000"


def test_a_dissolve_reaches_into_both_clips() -> None:
    root = written(sequence(shot("a", 100, 50), dissolve(3, 8), shot("b", 200, 50)))
    assert numbers(root, "start", "end", "in", "out") == [
        ("0", "-1", "100", "158"),
        ("-1", "100", "197", "250"),
    ]
    (item,) = root.iter("transitionitem")
    assert [item.findtext(name) for name in ("start", "end", "alignment")] == ["47", "58", "center"]
    assert item.findtext("cutPointTicks") == str(3 * TICKS // 25)


@pytest.mark.parametrize("rate", [25.0, 60000 / 1001])
def test_a_long_uneven_dissolve_keeps_its_cut(rate: float) -> None:
    """Ticks of more than four seconds are no frame counts."""
    timeline = otio.schema.Timeline("Cut", global_start_time=RT(0, rate))
    timeline.tracks.append(otio.schema.Track("V1"))
    clips = (shot("a", 100, 1900, rate), shot("b", 900, 1900, rate))
    for clip in clips:
        clip.source_range = TR(clip.source_range.start_time, RT(1900, rate))
    join = otio.schema.Transition("", "SMPTE_Dissolve", RT(510, rate), RT(509, rate))
    timeline.tracks[0].extend([clips[0], join, clips[1]])
    for text in (write_xmeml(timeline)[0], bare(write_xmeml(timeline)[0])):
        first, found, second = read_xmeml(text.encode())[0].tracks[0]
        assert (found.in_offset.value, found.out_offset.value) == (510, 509)
        assert [first.source_range, second.source_range] == [one.source_range for one in clips]


def bare(text: str) -> str:
    """Without the notes that ride along, as after another program wrote the file again."""
    return re.sub(r"<(clipcommentb|lognote)>[^<]*</\1>", "", text)


def test_a_clip_s_speed_scales_its_media_clock() -> None:
    fast, back, still = shot("a", 100, 50), shot("a", 100, 50), shot("a", 100, 50)
    fast.effects.append(otio.schema.LinearTimeWarp(time_scalar=2.0))
    back.effects.append(otio.schema.LinearTimeWarp(time_scalar=-1.0))
    still.effects.append(otio.schema.FreezeFrame())
    root = written(sequence(fast, back, still))
    assert numbers(root, "in", "out", "duration") == [
        ("50", "100", "500"),
        ("850", "900", "1000"),
        ("100", "150", "1000"),
    ]
    values = [
        {p.findtext("parameterid"): p.findtext("value") for p in effect.iter("parameter")}
        for effect in root.iter("effect")
    ]
    assert [(value["speed"], value["reverse"]) for value in values] == [
        ("200", "FALSE"),
        ("-100", "TRUE"),
        ("0", "FALSE"),
    ]
    assert [item.findtext("stillframe") for item in root.iter("clipitem")] == [None, None, "TRUE"]


def test_picture_and_sound_are_linked() -> None:
    picture, sound = shot("a", 0, 50), shot("a", 0, 50)
    picture.metadata["mapedit"] = sound.metadata["mapedit"] = {"link": 7}
    root = written(sequence(picture, sounds=((sound,),)))
    links = [
        [(link.findtext("linkclipref"), link.findtext("mediatype")) for link in item.iter("link")]
        for item in root.iter("clipitem")
    ]
    assert links == [[("clipitem-1", "video"), ("clipitem-2", "audio")]] * 2
    assert len([file for file in root.iter("file") if len(file)]) == 1


def test_mono_is_not_stereo() -> None:
    clip = shot("a", 0, 50)
    clip.metadata["mapedit"] = {"channels": 2}
    timeline = sequence(sounds=((clip,), (shot("b", 0, 50),)))
    root = written(timeline)
    tracks = root.findall("sequence/media/audio/track")
    assert [
        (track.get("premiereTrackType"), track.findtext("clipitem/sourcetrack/trackindex"))
        for track in tracks
    ] == [("Stereo", "1"), ("Stereo", "2"), ("Mono", "1")]
    counts = [file.findtext("media/audio/channelcount") for file in root.iter("file") if len(file)]
    assert counts == ["2", "1"]
    read, _ = read_xmeml(write_xmeml(timeline)[0].encode())
    assert [track.kind for track in read.tracks] == ["Video", "Audio", "Audio"]
    assert read.tracks[1][0].metadata["mapedit"]["channels"] == 2
    assert len(written(timeline, "resolve").findall("sequence/media/audio/track")) == 2


def test_every_track_says_locked_and_every_file_where_it_is() -> None:
    root = written(sequence(shot("a", 0, 50), sounds=((shot("b", 0, 50),),)))
    for track in root.iter("track"):
        assert track.findtext("locked") == "FALSE"
        assert track.findtext("enabled") == "TRUE"
    assert all(file.findtext("pathurl") for file in root.iter("file") if len(file))


@pytest.mark.parametrize(
    ("url", "premiere", "resolve"),
    [
        ("file:///m/a%20b.mov", "file://localhost/m/a%20b.mov", "file:///m/a%20b.mov"),
        (
            "/m/100% é.mov",
            "file://localhost/m/100%25%20%C3%A9.mov",
            "file:///m/100%25%20%C3%A9.mov",
        ),
        (r"D:\day 1\a.mov", "file://localhost/D%3a/day%201/a.mov", "file:///D:/day%201/a.mov"),
        (r"\\nas\share\a.mov", "file://nas/share/a.mov", "file://nas/share/a.mov"),
    ],
)
def test_paths_of_three_systems(url: str, premiere: str, resolve: str) -> None:
    clip = shot("a", 0, 50)
    clip.media_reference = otio.schema.ExternalReference(url)
    timeline = sequence(clip)
    for profile, expected in (("premiere", premiere), ("resolve", resolve)):
        (found,) = written(timeline, profile).iter("pathurl")
        assert found.text == expected
        read, _ = read_xmeml(write_xmeml(timeline, profile)[0].encode())
        assert read.tracks[0][0].media_reference.target_url == url


def test_media_of_another_rate_is_counted_on_the_sequence_s_frames() -> None:
    clip = shot("a", 48, 50, 24000 / 1001)
    timeline = sequence(clip)
    root = written(timeline)
    assert numbers(root, "in", "out", "rate/timebase", "rate/ntsc") == [
        ("50", "100", "25", "FALSE")
    ]
    (file,) = root.iter("file")
    assert (file.findtext("rate/timebase"), file.findtext("rate/ntsc")) == ("24", "TRUE")
    _, report = write_xmeml(timeline)
    assert [loss.feature for loss in report.losses] == ["mixed rates"]
    bare = re.sub(r"<clipcommentb>[^<]*", "<clipcommentb>", write_xmeml(timeline)[0])
    assert exact_time(read_xmeml(bare.encode())[0].tracks[0][0].source_range.start_time) == (
        exact_time(clip.source_range.start_time)  # by pproTicksIn
    )


def test_gain_is_a_factor_of_amplitude() -> None:
    clip = shot("a", 0, 50)
    set_gain(clip, -6.0)
    text = write_xmeml(sequence(sounds=((clip,),)))[0]
    assert "<value>0.501187234</value>" in text
    louder = text.replace("0.501187234", "2")
    assert gain_of(read_xmeml(louder.encode())[0].tracks[1][0]) == pytest.approx(6.0206, abs=1e-4)


def test_what_cannot_be_written_is_refused_or_reported() -> None:
    odd = otio.schema.Timeline("x", global_start_time=RT(0, 12.5))
    with pytest.raises(UsageError, match=r"12.5 frames per second"):
        write_xmeml(odd)
    with pytest.raises(OptionError, match="premiere"):
        write_xmeml(sequence(), "avid")
    clip = shot("a", 0, 50)
    clip.effects.append(otio.schema.Effect("Blur", "blur"))
    timeline = sequence(clip)
    timeline.tracks[0].markers.append(otio.schema.Marker("x"))
    _, report = write_xmeml(timeline)
    assert [loss.feature for loss in report.losses] == ["effect", "marker"]


# ---- other programs' documents -----------------------------------------------------------

CLIP = """<clipitem id="{id}"><name>{id}</name><duration>100</duration>
<rate><timebase>25</timebase><ntsc>FALSE</ntsc></rate>
<start>{start}</start><end>{end}</end><in>{first}</in><out>{last}</out>
<file id="f"><name>a.mov</name><pathurl>file://localhost/D%3a/day%201/a.mov</pathurl>
<rate><timebase>25</timebase><ntsc>FALSE</ntsc></rate><duration>100</duration></file>{rest}
</clipitem>"""


def clip_text(id: str, start: int, end: int, first: int, last: int, rest: str = "") -> str:
    return CLIP.format(id=id, start=start, end=end, first=first, last=last, rest=rest)


def document(track: str, outside: str = "", name: str = "one") -> bytes:
    return f"""<?xml version="1.0"?><!DOCTYPE xmeml><xmeml version="5"><project><children><bin>
    <children><sequence id="s"><name>{name}</name><duration>100</duration>
    <rate><timebase>30</timebase><ntsc>TRUE</ntsc></rate>
    <timecode><string>01:00:00;00</string><displayformat>DF</displayformat></timecode>
    <media><video><track>{track}</track></video></media></sequence></children></bin>{outside}
    </children></project></xmeml>""".encode()


def test_sequences_in_bins_and_several_of_them() -> None:
    second = "<sequence id='t'><name>two</name><media/></sequence>"
    data = document(clip_text("a", 0, 10, 0, 10), second)
    timeline, report = read_xmeml(data)
    assert timeline.name == "one"
    assert [loss.message for loss in report.losses] == ["another one is not read: 'two'"]
    assert timeline.global_start_time == RT(107892, 30000 / 1001)
    assert timeline.metadata["mapedit"]["drop_frame"] is True
    assert read_xmeml(data, "two")[0].name == "two"
    with pytest.raises(FormatError, match="Choose one of: 'one', 'two'"):
        read_xmeml(data, "three")


def test_windows_paths_and_missing_edges() -> None:
    timeline, _ = read_xmeml(document(clip_text("a", 5, 15, -1, -1)))
    gap, clip, _ = timeline.tracks[0]
    assert gap.duration().value == 5
    assert clip.media_reference.target_url == "file:///D:/day%201/a.mov"
    assert clip.source_range.start_time.value == 0


@pytest.mark.parametrize(
    ("alignment", "before", "after"),
    [("center", 5, 5), ("start", 0, 10), ("end", 10, 0), ("start-black", 0, 10)],
)
def test_alignments(alignment: str, before: int, after: int) -> None:
    mixing = f"<transitionitem><start>40</start><end>50</end><alignment>{alignment}</alignment>"
    mixing += "<effect><name>Cross Dissolve</name><effectid>Cross Dissolve</effectid></effect>"
    track = clip_text("a", 0, -1, 0, 50) + mixing + "</transitionitem>"
    timeline, _ = read_xmeml(document(track + clip_text("b", -1, 90, 20, 70)))
    a, transition, b, _ = timeline.tracks[0]
    assert (transition.in_offset.value, transition.out_offset.value) == (before, after)
    assert (a.duration().value, b.duration().value) == (40 + before, 50 - before)
    moved = Fraction(20, 25) + before * Fraction(1001, 30000)
    assert exact_time(b.source_range.start_time) == moved


def test_unknown_effects_and_overlaps_are_reported() -> None:
    blur = "<filter><effect><name>Blur</name><effectid>blur</effectid></effect></filter>"
    track = clip_text("a", 0, 20, 0, 20, blur) + clip_text("b", 10, 30, 0, 20)
    timeline, report = read_xmeml(document(track))
    assert [(loss.feature, loss.message[:4]) for loss in report.losses] == [
        ("effect", "Blur"),
        ("track", "it o"),
    ]
    assert [len(list(track.find_clips())) for track in timeline.tracks] == [1, 1]


def test_a_sequence_inside_itself_is_not_followed() -> None:
    inside = (
        '<clipitem id="n"><name>n</name><start>0</start><end>9</end><sequence id="s"/></clipitem>'
    )
    timeline, report = read_xmeml(document(inside))
    assert [loss.feature for loss in report.losses] == ["nested sequence"]
    assert not list(timeline.find_clips())


def multiplied(levels: int, uses: int, item: str = "clipitem") -> bytes:
    """Sequences each of which plays the next one ``uses`` times, the last one clips."""
    texts = []
    for level in range(levels + 1):
        inner = f'<sequence id="s{level + 1}"/>' if level < levels else ""
        items = "".join(
            f'<{item} id="{level}-{use}"><name>n</name><start>{2 * use}</start>'
            f"<end>{2 * use + 2}</end><in>0</in><out>2</out>{inner}</{item}>"
            for use in range(uses)
        )
        texts.append(
            f'<sequence id="s{level}"><name>s</name><duration>{2 * uses}</duration>'
            "<rate><timebase>25</timebase><ntsc>FALSE</ntsc></rate>"
            f"<media><video><track>{items}</track></video></media></sequence>"
        )
    return f'<xmeml version="5">{"".join(texts)}</xmeml>'.encode()


@pytest.mark.parametrize("item", ["clipitem", "generatoritem"])
def test_sequences_that_multiply_are_refused_before_they_are_read(item: str) -> None:
    with pytest.raises(FormatError, match="unfolds into more than 300000 clips"):
        read_xmeml(multiplied(12, 10, item))
    timeline, _ = read_xmeml(multiplied(2, 10))
    assert len(list(timeline.find_clips())) == 1000


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "empty"),
        (b"\x00\x01binary", "well-formed"),
        (b"<fcpxml version='1.9'/>", "not xmeml"),
        (b"<xmeml version='4'/>", "holds no sequence"),
        (b"<!DOCTYPE x [<!ENTITY a 'b'>]><xmeml>&a;</xmeml>", "entities"),
        (b"<xmeml>" + b"<bin>" * 10_000, "deep"),
    ],
)
def test_hostile_documents_are_one_clear_line(data: bytes, message: str) -> None:
    with pytest.raises(FormatError, match=message) as caught:
        read_xmeml(data)
    assert "\n" not in str(caught.value)


@property_test
@given(st.data())
def test_odd_values_do_not_crash(data: st.DataObject) -> None:
    text = write_xmeml(sequence(shot("a", 100, 50), dissolve(3, 8), shot("b", 200, 50)))[0]
    tags = re.findall(r"<(\w+)>[^<]+</\1>", text)
    tag = data.draw(st.sampled_from(sorted(set(tags))))
    value = data.draw(st.sampled_from(["", "-1", "x", "1e999", "9" * 30, "0", "nan", "-5", "3.5"]))
    with contextlib.suppress(FormatError):
        read_xmeml(re.sub(rf"<{tag}>[^<]*</{tag}>", f"<{tag}>{value}</{tag}>", text).encode())


# ---- real exports ------------------------------------------------------------------------


def real_documents(shared: Path) -> list[Path]:
    found = sorted((shared / "interchange").rglob("*.xml"))
    assert len(found) >= 6
    return found


def counted(root: ElementTree.Element) -> Counter[str]:
    """What the first sequence holds, by its own elements: references to other sequences are
    followed, and a stereo track's second channel, cut like the first, is no track of its own."""
    sequences = {s.get("id"): s for s in root.iter("sequence") if len(s)}
    found: Counter[str] = Counter()

    def count(sequence: ElementTree.Element) -> None:
        found["marker"] += len(sequence.findall("marker"))
        first = None
        for track in sequence.findall("media/*/track"):
            cut = [[c.findtext(x) for x in ("start", "end", "in")] for c in track.iter("clipitem")]
            if track.get("currentExplodedTrackIndex", "0") != "0" and cut == first:
                continue
            first = cut
            found["transition"] += len(track.findall("transitionitem"))
            for item in track.findall("clipitem"):
                found["item"] += 1
                found["disabled"] += item.findtext("enabled") == "FALSE"
                found["marker"] += len(item.findall("marker"))
                found["speed"] += any(e.text == "timeremap" for e in item.iter("effectid"))
                nested = item.find("sequence")
                if nested is not None:
                    count(sequences[nested.get("id")])

    count(next(root.iter("sequence")))
    return found


def counted_timeline(timeline: otio.schema.Timeline) -> Counter[str]:
    found: Counter[str] = Counter()

    def count(stack: Any) -> None:
        found["marker"] += len(stack.markers)
        for track in stack:
            for item in track:
                if isinstance(item, otio.schema.Transition):
                    found["transition"] += 1
                elif not isinstance(item, otio.schema.Gap):
                    found["item"] += 1
                    found["disabled"] += not item.enabled
                    found["speed"] += any(hasattr(e, "time_scalar") for e in item.effects)
                    if isinstance(item, otio.schema.Stack):
                        count(item)
                    else:
                        found["marker"] += len(item.markers)

    count(timeline.tracks)
    return found


def test_real_documents_are_read_whole(shared: Path) -> None:
    for path in real_documents(shared):
        timeline, report = read_xmeml(path)
        expected = counted(ElementTree.parse(path).getroot())
        assert +counted_timeline(timeline) == +expected, path
        # One of Premiere's sound tracks holds two clips that overlap by 13 frames.
        assert {loss.feature for loss in report.losses} <= {"effect", "sequence", "track"}, path


@pytest.mark.parametrize("profile", ["premiere", "resolve"])
def test_real_documents_are_written_again(shared: Path, tmp_path: Path, profile: str) -> None:
    for number, path in enumerate(real_documents(shared)):
        timeline, _ = read_xmeml(path)
        text, _ = write_xmeml(timeline, profile)
        assert timeline_facts(read_xmeml(text.encode())[0]) == timeline_facts(timeline), path
        again = tmp_path / f"{number}.xml"
        again.write_text(text, encoding="utf-8")
        assert lint_of(shared)(again) == {}, path
