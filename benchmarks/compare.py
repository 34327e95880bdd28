"""How surely edits are told apart, on real exports: python benchmarks/compare.py FOLDER

Every timeline below FOLDER is edited by script (tests/human_edits.py: one edit of every kind, with
several seeds) and compared with itself; then it is written in every format, read again, and
compared: there may be no difference unless the format's loss report names one. Prints a line an
edit and a line a format, and the time of ten thousand events.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import tempfile
import time
from collections import Counter
from fractions import Fraction
from pathlib import Path
from typing import Any

import opentimelineio as otio

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from otio_mapedit.errors import MapeditError
from otio_mapedit.interchange.registry import read_timeline, write_timeline
from otio_mapedit.learning.compare import compare
from tests.human_edits import EDITS, clips_of

RATES = (24, Fraction(24000, 1001), 25, Fraction(30000, 1001), 30)
FORMATS = (
    (".fcpxml", "resolve"), (".fcpxml", "finalcut"), (".xml", "premiere"), (".edl", "plain"),
    (".otio", "resolve"), (".otio", "premiere"), (".mapedit", "plain"),
)  # fmt: skip


def read(path: Path) -> Any | None:
    """A timeline at the first rate that fits, None where the file is none."""
    for rate in RATES if path.suffix.lower() == ".edl" else (None,):
        try:
            return read_timeline(path, None if rate is None else Fraction(rate))
        except MapeditError:
            continue
    return None


def edited(timelines: list[Any], seeds: int) -> None:
    """The first table."""
    told, right = Counter[str](), Counter[str]()
    for made in timelines:
        for name, edit in EDITS.items():
            for seed in range(seeds):
                human = made.deepcopy()
                expected = edit(human, random.Random(seed)) if clips_of(made) else None
                if expected is None:
                    continue
                found = compare(made, human)
                changed = Counter(p.changes for p in found.passages if not p.is_accepted)
                told[name] += 1
                right[name] += changed == Counter(expected.values())
    for name in told:
        print(f"{name:12} {right[name]:5} of {told[name]:5}")
    total = sum(told.values())
    print(f"{'all':12} {sum(right.values()):5} of {total:5}  {sum(right.values()) / total:.2%}")


def converted(timelines: list[Any]) -> None:
    """The second table."""
    print("\nformat             same  loss named  unexplained  refused")
    with tempfile.TemporaryDirectory() as folder:
        for suffix, host in FORMATS:
            same = named = unexplained = refused = 0
            for made in timelines:
                try:
                    out = Path(folder) / f"x{suffix}"
                    written = write_timeline(made, out, host, True)
                    if len(written.paths) > 1:
                        continue  # one EDL per picture track: each holds a part
                    found = compare(made, read_timeline(written.paths[0]))
                except MapeditError:
                    refused += 1
                    continue
                same += found.same
                named += not found.same and not written.clean
                unexplained += not found.same and written.clean
            print(f"{suffix:8} {host:9} {same:5} {named:11} {unexplained:12} {refused:8}")


def timed(events: int) -> None:
    """Two edits of many events."""
    RT, TR = otio.opentime.RationalTime, otio.opentime.TimeRange
    made = otio.schema.Timeline("long", global_start_time=RT(0, 25))
    track = otio.schema.Track("V1", kind="Video")
    for n in range(events):
        name = f"file:///rushes/A{n % 300:03d}.mov"
        reference = otio.schema.ExternalReference(name, TR(RT(0, 25), RT(90000, 25)))
        track.append(otio.schema.Clip("a", reference, TR(RT(7 * n % 80000, 25), RT(50, 25))))
    made.tracks.append(track)
    human = made.deepcopy()
    del human.tracks[0][100:150]
    times = []
    for _ in range(5):
        begin = time.process_time()
        compare(made, human)
        times.append(time.process_time() - begin)
    print(f"\n{events:,} events: {statistics.median(times):.2f} s of processor time (median of 5)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    endings = (".fcpxml", ".xml", ".edl", ".otio")
    paths = [p for p in sorted(options.folder.rglob("*")) if p.suffix.lower() in endings]
    timelines = [made for path in paths if (made := read(path)) is not None]
    print(f"{len(timelines)} timelines")
    edited(timelines, options.seeds)
    converted(timelines)
    for events in (2_500, 10_000):
        timed(events)


if __name__ == "__main__":
    main()
