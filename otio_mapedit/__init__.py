"""Turns footage into an edit you can open, as an OpenTimelineIO timeline.

Every OpenTimelineIO user's process imports this package to find its plugin manifest, so it
imports nothing itself. Start reading at :mod:`otio_mapedit.pipeline`.
"""

__version__ = "0.1.0"
