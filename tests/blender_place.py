"""Runs inside Blender: reads timelines with the add-on and prints what lies where, as JSON.

blender -b --factory-startup --python-exit-code 9 --python blender_place.py -- ADDON JOB...
"""

import importlib.util
import json
import sys

import bpy

addon_path, *jobs = sys.argv[sys.argv.index("--") + 1 :]
spec = importlib.util.spec_from_file_location("mapedit_vse", addon_path)
addon = importlib.util.module_from_spec(spec)
sys.modules["mapedit_vse"] = addon
spec.loader.exec_module(addon)
addon.register()

# The add-on's own words, but this Python's mapedit.
addon.COMMAND = json.loads(jobs.pop(0))


def fresh():
    """An empty scene."""
    scene = bpy.data.scenes.new("test")
    bpy.context.window.scene = scene
    return scene


def described(scene):
    """Every strip of a scene."""
    return [
        {
            "type": strip.type,
            "channel": strip.channel,
            "start": strip.frame_final_start,
            "end": strip.frame_final_end,
            "offset": getattr(strip, "frame_offset_start", 0),
            "mute": strip.mute,
            "name": strip.name,
        }
        for strip in sorted(addon.strips_of(scene), key=lambda s: (s.channel, s.frame_final_start))
    ]


answers = []
for job in jobs:
    verb, path = job.split("=", 1)
    part, verb = verb.startswith("part-"), verb.removeprefix("part-")
    scene = fresh()
    said = ""
    try:
        if verb == "read":
            result = bpy.ops.mapedit.read("EXEC_DEFAULT", filepath=path)
        else:
            if path:
                strips = addon.strips_of(scene)
                scene.render.fps = 25 if "talk" in path else 30
                scene.render.fps_base = 1.0 if "talk" in path else 1.001
                strip = strips.new_movie("film", path, 1, 1)
                if part:
                    strip.frame_offset_start, strip.frame_final_duration = 250, 300
            result = bpy.ops.mapedit.propose("EXEC_DEFAULT", verb=verb)
    except RuntimeError as error:  # how an operator's report of an error reaches a script
        result, said = {"CANCELLED"}, str(error)
    answers.append(
        {
            "result": sorted(result),
            "said": said,
            "fps": [scene.render.fps, round(scene.render.fps_base, 6)],
            "end": scene.frame_end,
            "strips": described(scene),
            "markers": sorted((m.frame, m.name) for m in scene.timeline_markers),
        }
    )
print("ANSWERS" + json.dumps(answers))
addon.unregister()
