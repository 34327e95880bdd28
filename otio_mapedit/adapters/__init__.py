"""Shims through which OTIO finds the package; see ``plugin_manifest.json``."""
