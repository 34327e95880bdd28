"""MapEdit for Blender's video sequencer: reads a timeline, and proposes one.

Sequencer > Sidebar (N) > MapEdit: *Read Timeline* places an .otio file as strips (a .mapedit file
and others too, if mapedit is installed); *Rough Cut*, *Find Shots* and *Highlights* work on what
the selected strips, or all, play, and place what they propose on channels above. Nothing that is
there is changed.

One file, nothing but Blender: Edit > Preferences > Add-ons > Install.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from urllib.parse import unquote, urlsplit

try:
    import bpy
except ImportError:  # outside Blender the reading part still works, for tests
    bpy = None

bl_info = {
    "name": "MapEdit",
    "description": "Read timelines (.otio) as strips, and have rough cuts and shots proposed",
    "author": "otio-mapedit",
    "version": (0, 1, 0),
    "blender": (3, 3, 0),
    "location": "Video Sequencer > Sidebar > MapEdit",
    "category": "Sequencer",
}

#: The words that start mapedit; `mapedit plugin install blender` writes its own place here.
COMMAND = ["mapedit"]
LABELS = {"roughcut": "Rough Cut", "shots": "Find Shots", "highlights": "Highlights"}
_NTSC = (24, 30, 48, 60, 120)


class Trouble(Exception):
    """What went wrong and what to do about it."""


# Reading, without Blender ---------------------------------------------------------------------


@dataclass
class Clip:
    """A clip in frames: ``start`` and ``length`` of the sequence, ``offset`` of its media."""

    name: str
    path: str
    start: int
    length: int
    offset: int
    rate: Fraction  # of the media
    speed: float = 1.0
    enabled: bool = True


@dataclass
class Track:
    """One track. ``joins``: a dissolve over the edge before ``clips[n]``, as frames before and
    after it."""

    kind: str
    clips: list[Clip] = field(default_factory=list)
    joins: dict[int, tuple[int, int]] = field(default_factory=dict)


@dataclass
class Timeline:
    """A timeline as plain frames; ``notes`` say what of it is not here."""

    name: str
    rate: Fraction
    tracks: list[Track] = field(default_factory=list)
    markers: list[tuple[int, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def exact(rate: float) -> Fraction:
    """A frame rate as what it stands for: 23.976 is 24000/1001."""
    for base in _NTSC:
        if abs(rate - base * 1000 / 1001) < 0.002:
            return Fraction(base * 1000, 1001)
    return Fraction(rate).limit_denominator(1001)


def read(path: Path) -> Timeline:
    """The timeline in an .otio file.

    Raises:
        Trouble: it is none.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8-sig"))
        if not schema(document).startswith("Timeline."):
            raise ValueError("it holds no timeline")
        return _timeline(document)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise Trouble(f"{path.name} cannot be read ({error}). Export it again as OTIO.") from error


def schema(thing: object) -> str:
    """What an OTIO object says that it is."""
    return str(thing.get("OTIO_SCHEMA", "")) if isinstance(thing, dict) else ""


def _timeline(document: dict) -> Timeline:
    tracks = document["tracks"]["children"]
    made = Timeline(str(document.get("name") or "Timeline"), _rate(document, tracks))
    for number, track in enumerate(tracks, start=1):
        if schema(track).startswith("Track."):
            made.tracks.append(_track(track, made))
        else:
            made.notes.append(f"{schema(track)} {number} beside the tracks was left out")
    return made


def _rate(document: dict, tracks: list) -> Fraction:
    start = document.get("global_start_time")
    if start:
        return exact(start["rate"])
    for track in tracks:
        for item in track.get("children", []):
            if item.get("source_range"):
                return exact(item["source_range"]["duration"]["rate"])
    return Fraction(24)


def _track(track: dict, made: Timeline) -> Track:
    result, at = Track(str(track.get("kind", "Video"))), Fraction(0)
    for item in track.get("children", []):
        kind = schema(item).partition(".")[0]
        if kind == "Transition":
            offsets = [_frames(item[name], made.rate) for name in ("in_offset", "out_offset")]
            result.joins[len(result.clips)] = (round(offsets[0]), round(offsets[1]))
            continue
        if not item.get("source_range"):
            made.notes.append(f"{item.get('name') or kind} has no length and was left out")
            continue
        length = _frames(item["source_range"]["duration"], made.rate)
        if kind == "Clip":
            clip = _clip(item, round(at), round(at + length) - round(at), made)
            if clip is not None:
                result.clips.append(clip)
        elif kind != "Gap":
            made.notes.append(f"{item.get('name') or kind} ({kind}) was left out")
        at += length
    return result


def _clip(item: dict, start: int, length: int, made: Timeline) -> Clip | None:
    reference = item.get("media_reference")
    if reference is None:
        references = item.get("media_references") or {}
        reference = references.get(item.get("active_media_reference_key", "DEFAULT_MEDIA"))
    path = local_path(str((reference or {}).get("target_url") or ""))
    if not path:
        made.notes.append(f"{item.get('name') or 'a clip'} has no media file and was left out")
        return None
    first, available = item["source_range"]["start_time"], reference.get("available_range")
    rate = exact(available["start_time"]["rate"] if available else first["rate"])
    offset = _frames(first, rate)
    if available:
        offset -= _frames(available["start_time"], rate)
    speed = 1.0
    for effect in item.get("effects", []):
        if schema(effect).startswith("LinearTimeWarp."):
            speed *= float(effect.get("time_scalar", 1.0))
    for marker in item.get("markers", []):
        shown = _frames(marker["marked_range"]["start_time"], rate) - _frames(first, rate)
        at = start + round(shown * made.rate / rate / abs(Fraction(speed)))
        made.markers.append((at, str(marker.get("name") or marker.get("comment") or "Marker")))
    enabled = bool(item.get("enabled", True))
    return Clip(item.get("name") or Path(path).name, path, start, length, round(offset), rate,
                speed, enabled)  # fmt: skip


def _frames(time: dict, rate: Fraction) -> Fraction:
    """A RationalTime in frames of ``rate``."""
    own = exact(time["rate"])
    value = Fraction(time["value"]).limit_denominator(1000000)
    return value if own == rate else value * rate / own


def local_path(url: str) -> str:
    """The path behind a URL or a bare path."""
    if not url.lower().startswith("file:"):
        return url
    parts = urlsplit(url)
    path = unquote(parts.path)
    if len(path) > 2 and path[0] == "/" and path[2] == ":":
        return path[1:]
    return f"//{parts.netloc}{path}" if parts.netloc not in ("", "localhost") else path


def converted(path: Path, folder: Path) -> Path:
    """A timeline of any kind as .otio, by mapedit.

    Raises:
        Trouble: mapedit is not there, or cannot.
    """
    target = folder / f"{path.stem}.otio"
    run(["convert", str(path), str(target), "--force", "--quiet"])
    return target


def run(words: list[str]) -> str:
    """Run mapedit to its end; gives what it said.

    Raises:
        Trouble: it is not there, or said what went wrong.
    """
    process = started(words)
    out, said = process.communicate()
    return finished(process.returncode, out, said)


def started(words: list[str]) -> subprocess.Popen:
    """mapedit at work.

    Raises:
        Trouble: it is not there.
    """
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    try:
        return subprocess.Popen([*COMMAND, *words], encoding="utf-8", errors="replace", **pipes)
    except OSError as error:
        raise Trouble(
            "mapedit was not found. Install otio-mapedit, then type: mapedit plugin install blender"
        ) from error


def finished(code: int, out: str, said: str) -> str:
    """What mapedit answered.

    Raises:
        Trouble: it could not do it.
    """
    if code != 0:
        lines = said.strip().splitlines() or ["it said nothing; run it in a terminal to see more"]
        raise Trouble(lines[-1].removeprefix("mapedit: "))
    return out


# Placing, in Blender --------------------------------------------------------------------------


def strips_of(scene):
    """The scene's strips: called `strips` since 4.4, `sequences` before."""
    editor = scene.sequence_editor or scene.sequence_editor_create()
    return getattr(editor, "strips", None) or editor.sequences


def scene_rate(scene) -> Fraction:
    """Frames per second of a scene."""
    render = scene.render
    return exact(render.fps / render.fps_base)


def first_free(scene) -> int:
    """The lowest channel with nothing on it or above it."""
    return max((strip.channel for strip in strips_of(scene)), default=0) + 1


def place(scene, timeline: Timeline) -> list[str]:
    """Place a timeline on free channels; gives what did not come along.

    Raises:
        Trouble: the scene runs at another rate.
    """
    strips, notes = strips_of(scene), list(timeline.notes)
    if len(strips) == 0:
        scene.render.fps = round(timeline.rate)
        scene.render.fps_base = round(timeline.rate) / float(timeline.rate)
    if scene_rate(scene) != timeline.rate:
        raise Trouble(
            f"This scene runs at {float(scene_rate(scene)):g} frames a second, the timeline at "
            f"{float(timeline.rate):g}. Read it into an empty scene, or set the rate."
        )
    channel, end = first_free(scene), scene.frame_start
    for kind in ("Audio", "Video"):  # pictures above their sound, as Blender shows them
        tracks = [track for track in timeline.tracks if track.kind == kind]
        if kind == "Audio" and len(tracks) > 1:
            notes.append(f"Blender plays a file's first sound: {len(tracks) - 1} more left out")
            tracks = tracks[:1]
        for track in tracks:
            placed = _placed(scene, track, channel, notes)
            end = max([end, *(strip.frame_final_end for strip in placed if strip)])
            channel = first_free(scene)
    for at, name in timeline.markers:
        scene.timeline_markers.new(name, frame=scene.frame_start + at)
    scene.frame_end = max(scene.frame_end if len(strips) else 1, end - 1)
    return notes


def _placed(scene, track: Track, channel: int, notes: list[str]) -> list:
    """Strips of a track. Clips that a dissolve joins overlap on two channels, under an effect."""
    made, joins = [], _between(track, notes)
    for number, clip in enumerate(track.clips):
        handles = joins.get(number, (0, 0))[0], joins.get(number + 1, (0, 0))[1]
        beside = channel + number % 2 if joins else channel
        made.append(_strip(scene, track.kind, clip, beside, handles, notes))
    for number, (head, tail) in joins.items():
        pair = made[number - 1 : number + 1]
        if track.kind == "Video" and None not in pair:
            at = scene.frame_start + track.clips[number].start
            _cross(scene, channel + 2, at - head, at + tail, pair)
    return made


def _between(track: Track, notes: list[str]) -> dict[int, tuple[int, int]]:
    """The dissolves between two clips that meet."""
    found = {}
    for number, offsets in track.joins.items():
        pair = track.clips[number - 1 : number + 1] if number else []
        if len(pair) == 2 and pair[0].start + pair[0].length == pair[1].start:
            found[number] = offsets
        elif track.kind == "Video":
            notes.append("a fade at an end of the track, or beside a gap, was left out")
    return found


def _strip(scene, kind: str, clip: Clip, channel: int, handles: tuple[int, int], notes: list[str]):
    """One clip with ``handles`` frames before and after it; None where it cannot be placed."""
    if not Path(clip.path).exists():
        notes.append(f"{clip.path} is not there: its clip was left out")
        return None
    if clip.rate != scene_rate(scene):
        notes.append(
            f"{clip.name} has {float(clip.rate):g} frames a second; Blender would play it at the "
            "scene's: left out"
        )
        return None
    if clip.speed != 1.0:
        notes.append(f"{clip.name} should play at {clip.speed:.0%} speed: set it by hand")
    strips = strips_of(scene)
    offset, start = clip.offset - handles[0], scene.frame_start + clip.start - handles[0]
    length = clip.length + sum(handles)
    new = strips.new_movie if kind == "Video" else strips.new_sound
    strip = new(clip.name, clip.path, channel, start - offset)
    strip.frame_offset_start = offset
    strip.frame_final_duration = length
    strip.mute = not clip.enabled
    return strip


def _cross(scene, channel: int, start: int, end: int, pair: list) -> None:
    strips = strips_of(scene)
    words = {"name": "Dissolve", "type": "CROSS", "channel": channel, "frame_start": start}
    try:
        strips.new_effect(frame_end=end, seq1=pair[0], seq2=pair[1], **words)
    except TypeError:  # since 5.0
        strips.new_effect(length=end - start, input1=pair[0], input2=pair[1], **words)


def footage(scene, folder: Path) -> Path:
    """A timeline of what the selected strips, else all, play of their files.

    Raises:
        Trouble: there is none.
    """
    strips = [strip for strip in strips_of(scene) if strip.type in ("MOVIE", "SOUND")]
    chosen = [strip for strip in strips if strip.select] or strips
    if not chosen:
        raise Trouble("There is no film or sound strip. Add one, or select some.")
    rate = float(scene_rate(scene))

    def span(start: int, length: int) -> dict:
        times = [{"OTIO_SCHEMA": "RationalTime.1", "rate": rate, "value": float(value)}
                 for value in (start, length)]  # fmt: skip
        return {"OTIO_SCHEMA": "TimeRange.1", "start_time": times[0], "duration": times[1]}

    tracks = []
    for kind, name in (("MOVIE", "Video"), ("SOUND", "Audio")):
        clips = []
        for strip in sorted(
            (s for s in chosen if s.type == kind), key=lambda s: s.frame_final_start
        ):
            path = strip.filepath if kind == "MOVIE" else strip.sound.filepath
            whole = max(strip.frame_duration, strip.frame_offset_start + strip.frame_final_duration)
            clips.append({
                "OTIO_SCHEMA": "Clip.2", "name": strip.name,
                "source_range": span(strip.frame_offset_start, strip.frame_final_duration),
                "active_media_reference_key": "DEFAULT_MEDIA",
                "media_references": {"DEFAULT_MEDIA": {
                    "OTIO_SCHEMA": "ExternalReference.1", "available_range": span(0, whole),
                    "target_url": bpy.path.abspath(path),
                }},
            })  # fmt: skip
        track = {"OTIO_SCHEMA": "Track.1", "kind": name, "name": name, "children": clips}
        tracks += [track] if clips else []
    stack = {"OTIO_SCHEMA": "Stack.1", "children": tracks}
    document = {"OTIO_SCHEMA": "Timeline.1", "name": "strips", "tracks": stack}
    path = folder / "strips.otio"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def propose_words(scene, verb: str, target: Path) -> list[str]:
    """The words that have mapedit propose."""
    rate = scene_rate(scene)
    strips = footage(scene, target.parent)
    words = [verb, str(strips), "--only-used", "-o", str(target), "--force", "--quiet"]
    if verb == "roughcut":  # shots has the rate of its film
        words += ["--rate", f"{rate.numerator}/{rate.denominator}"]
    return words


def told(notes: list[str], done: str) -> tuple[set[str], str]:
    """What an operator reports."""
    if not notes:
        return {"INFO"}, done
    more = f" (and {len(notes) - 1} more, see the console)" if len(notes) > 1 else ""
    for note in notes:
        print(f"MapEdit: {note}")
    return {"WARNING"}, f"{done}. Look: {notes[0]}{more}"


if bpy is not None:

    class MAPEDIT_OT_read(bpy.types.Operator):
        """Place a timeline's clips as strips, on free channels"""

        bl_idname = "mapedit.read"
        bl_label = "Read Timeline"
        bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012  # as Blender wants it
        filepath: bpy.props.StringProperty(subtype="FILE_PATH")  # type: ignore[valid-type]
        filter_glob: bpy.props.StringProperty(  # type: ignore[valid-type]
            default="*.otio;*.mapedit;*.fcpxml;*.xml;*.edl", options={"HIDDEN"}
        )

        def invoke(self, context, event):
            context.window_manager.fileselect_add(self)
            return {"RUNNING_MODAL"}

        def execute(self, context):
            path = Path(self.filepath)
            try:
                with tempfile.TemporaryDirectory() as folder:
                    if path.suffix.lower() != ".otio":
                        path = converted(path, Path(folder))
                    notes = place(context.scene, read(path))
            except Trouble as trouble:
                self.report({"ERROR"}, str(trouble))
                return {"CANCELLED"}
            self.report(*told(notes, f"Read {Path(self.filepath).name}"))
            return {"FINISHED"}

    class MAPEDIT_OT_propose(bpy.types.Operator):
        """Have a rough cut or the shots of the selected strips proposed, on free channels"""

        bl_idname = "mapedit.propose"
        bl_label = "Propose"
        bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012  # as Blender wants it
        verb: bpy.props.EnumProperty(  # type: ignore[valid-type]
            items=[(verb, label, "") for verb, label in LABELS.items()]
        )

        def execute(self, context):
            """To the end, for scripts and the background."""
            try:
                with tempfile.TemporaryDirectory() as folder:
                    target = Path(folder) / "proposal.otio"
                    run(propose_words(context.scene, self.verb, target))
                    return self._take(context, target)
            except Trouble as trouble:
                self.report({"ERROR"}, str(trouble))
                return {"CANCELLED"}

        def invoke(self, context, event):
            """Beside the editor's work: Esc ends it."""
            self._folder = tempfile.TemporaryDirectory()
            self._target = Path(self._folder.name) / "proposal.otio"
            try:
                words = propose_words(context.scene, self.verb, self._target)
                self._process = started(words)
            except Trouble as trouble:
                self._folder.cleanup()
                self.report({"ERROR"}, str(trouble))
                return {"CANCELLED"}
            manager = context.window_manager
            self._timer = manager.event_timer_add(0.5, window=context.window)
            manager.modal_handler_add(self)
            context.workspace.status_text_set(f"MapEdit: {LABELS[self.verb]}; Esc ends it")
            return {"RUNNING_MODAL"}

        def modal(self, context, event):
            if event.type == "ESC":
                self._process.terminate()
                self._end(context)
                self.report({"INFO"}, "MapEdit: stopped; nothing was changed")
                return {"CANCELLED"}
            if event.type != "TIMER" or self._process.poll() is None:
                return {"PASS_THROUGH"}
            try:
                finished(self._process.returncode, *self._process.communicate())
                return self._take(context, self._target)
            except Trouble as trouble:
                self.report({"ERROR"}, str(trouble))
                return {"CANCELLED"}
            finally:
                self._end(context)

        def _take(self, context, target):
            notes = place(context.scene, read(target))
            self.report(*told(notes, f"{LABELS[self.verb]} placed on free channels"))
            return {"FINISHED"}

        def _end(self, context):
            context.window_manager.event_timer_remove(self._timer)
            context.workspace.status_text_set(None)
            self._folder.cleanup()

    class MAPEDIT_PT_panel(bpy.types.Panel):
        """MapEdit in the sequencer's sidebar"""

        bl_space_type = "SEQUENCE_EDITOR"
        bl_region_type = "UI"
        bl_category = "MapEdit"
        bl_label = "MapEdit"

        def draw(self, context):
            self.layout.operator(MAPEDIT_OT_read.bl_idname)
            for verb, label in LABELS.items():
                self.layout.operator(MAPEDIT_OT_propose.bl_idname, text=label).verb = verb

    CLASSES = (MAPEDIT_OT_read, MAPEDIT_OT_propose, MAPEDIT_PT_panel)

    def register():
        for each in CLASSES:
            bpy.utils.register_class(each)

    def unregister():
        for each in reversed(CLASSES):
            bpy.utils.unregister_class(each)
