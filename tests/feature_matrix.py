"""What an edit can hold, one small timeline for each thing, and what every format makes of it.

A row builds its timeline and says what must come back: ``facts`` sees only what the row is about.
Nothing here knows what a format promises; :func:`cell` writes, reads, compares and looks at the
loss reports.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path, PurePosixPath
from typing import Any

import opentimelineio as otio

from otio_mapedit.errors import MapeditError
from otio_mapedit.interchange.gain import gain_of, set_gain
from otio_mapedit.interchange.registry import PROFILES, format_of, read_reported, write_timeline
from otio_mapedit.interchange.timeline_facts import (
    channel_count,
    clip_data,
    data_of,
    stated_sources,
    wipe_pattern,
)
from otio_mapedit.timing import exact_rate, exact_time
from otio_mapedit.urls import path_of
from tests.interchange_strategies import marker_facts, reference_facts, stack_facts

RT, TR = otio.opentime.RationalTime, otio.opentime.TimeRange
Types = otio.schema.TransitionTypes
NTSC = 30000 / 1001
FILM = 24000 / 1001
FIRST = 90000  # 01:00:00:00 at 25

EXACT, REPORTED, NONE = "✓", "△", "–"


@dataclass(frozen=True)
class Column:
    """A format as one host gets it."""

    title: str
    suffix: str
    host: str


COLUMNS = (
    Column("FCPXML, Resolve", ".fcpxml", "resolve"),
    Column("FCPXML, Final Cut", ".fcpxml", "finalcut"),
    Column("XML, Premiere", ".xml", "premiere"),
    Column("XML, Resolve", ".xml", "resolve"),
    Column("EDL", ".edl", "plain"),
    Column("MLT, Shotcut", ".mlt", "shotcut"),
    Column("MLT, Kdenlive", ".mlt", "kdenlive"),
    Column("AAF", ".aaf", "plain"),
    Column("OTIO", ".otio", "plain"),
    Column("OTIO, Resolve", ".otio", "resolve"),
    Column("OTIO, Premiere", ".otio", "premiere"),
    Column("OTIO, Kdenlive", ".otio", "kdenlive"),
    Column("OTIOZ", ".otioz", "plain"),
    Column(".mapedit", ".mapedit", "plain"),
)


@dataclass(frozen=True)
class Row:
    """One thing that an edit can hold."""

    name: str
    chinese: str
    build: Callable[[Path], otio.schema.Timeline]
    facts: Callable[[otio.schema.Timeline], Any]


# Building -----------------------------------------------------------------------------------


def media(folder: Path, name: str = "a.mov", rate: float = 25.0, start: float = FIRST) -> Any:
    """A file of 1000 frames; it is there, but nobody looks into it."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    reference = otio.schema.ExternalReference(path.as_uri(), TR(RT(start, rate), RT(1000, rate)))
    reference.name = path.name
    return reference


def clip(reference: Any, first: int = 100, frames: int = 50, rate: float = 25.0) -> Any:
    """``frames`` of the sequence from frame ``first`` of the media."""
    span = reference.available_range
    begin = RT(span.start_time.value + first, span.start_time.rate) if span else RT(first, rate)
    return otio.schema.Clip(reference.name or "clip", reference, TR(begin, RT(frames, rate)))


def timeline(*tracks: Any, rate: float = 25.0, start: int = 0) -> otio.schema.Timeline:
    """A sequence of these tracks; a list of items is a picture track, a tuple one of sound."""
    made = otio.schema.Timeline("Cut", global_start_time=RT(start, rate))
    made.metadata["mapedit"] = {"drop_frame": False}
    counts = {"Video": 0, "Audio": 0}
    for items in tracks:
        kind = "Audio" if isinstance(items, tuple) else "Video"
        counts[kind] += 1
        track = otio.schema.Track(f"{kind[0]}{counts[kind]}", kind=kind)
        track.extend(items)
        made.tracks.append(track)
    return made


def three(folder: Path) -> list[Any]:
    """Three clips of two files."""
    a, b = media(folder, "a.mov"), media(folder, "b.mov")
    return [clip(a, 100), clip(b, 200), clip(a.deepcopy(), 400)]


def joined(before: int, after: int, name: str = "Cross Dissolve", kind: str = "") -> Any:
    """Three clips with a transition over their first cut."""

    def build(folder: Path) -> otio.schema.Timeline:
        first, *rest = three(folder)
        kinds = kind or Types.SMPTE_Dissolve
        transition = otio.schema.Transition(name, kinds, RT(before, 25.0), RT(after, 25.0))
        return timeline([first, transition, *rest])

    return build


def fades(folder: Path) -> otio.schema.Timeline:
    def fade(before: int, after: int) -> Any:
        return otio.schema.Transition(
            "Fade", Types.SMPTE_Dissolve, RT(before, 25.0), RT(after, 25.0)
        )

    return timeline([fade(0, 12), *three(folder), fade(10, 0)])


def wipe(folder: Path) -> otio.schema.Timeline:
    made = joined(6, 6, "Wipe", Types.Custom)(folder)
    made.tracks[0][1].metadata["mapedit"] = {"pattern": 3}
    return made


def changed(change: Callable[[Any], None]) -> Any:
    """Three clips, the second of them changed."""

    def build(folder: Path) -> otio.schema.Timeline:
        clips = three(folder)
        change(clips[1])
        return timeline(clips)

    return build


def warped(scalar: float) -> Any:
    def change(one: Any) -> None:
        effect = otio.schema.LinearTimeWarp("Speed", time_scalar=scalar)
        one.effects.append(effect if scalar else otio.schema.FreezeFrame("Freeze"))

    return changed(change)


def pictures(folder: Path) -> otio.schema.Timeline:
    gap = otio.schema.Gap(source_range=TR(RT(0, 25.0), RT(20, 25.0)))
    return timeline(three(folder), [gap, clip(media(folder, "c.mov"))], [clip(media(folder))])


def sounds(folder: Path) -> otio.schema.Timeline:
    a, b = media(folder, "a.wav"), media(folder, "b.wav")
    return timeline(three(folder), (clip(a, 0, 100),), (clip(b, 10, 60), clip(a.deepcopy(), 300)))


def linked(folder: Path) -> otio.schema.Timeline:
    picture, sound = three(folder), three(folder)
    for number, pair in enumerate(zip(picture, sound, strict=True), 1):
        for one in pair:
            one.metadata["mapedit"] = {"link": number}
    return timeline(picture, tuple(sound))


def channels(folder: Path) -> otio.schema.Timeline:
    made = timeline(three(folder))
    for number, count in enumerate((1, 2), 1):
        one = clip(media(folder, f"sound {count}.wav"))
        one.metadata["mapedit"] = {"channels": count}
        track = otio.schema.Track(f"A{number}", kind="Audio")
        track.append(one)
        made.tracks.append(track)
    return made


def louder(folder: Path) -> otio.schema.Timeline:
    sound = clip(media(folder, "a.wav"))
    set_gain(sound, -6.5)
    return timeline(three(folder), (sound,))


def disabled_track(folder: Path) -> otio.schema.Timeline:
    made = pictures(folder)
    made.tracks[1].enabled = False
    return made


def mark(at: int, colour: str, rate: float = 25.0) -> Any:
    marker = otio.schema.Marker("look", TR(RT(at, rate), RT(10, rate)), colour)
    marker.comment = "why: a note, 会议"
    return marker


def loose_markers(folder: Path) -> otio.schema.Timeline:
    made = timeline(three(folder))
    made.tracks.markers.extend([mark(20, "GREEN"), mark(70, "RED")])
    return made


def track_names(folder: Path) -> otio.schema.Timeline:
    made = sounds(folder)
    for track, name in zip(made.tracks, ("Picture & grade", "Dialogue 50%", "音乐"), strict=True):
        track.name = name
    return made


def named(one: Any) -> None:
    one.name = 'Séance "会议" & 100% b roll #2.mov'


def drop_frame(folder: Path) -> otio.schema.Timeline:
    """Media and sequence that count drop-frame, from other hours."""
    reference = media(folder, "d.mov", NTSC, 107892)
    reference.metadata["mapedit"] = {"drop_frame": True}
    made = timeline([clip(reference, rate=NTSC)], rate=NTSC, start=1798)
    made.metadata["mapedit"] = {"drop_frame": True}
    return made


def drop_media(folder: Path) -> otio.schema.Timeline:
    """Media that counts drop-frame in a sequence that does not."""
    made = drop_frame(folder)
    made.metadata["mapedit"] = {"drop_frame": False}
    return made


def taped(folder: Path) -> otio.schema.Timeline:
    clips = three(folder)
    for one in (clips[0], clips[2]):
        one.media_reference.metadata["mapedit"] = {"reel": "A001_C002_0101XY"}
    return timeline(clips)


def mixed(folder: Path) -> otio.schema.Timeline:
    return timeline([clip(media(folder, "film.mov", FILM, 86400), 48, 50), *three(folder)])


def images(folder: Path) -> otio.schema.Timeline:
    folder.mkdir(parents=True)
    for number in range(1001, 1101):
        (folder / f"plate.{number}.exr").touch()
    reference = otio.schema.ImageSequenceReference(
        folder.as_uri() + "/", "plate.", ".exr", 1001, 1, 25.0, 4,
        available_range=TR(RT(1001, 25.0), RT(100, 25.0)),
    )  # fmt: skip
    one = clip(reference, 10, 40)
    one.name = "plate"
    return timeline([one, *three(folder)])


def still(folder: Path) -> otio.schema.Timeline:
    reference = media(folder, "title card.png", start=0)
    return timeline([clip(reference, 0, 75), *three(folder)])


def gaps(folder: Path) -> otio.schema.Timeline:
    def gap(frames: int) -> Any:
        return otio.schema.Gap(source_range=TR(RT(0, 25.0), RT(frames, 25.0)))

    first, second, third = three(folder)
    return timeline([gap(10), first, gap(25), second, third, gap(5)])


def nested(folder: Path) -> otio.schema.Timeline:
    inside = otio.schema.Stack("Scene 1")
    inside.append(otio.schema.Track("V1", three(folder), kind="Video"))
    inside.source_range = TR(RT(20, 25.0), RT(80, 25.0))
    return timeline([clip(media(folder, "c.mov")), inside])


def generator(folder: Path) -> otio.schema.Timeline:
    bars = otio.schema.GeneratorReference(
        "Bars", "SMPTEBars", TR(RT(0, 25.0), RT(250, 25.0)), {"level": 75}
    )
    return timeline([clip(bars, 0, 50), *three(folder)])


def graded(one: Any) -> None:
    sop = {"slope": [1.1, 1.0, 0.9], "offset": [0.0, 0.01, -0.02], "power": [1.0, 1.2, 1.0]}
    one.metadata["cdl"] = {"asc_sop": sop, "asc_sat": 0.8}


def missing(one: Any) -> None:
    one.media_reference = otio.schema.MissingReference(
        "lost.mov", TR(RT(FIRST, 25.0), RT(1000, 25.0))
    )


def decided(folder: Path) -> otio.schema.Timeline:
    first, second, third = three(folder)
    for number, one in enumerate((first, second, third), 1):
        one.metadata["mapedit"] = {"id": f"k{number}", "confidence": 0.75, "reason": "a pause"}
    dissolve = otio.schema.Transition("", Types.SMPTE_Dissolve, RT(4, 25.0), RT(4, 25.0))
    dissolve.metadata["mapedit"] = {"id": "d1"}
    first.markers.append(mark(FIRST + 110, "GREEN"))
    first.markers[0].color = ""
    first.markers[0].marked_range = TR(RT(FIRST + 110, 25.0), RT(0, 25.0))
    first.markers[0].metadata["mapedit"] = {"id": "m1"}
    return timeline([first, dissolve, second, third])


def placed(*urls: str) -> Any:
    """Media at these URLs, each used once."""

    def build(folder: Path) -> otio.schema.Timeline:
        clips = []
        for url in urls:
            reference = otio.schema.ExternalReference(url, TR(RT(0, 25.0), RT(1000, 25.0)))
            reference.name = PurePosixPath(path_of(url)).name
            clips.append(clip(reference))
        return timeline(clips)

    return build


# What must come back ------------------------------------------------------------------------


def tracks(made: otio.schema.Timeline) -> Any:
    """Kind, name and content of every track, as editors see it."""
    return stack_facts(made.tracks)["tracks"]


def clips(made: otio.schema.Timeline) -> list[Any]:
    return [one for one in made.find_clips() if one.media_reference is not None]


def edit(made: otio.schema.Timeline) -> Any:
    """Record and source side of every clip and transition."""
    found = []
    for track in made.tracks:
        clock = Fraction(0)
        for item in track:
            if isinstance(item, otio.schema.Transition):
                kind = "wipe" if wipe_pattern(item) is not None else item.transition_type
                offsets = exact_time(item.in_offset), exact_time(item.out_offset)
                found.append((track.kind, clock, *offsets, kind))
                continue
            span = item.trimmed_range()
            if not isinstance(item, otio.schema.Gap):
                speeds = [e.time_scalar for e in item.effects if hasattr(e, "time_scalar")]
                shown = (exact_time(span.start_time), exact_time(span.duration))
                found.append((track.kind, clock, *shown, speeds))
            clock += exact_time(span.duration)
    return found


def patterns(made: otio.schema.Timeline) -> Any:
    items = [item for item in made.tracks[0] if isinstance(item, otio.schema.Transition)]
    return edit(made), [wipe_pattern(item) for item in items]


def of_clips(*ask: Callable[[Any], Any]) -> Callable[[otio.schema.Timeline], Any]:
    """The same questions to every clip, and the edit itself."""

    def facts(made: otio.schema.Timeline) -> Any:
        return edit(made), [[each(one) for each in ask] for one in clips(made)]

    return facts


def links(made: otio.schema.Timeline) -> Any:
    return edit(made), stack_facts(made.tracks)["links"]


def widths(made: otio.schema.Timeline) -> Any:
    sources = stated_sources(made)
    return [
        channel_count(clip_data(one), sources, index)
        for index, track in enumerate(made.audio_tracks())
        for one in track.find_clips()
    ]


def clocks(made: otio.schema.Timeline) -> Any:
    """Start timecode of sequence and media, and which of them counts drop-frame."""
    sequence = bool(data_of(made, "mapedit").get("drop_frame"))
    sources = stated_sources(made)
    found: list[Any] = [made.global_start_time, sequence]
    for one in clips(made):
        stated = clip_data(one).fact("drop_frame", sources)
        available = one.media_reference.available_range
        found.append((available.start_time, sequence if stated is None else stated))
    return found


def reels(made: otio.schema.Timeline) -> Any:
    sources = stated_sources(made)
    return [clip_data(one).fact("reel", sources) for one in clips(made)][0::2]


def rates(made: otio.schema.Timeline) -> Any:
    return edit(made), [exact_rate(one.source_range.start_time.rate) for one in clips(made)]


def colour(one: Any) -> Any:
    data = one.metadata.get("cdl")
    if not data:
        return None
    return [list(data["asc_sop"][k]) for k in ("slope", "offset", "power")], data["asc_sat"]


def identities(made: otio.schema.Timeline) -> Any:
    found = []
    for track in made.tracks:
        for item in track:
            own = data_of(item, "mapedit")
            own = next(iter(own.get("operations", ())), own)
            found.append([own.get(key) for key in ("id", "confidence", "reason")])
            found += [
                data_of(marker, "mapedit").get("id") for marker in getattr(item, "markers", ())
            ]
    return found


def name(one: Any) -> Any:
    return one.name


def enabled(one: Any) -> Any:
    return one.enabled


def marked(one: Any) -> Any:
    return marker_facts(one.markers)


def reference(one: Any) -> Any:
    return reference_facts(one.media_reference)


def file_path(one: Any) -> Any:
    """The last folder and the name: what comes before depends on where the timeline lies."""
    return PurePosixPath(path_of(one.media_reference.target_url)).parts[-2:]


def timeline_markers(made: otio.schema.Timeline) -> Any:
    return edit(made), marker_facts(made.tracks.markers)


def marker_on(one: Any) -> None:
    one.markers.extend([mark(FIRST + 210, "GREEN"), mark(FIRST + 230, "BLUE")])


ROWS = (
    Row("cuts", "剪切", lambda folder: timeline(three(folder)), edit),
    Row("dissolve", "叠化", joined(6, 6), edit),
    Row("dissolve, uneven", "叠化（不对称）", joined(3, 8), edit),
    Row("wipe", "划像", wipe, patterns),
    Row("fade in and out", "淡入淡出", fades, edit),
    Row("speed", "变速", warped(2.0), edit),
    Row("speed, backwards", "倒放", warped(-1.0), edit),
    Row("freeze frame", "定格", warped(0.0), edit),
    Row("several picture tracks", "多条视频轨", pictures, edit),
    Row("several sound tracks", "多条音频轨", sounds, edit),
    Row("picture and sound linked", "音画链接", linked, links),
    Row("channels: mono, stereo", "声道：单声道、立体声", channels, widths),
    Row("clip disabled", "停用片段", changed(lambda one: setattr(one, "enabled", False)),
        of_clips(enabled)),
    Row("track disabled", "停用轨道", disabled_track,
        lambda made: [track.enabled for track in made.tracks]),
    Row("gain", "增益", louder, of_clips(gain_of)),
    Row("clip markers: colour, note", "片段标记：颜色、备注", changed(marker_on), of_clips(marked)),
    Row("timeline markers", "时间线标记", loose_markers, timeline_markers),
    Row("track names", "轨道名", track_names, lambda made: [t.name for t in made.tracks]),
    Row("clip names, any character", "片段名（任意字符）", changed(named), of_clips(name)),
    Row("start timecode, drop-frame", "起始时间码（丢帧）", drop_frame, clocks),
    Row("drop-frame media, other sequence", "丢帧素材、非丢帧序列", drop_media, clocks),
    Row("reels", "卷名", taped, reels),
    Row("mixed rates", "混合帧率", mixed, rates),
    Row("image sequence", "图像序列", images, of_clips(reference)),
    Row("still", "静帧图片", still, of_clips(reference)),
    Row("gaps", "空隙", gaps, edit),
    Row("nested sequence", "嵌套序列", nested, tracks),
    Row("generator", "发生器", generator, of_clips(reference)),
    Row("ASC CDL", "ASC CDL", changed(graded), of_clips(colour)),
    Row("missing media", "缺失素材", changed(missing), of_clips(reference)),
    Row("ids of operations", "操作 id", decided, identities),
    Row("Windows drives and shares", "Windows 盘符与共享",
        placed("file:///D:/day%20one/%25.mov", "file://nas/share/b%231.mov"), of_clips(reference)),
    Row("relative paths", "相对路径", placed("day%20one/a.mov"), of_clips(file_path)),
)  # fmt: skip

#: Cells that make no sense, with the reason.
IMPOSSIBLE = {
    ("Windows drives and shares", ".otioz"): "a bundle holds its media",
    ("relative paths", ".otioz"): "a bundle holds its media",
}


def cell(row: Row, column: Column, folder: Path) -> str:
    """Marks for writing and reading.

    Raises:
        AssertionError: something is not what it was, and nobody said so.
    """
    folder.mkdir(parents=True, exist_ok=True)
    made = row.build(folder / "media")
    kept = made.to_json_string()
    expected = row.facts(made)
    path = folder / f"cut{column.suffix}"
    try:
        written = write_timeline(made, path, column.host, force=True)
    except MapeditError as error:
        if (row.name, column.suffix) in IMPOSSIBLE:
            return NONE
        raise AssertionError(f"{row.name} {column.title}: {error}") from error
    assert (row.name, column.suffix) not in IMPOSSIBLE
    assert made.to_json_string() == kept, f"{row.name} {column.title}: the timeline was changed"
    read, reports = read_reported(path)
    if len(written.paths) > 1:
        read = format_of(path).read_back([each.read_bytes() for each in written.paths])
    clean = all(report.clean for report in reports)
    if column.suffix == ".otioz":
        place(read, made)
    same = _facts(row, read) == expected
    said = written.clean and clean
    assert same or not said, f"{row.name} {column.title}: {_facts(row, read)} is not {expected}"
    return f"{EXACT if written.clean else REPORTED} {EXACT if same else REPORTED}"


def place(read: Any, made: Any) -> None:
    """Media that a bundle holds, where it was: a bundle's own paths are no news."""
    for one, other in zip(read.find_clips(), made.find_clips(), strict=True):
        if isinstance(one.media_reference, otio.schema.ExternalReference):
            one.media_reference.target_url = other.media_reference.target_url


def _facts(row: Row, made: otio.schema.Timeline) -> Any:
    try:
        return row.facts(made)
    except (AttributeError, IndexError, KeyError, TypeError) as error:
        return f"nothing to compare: {error}"


def table(marks: dict[tuple[str, str], str], chinese: bool = False) -> str:
    """The matrix as it stands in the READMEs."""
    titles = [column.title for column in COLUMNS]
    lines = [
        "| | " + " | ".join(titles) + " |",
        "| --- |" + " :-: |" * len(titles),
    ]
    for row in ROWS:
        cells = [marks[row.name, title] for title in titles]
        lines.append(f"| {row.chinese if chinese else row.name} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


assert {column.suffix for column in COLUMNS} <= set(PROFILES)
