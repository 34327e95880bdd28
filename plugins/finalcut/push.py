"""Media or a project's XML in, a proposed project in Final Cut Pro's open library out.

    python push.py roughcut /path/clip.mov ...
    python push.py shots "/path/My Project.fcpxmld"

The Finder's Quick Actions run this with the Python that otio-mapedit lives in. Nothing but Python's
own library is used. Whatever goes wrong ends in a dialog that says what to do.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from urllib.parse import quote
from xml.sax.saxutils import quoteattr

TITLES = {"roughcut": "Rough Cut", "shots": "Shots", "highlights": "Highlights"}
HERE = Path(__file__).resolve().parent
_NOT_ALLOWED = "-1743"  # errAEEventNotPermitted


class Trouble(Exception):
    """What went wrong and what to do about it."""


def main(words: list[str]) -> int:
    """Carry out a Quick Action; gives the exit code."""
    try:
        if len(words) < 2 or words[0] not in TITLES:
            raise Trouble("Select clips or a project's XML in the Finder, then run it again.")
        path = proposed(words[0], [Path(word) for word in words[1:]], Path.home())
        path.write_text(with_options(path.read_text("utf-8"), open_library()), "utf-8")
        opened(path)
    except Trouble as trouble:
        tell(str(trouble))
        return 1
    return 0


def proposed(verb: str, files: list[Path], home: Path) -> Path:
    """Have mapedit write the proposal; gives the file.

    Raises:
        Trouble: what mapedit said.
    """
    folder = home / "Movies" / "MapEdit"
    folder.mkdir(parents=True, exist_ok=True)
    path = unused(folder, f"{files[0].stem} - {TITLES[verb]}")
    done = subprocess.run(
        [sys.executable, "-P", "-m", "otio_mapedit", verb, *map(str, files), "-o", str(path),
         "--for", "finalcut", "--only-used", "--json"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode != 0 or not path.exists():
        lines = done.stderr.strip().splitlines()
        said = lines[-1].removeprefix("mapedit: ") if lines else "it said nothing"
        raise Trouble(f"mapedit could not do this: {said}")
    return path


def unused(folder: Path, name: str) -> Path:
    """A file name that is not taken."""
    path, count = folder / f"{name}.fcpxml", 1
    while path.exists():
        count += 1
        path = folder / f"{name} {count}.fcpxml"
    return path


def with_options(text: str, library: str) -> str:
    """An FCPXML with the options that import it without a question: into ``library`` (a folder
    path, empty where it is not known), media left where it is."""
    options = {"copy assets": "0", "suppress warnings": "1"}
    if library:
        # Any other form of it makes Final Cut ask, and hold up whoever asked it to open the file.
        options = {"library location": f"file://{quote(library.rstrip('/'))}/", **options}
    lines = [f"<option key={quoteattr(k)} value={quoteattr(v)}/>" for k, v in options.items()]
    start = text.index("<fcpxml")
    at = text.index(">", start) + 1
    inside = "\n        ".join(lines)
    block = f"\n    <import-options>\n        {inside}\n    </import-options>"
    return text[:at] + block + text[at:]


def open_library() -> str:
    """The folder of the library that is open; empty where Final Cut does not say."""
    code, said = script("library.applescript")
    library = said.strip()
    return library if code == 0 and library.rstrip("/").endswith(".fcpbundle") else ""


def opened(path: Path) -> None:
    """Have Final Cut Pro import a file.

    Raises:
        Trouble: it was not let, or did not.
    """
    code, said = script("push.applescript", str(path))
    if _NOT_ALLOWED in said:
        raise Trouble(
            "The Finder may not control Final Cut Pro. Allow it in System Settings > Privacy & "
            f"Security > Automation, or import {path} yourself: File > Import > XML."
        )
    if code != 0:
        raise Trouble(
            f"Final Cut Pro did not import {path}. Import it yourself: File > Import > XML. "
            f"({said.strip()})"
        )


def tell(text: str) -> None:
    """A dialog; the text travels as an argument, so that nothing in it is script."""
    code, _ = script("tell.applescript", text)
    if code != 0:
        sys.stderr.write(f"MapEdit: {text}\n")


def script(name: str, *words: str) -> tuple[int, str]:
    """Run an AppleScript; gives its exit code and what it said."""
    try:
        done = subprocess.run(
            ["osascript", str(HERE / name), *words], capture_output=True, text=True, check=False
        )
    except OSError as error:
        return 1, str(error)
    return done.returncode, done.stdout if done.returncode == 0 else done.stderr


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
