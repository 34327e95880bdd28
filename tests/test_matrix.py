"""The feature matrix: every thing that an edit can hold, through every format and back.

python tests/test_matrix.py --write     bring the tables of both READMEs up to date
"""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path

import opentimelineio as otio
import pytest

from otio_mapedit.interchange.registry import DRAFT, FORMATS, PROFILES
from tests.feature_matrix import COLUMNS, EXACT, REPORTED, ROWS, Row, cell, table, three, timeline

REPOSITORY = Path(__file__).resolve().parents[1]
PAGES = {REPOSITORY / "README.md": False, REPOSITORY / "README.zh-CN.md": True}
TABLE = re.compile(r"(<!-- matrix -->\n).*?(<!-- end -->)", re.DOTALL)


def matrix() -> dict[tuple[str, str], str]:
    """The marks of every cell.

    Raises:
        AssertionError: one of them is neither exact nor reported.
    """
    marks = {}
    with tempfile.TemporaryDirectory() as folder:
        for number, row in enumerate(ROWS):
            for column in COLUMNS:
                place = Path(folder) / f"{number} {column.title}"
                marks[row.name, column.title] = cell(row, column, place)
    return marks


def test_the_matrix_is_up_to_date() -> None:
    """In both READMEs; and OTIO keeps everything, whatever its host reads of it."""
    pytest.importorskip("otio_aaf_adapter", reason="the extra aaf is not installed")
    marks = matrix()
    for page, chinese in PAGES.items():
        found = TABLE.search(page.read_text(encoding="utf-8"))
        assert found is not None
        expected = f"<!-- matrix -->\n{table(marks, chinese)}<!-- end -->"
        assert found[0] == expected, "run: python tests/test_matrix.py --write"
    assert {marks[row.name, "OTIO"] for row in ROWS} == {f"{EXACT} {EXACT}"}
    titles = [column.title for column in COLUMNS if column.suffix == ".otio"]
    assert {marks[row.name, title][-1] for row in ROWS for title in titles} == {EXACT}


def test_every_format_and_host_has_a_column() -> None:
    shown = {(column.suffix, PROFILES[column.suffix][column.host]) for column in COLUMNS}
    for suffix in FORMATS:
        profiles = {(suffix, profile) for profile in PROFILES[suffix].values()}
        # The hosts' EDLs differ in columns and line ends alone, their bundles as their .otio do.
        # A draft of JianYing is only written, and has tests of its own.
        assert profiles <= shown or suffix in (".edl", ".otioz", DRAFT), suffix


def test_a_silent_loss_is_a_failure(tmp_path: Path) -> None:
    """The check itself: a row whose facts do not come back, and nobody says so."""
    pytest.importorskip("otio_aaf_adapter", reason="the extra aaf is not installed")
    odd = Row("odd", "", lambda folder: timeline(three(folder)), lambda made: id(made))
    for column in COLUMNS:
        with pytest.raises(AssertionError, match="odd"):
            cell(odd, column, tmp_path / column.title)
    blurred = Row("blur", "", lambda folder: _blurred(folder), lambda made: _effects(made))
    found = {cell(blurred, column, tmp_path / f"{column.title} 2") for column in COLUMNS}
    assert f"{REPORTED} {REPORTED}" in found
    assert f"{EXACT} {REPORTED}" not in found


def _blurred(folder: Path) -> otio.schema.Timeline:
    made = timeline(three(folder))
    made.tracks[0][0].effects.append(otio.schema.Effect("blur", "Gaussian Blur"))
    return made


def _effects(made: otio.schema.Timeline) -> list[str]:
    return [effect.name for one in made.find_clips() for effect in one.effects]


if __name__ == "__main__" and "--write" in sys.argv:
    found = matrix()
    for path, chinese in PAGES.items():
        text = path.read_text(encoding="utf-8")
        new = TABLE.sub(lambda old, c=chinese: old[1] + table(found, c) + old[2], text)
        path.write_text(new, encoding="utf-8")
