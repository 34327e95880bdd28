"""Turns footage into an edit: shots or a rough cut; reads and writes .mapedit decision lists.

Reading footage runs a recipe; give it and its options as arguments (-a recipe=shots -a key=value).
extra=["b.mp4"] names more footage.
"""

from typing import Any

from otio_mapedit import mapedit_file, plugin
from otio_mapedit.assemble import assemble

__doc__ = plugin.described(__doc__ or "")


def read_from_file(
    filepath: str, recipe: str = "roughcut", extra: Any = None, **options: Any
) -> Any:
    """Read a .mapedit file, or cut footage with a recipe and its options."""
    return plugin.read(filepath, recipe, extra, options)


def read_from_string(input_str: str) -> Any:
    """Read the text of a .mapedit file; media paths stay as they are."""
    return assemble(mapedit_file.loads(input_str))


def write_to_file(input_otio: Any, filepath: str, force: bool = True) -> None:
    """Write a .mapedit file; force=False refuses to replace one."""
    plugin.write(input_otio, filepath, force)


def write_to_string(input_otio: Any) -> str:
    """Write the text of a .mapedit file; media paths are absolute."""
    return mapedit_file.dumps(plugin.decisions_of(input_otio))
