"""Everything about the package stands in pyproject.toml, except what it cannot say: two folders
of the repository that are not Python, the networks and the plugins, travel inside the package.

In an editable install they stay where they are; `otio_mapedit.weights` looks in both places.
"""

from setuptools import find_packages, setup

setup(
    packages=[
        *find_packages(include=["otio_mapedit", "otio_mapedit.*"]),
        "otio_mapedit._networks",
        "otio_mapedit._plugins",
    ],
    package_dir={"otio_mapedit._networks": "onnx", "otio_mapedit._plugins": "plugins"},
    package_data={
        "otio_mapedit": ["py.typed", "plugin_manifest.json", "**/*.schema.json"],
        "otio_mapedit._networks": ["*.onnx", "*.toml", "SHA256SUMS", "MODEL_CARD.md"],
        "otio_mapedit._plugins": ["**/*"],
    },
)
