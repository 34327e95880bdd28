"""A DaVinci Resolve that behaves as badly as people who measured the real one report.

- a timeline is not made, and nothing said, where its name is taken
- an OTIO file is not imported, and nothing said, where media is missing, where media with timecode
  is counted from 0, or where a schema is not stock
- clips are offline unless ``importSourceClips`` is asked for
- ``AppendToTimeline`` drops what overlaps, takes ``endFrame`` as the frame after the last, and
  floors frames of media at another rate
- one marker per frame, none behind the end; methods answer False or None instead of raising
- a method that a version lacks is there all the same when it is looked up, as None
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import opentimelineio as otio

from otio_mapedit.media import MediaInfo, probe

STOCK = ("Timeline", "Stack", "Track", "Clip", "Gap", "Transition", "Marker", "LinearTimeWarp")
STOCK += ("ExternalReference", "MissingReference", "RationalTime", "TimeRange", "Effect")


class Thing:
    """What every object of Resolve has in common: unknown names are None."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return None


class MediaPoolItem(Thing):
    def __init__(self, path: Path) -> None:
        self.path, self.info = path, probe(path)
        self.online = True

    def GetName(self) -> str:
        return self.path.name

    def GetClipProperty(self, name: str) -> str:
        known = {"File Path": str(self.path), "Frames": str(self.info.frame_count)}
        return {**known, "Online Status": "Online" if self.online else "Offline"}[name]


class NodeGraph(Thing):
    def __init__(self) -> None:
        self.luts: dict[int, str] = {}

    def SetLUT(self, node: int, path: str) -> bool:
        if node != 1 or not Path(path).exists():
            return False
        self.luts[node] = path
        return True


class TimelineItem(Thing):
    def __init__(
        self, media: MediaPoolItem | None, start: int, length: int, name: str = ""
    ) -> None:
        self.media, self.start, self.length, self.name = media, start, length, name
        self.markers: dict[int, Any] = {}
        self.cdl: dict[str, Any] = {}
        self.graph = NodeGraph()
        self.enabled = True
        self.source = 0  # frame of the media, from its first one
        self.counts_from_timecode = False  # as some versions do

    def GetName(self) -> str:
        return self.name

    def GetSourceStartFrame(self) -> int:
        first = self.media.info.start_frame if self.media and self.counts_from_timecode else 0
        return self.source + first

    def GetSourceEndFrame(self) -> int:
        """As documented: the last frame."""
        return self.GetSourceStartFrame() + self.length - 1

    def GetStart(self) -> int:
        return self.start

    def GetDuration(self) -> int:
        return self.length

    def GetMediaPoolItem(self) -> MediaPoolItem | None:
        return self.media

    def GetMarkers(self) -> dict[int, Any]:
        return self.markers

    def GetNodeGraph(self) -> NodeGraph:
        return self.graph

    def SetCDL(self, values: dict[str, Any]) -> bool:
        needed = {"NodeIndex", "Slope", "Offset", "Power", "Saturation"}
        if set(values) != needed or not all(isinstance(item, str) for item in values.values()):
            return False
        self.cdl = values
        return values["NodeIndex"] == "1"


class Item18(TimelineItem):
    """As of 18.5, which does not tell what of its media an item plays."""

    GetSourceStartFrame = None  # type: ignore[assignment]
    GetSourceEndFrame = None  # type: ignore[assignment]


class Item21(TimelineItem):
    """As of 21.1, which can retime."""

    def __init__(self, *facts: Any) -> None:
        super().__init__(*facts)
        self.speed = 100.0

    def SetSpeed(self, values: dict[str, Any]) -> bool:
        self.speed = values["Percentage"]
        return True

    def GetSpeed(self) -> dict[str, Any]:
        return {"Percentage": self.speed}


class Timeline(Thing):
    def __init__(self, name: str, rate: float, start: int = 90000) -> None:
        self.name, self.rate, self.start = name, rate, start
        self.tracks: dict[tuple[str, int], list[TimelineItem]] = {}
        self.markers: dict[int, dict[str, Any]] = {}
        self.chosen: list[TimelineItem] = []
        self.otio: otio.schema.Timeline | None = None  # what an export gives
        self.exports: Callable[[str], bool] | None = None  # instead of the usual export

    def GetName(self) -> str:
        return self.name

    def GetStartFrame(self) -> int:
        return self.start

    def GetTrackCount(self, kind: str) -> int:
        return max((number for what, number in self.tracks if what == kind), default=0)

    def GetItemListInTrack(self, kind: str, number: int) -> list[TimelineItem]:
        return self.tracks.get((kind, number), [])

    def GetSelectedClips(self) -> list[TimelineItem]:
        return self.chosen

    def Export(self, path: str, kind: Any, subtype: Any) -> bool:
        if self.exports is not None:
            return self.exports(path)
        if kind != "OTIO" or self.otio is None or not Path(path).parent.is_dir():
            return False
        Path(path).write_text(self.otio.to_json_string(), encoding="utf-8")
        return True

    def AddMarker(
        self, at: int, colour: str, name: str, note: str, length: int, custom: str
    ) -> bool:
        if at in self.markers or at < 0 or at >= max(self.length, 1):
            return False
        self.markers[at] = {
            "color": colour, "name": name, "note": note, "duration": length, "customData": custom
        }  # fmt: skip
        return True

    def GetMarkers(self) -> dict[int, dict[str, Any]]:
        return self.markers

    def DeleteMarkerByCustomData(self, custom: str) -> bool:
        for at, marker in list(self.markers.items()):
            if marker["customData"] == custom:
                del self.markers[at]
                return True
        return False

    def DeleteClips(self, items: list[TimelineItem]) -> bool:
        for track in self.tracks.values():
            track[:] = [item for item in track if item not in items]
        return True

    @property
    def length(self) -> int:
        ends = [item.start + item.length for track in self.tracks.values() for item in track]
        return max(ends, default=self.start) - self.start


class MediaPool(Thing):
    def __init__(self, project: Project) -> None:
        self.project = project
        self.items: list[MediaPoolItem] = []
        self.chosen: list[MediaPoolItem] = []
        self.imports_otio = True
        self.imports_without_a_word = False
        self.end_is_last = False  # as the documents say, not as was measured
        self.shift = 0  # frames by which an import is wrong
        self.slip = 0  # frames by which what it plays of the media is wrong
        self.imports_offline = False
        self.relinks = True

    def GetSelectedClips(self) -> list[MediaPoolItem]:
        return self.chosen

    def item(self, path: str) -> MediaPoolItem | None:
        for item in self.items:
            if str(item.path) == path:
                return item
        if not Path(path).exists():
            return None
        self.items.append(MediaPoolItem(Path(path)))
        return self.items[-1]

    def ImportMedia(self, paths: list[str]) -> list[MediaPoolItem]:
        found = [self.item(path) for path in paths]
        return [item for item in found if item is not None]

    def CreateEmptyTimeline(self, name: str) -> Timeline | None:
        if name in {each.name for each in self.project.timelines}:
            return None
        self.project.timelines.append(Timeline(name, self.project.rate))
        return self.project.timelines[-1]

    def CreateTimelineFromClips(
        self, name: str, clips: list[MediaPoolItem | dict[str, Any]]
    ) -> Timeline | None:
        made = self.CreateEmptyTimeline(name)
        if made is None:
            return None
        self.project.current = made
        parts = [clip if isinstance(clip, dict) else {"mediaPoolItem": clip} for clip in clips]
        made.otio = stringout(
            [part["mediaPoolItem"].info for part in parts],
            [
                (part["startFrame"], part["endFrame"]) if "endFrame" in part else None
                for part in parts
            ],
        )
        return made

    def DeleteTimelines(self, timelines: list[Timeline]) -> bool:
        self.project.timelines = [each for each in self.project.timelines if each not in timelines]
        if self.project.current in timelines:
            self.project.current = None
        return True

    def RelinkClips(self, items: list[MediaPoolItem], folder: str) -> bool:
        if not self.relinks or any(item.path.parent != Path(folder) for item in items):
            return False
        for item in items:
            item.online = item.path.exists()
        return True

    def ImportTimelineFromFile(self, path: str, options: dict[str, Any]) -> Timeline | None:
        name = options.get("timelineName") or Path(path).stem
        if not self.imports_otio or name in {each.name for each in self.project.timelines}:
            return None
        found = otio.adapters.read_from_file(path)
        if not isinstance(found, otio.schema.Timeline) or not all(map(self._stock, _all(found))):
            return None
        start = found.global_start_time
        made = Timeline(name, self.project.rate, int(start.value) if start else 90000)
        for kind, tracks in (("video", found.video_tracks()), ("audio", found.audio_tracks())):
            for number, track in enumerate(tracks, start=1):
                items = [self._placed(made, track, clip, options) for clip in track.find_clips()]
                if None in items:
                    return None
                made.tracks[kind, number] = [item for item in items if item is not None]
        self.project.timelines.append(made)
        self.project.current = made
        return None if self.imports_without_a_word else made

    def _stock(self, thing: Any) -> bool:
        return thing.schema_name() in STOCK

    def _placed(
        self, made: Timeline, track: otio.schema.Track, clip: otio.schema.Clip, options: Any
    ) -> TimelineItem | None:
        media = self.item(clip.media_reference.target_url)
        if media is None:
            return None  # moved: the whole import gives nothing
        first = clip.source_range.start_time.value
        if media.info.start_frame and first < media.info.start_frame:
            return None  # counted from 0
        span = track.range_of_child(clip)
        at = round(span.start_time.rescaled_to(made.rate).value)
        length = round(span.duration.rescaled_to(made.rate).value)
        media.online = not self.imports_offline
        linked = media if options.get("importSourceClips") else None
        made_item = self.project.item_type(linked, made.start + at + self.shift, length, clip.name)
        made_item.enabled = clip.enabled
        made_item.source = int(first) - media.info.start_frame + self.slip
        return made_item

    def AppendToTimeline(self, infos: list[dict[str, Any]]) -> list[TimelineItem]:
        timeline = self.project.current
        placed = []
        for info in infos:
            assert timeline is not None
            kind = {1: "video", 2: "audio"}[info["mediaType"]]
            track = timeline.tracks.setdefault((kind, info["trackIndex"]), [])
            media: MediaPoolItem = info["mediaPoolItem"]
            last = info["endFrame"] + (1 if self.end_is_last else 0)
            length = int((last - info["startFrame"]) * timeline.rate / float(media.info.rate))
            start = info["recordFrame"]
            if any(it.start < start + length and start < it.start + it.length for it in track):
                continue  # silently
            track.append(self.project.item_type(media, start, length, media.path.name))
            track[-1].source = info["startFrame"]
            track.sort(key=lambda item: item.start)
            placed.append(track[[item.start for item in track].index(start)])
        return placed


@dataclass
class Project(Thing):
    rate: float = 25.0
    timelines: list[Timeline] = field(default_factory=list)
    current: Timeline | None = None
    item_type: type[TimelineItem] = TimelineItem

    def __post_init__(self) -> None:
        self.pool = MediaPool(self)

    def GetName(self) -> str:
        return "Documentary"

    def GetMediaPool(self) -> MediaPool:
        return self.pool

    def GetCurrentTimeline(self) -> Timeline | None:
        return self.current

    def SetCurrentTimeline(self, timeline: Timeline) -> bool:
        self.current = timeline
        return True

    def GetTimelineCount(self) -> int:
        return len(self.timelines)

    def GetTimelineByIndex(self, index: int) -> Timeline | None:
        return self.timelines[index - 1] if 0 < index <= len(self.timelines) else None

    def named(self, name: str) -> Timeline:
        """For tests."""
        return next(each for each in self.timelines if each.name == name)


class Resolve(Thing):
    EXPORT_OTIO, EXPORT_NONE = "OTIO", "NONE"

    def __init__(self, project: Project | None) -> None:
        self.project, self.page = project, "edit"

    def GetProjectManager(self) -> Resolve:
        return self

    def GetCurrentProject(self) -> Project | None:
        return self.project

    def GetCurrentPage(self) -> str:
        return self.page


def stringout(
    footage: list[MediaInfo], parts: list[tuple[int, int] | None] | None = None
) -> otio.schema.Timeline:
    """What Resolve exports of a timeline that holds some files, or parts of them, in turn."""
    made = otio.schema.Timeline("export")
    track = otio.schema.Track("Video 1", kind=otio.schema.TrackKind.Video)
    made.tracks.append(track)
    for info, part in zip(footage, parts or [None] * len(footage), strict=True):
        rate = float(info.rate)
        span = otio.opentime.TimeRange(
            otio.opentime.RationalTime(info.start_frame, rate),
            otio.opentime.RationalTime(info.frame_count, rate),
        )
        reference = otio.schema.ExternalReference(str(info.path), span)
        if part is not None:
            first = otio.opentime.RationalTime(info.start_frame + part[0], rate)
            span = otio.opentime.TimeRange(
                first, otio.opentime.RationalTime(part[1] - part[0], rate)
            )
        track.append(otio.schema.Clip(info.name, reference, span))
    return made


def edited(name: str, *files: Path, item_type: type[TimelineItem] = TimelineItem) -> Project:
    """A project with one timeline that holds some files, open."""
    footage = [probe(path) for path in files]
    project = Project(float(footage[0].rate), item_type=item_type)
    timeline = Timeline(name, project.rate)
    timeline.otio = stringout(footage)
    at, items = timeline.start, []
    for info in footage:
        items.append(item_type(project.pool.item(str(info.path)), at, info.frame_count, info.name))
        at += info.frame_count
    timeline.tracks["video", 1] = items
    project.timelines.append(timeline)
    project.current = timeline
    return project


def _all(timeline: otio.schema.Timeline) -> list[Any]:
    found: list[Any] = [timeline, timeline.tracks, *timeline.tracks]
    for clip in timeline.find_clips():
        found += [clip, clip.media_reference, *clip.effects, *clip.markers]
    return found
