"""Damaged timelines never get past one clear line: python benchmarks/fuzz_timelines.py FOLDER

Every real timeline below FOLDER is damaged in several ways (bits flipped, cut off, parts removed,
doubled or swapped, numbers made wild) and read. A reader may understand what is left or refuse it
with one of our errors; anything else, or more than ten seconds, is a fault. Exit code 1 if there
is one.
"""

from __future__ import annotations

import argparse
import random
import re
import resource
import sys
import tempfile
import time
from collections import Counter
from fractions import Fraction
from pathlib import Path

from otio_mapedit.errors import MapeditError
from otio_mapedit.interchange.registry import read_timeline

SUFFIXES = (".fcpxml", ".xml", ".edl", ".otio", ".mlt", ".mapedit")
WILD = ("0", "-1", "1e999", "99999999999999999999", "NaN", "1/0", "-9223372036854775808", "", "∞")
SLOW = 10.0


def damaged(content: bytes, chance: random.Random) -> bytes:
    """One kind of damage, chosen by chance."""
    data = bytearray(content)
    size = len(data)
    kind = chance.randrange(6)
    if kind == 0:
        for _ in range(chance.randrange(1, 20)):
            data[chance.randrange(size)] ^= 1 << chance.randrange(8)
    elif kind == 1:
        del data[chance.randrange(size) :]
    elif kind == 2:
        start = chance.randrange(size)
        del data[start : start + chance.randrange(1, 2000)]
    elif kind == 3:
        lines = bytes(data).split(b"\n")
        at = chance.randrange(len(lines))
        lines.insert(chance.randrange(len(lines)), lines[at])
        data = bytearray(b"\n".join(lines))
    elif kind == 4:
        parts = list(re.finditer(rb"\d+", bytes(data)))
        for found in sorted(chance.sample(parts, min(3, len(parts))), key=lambda f: -f.start()):
            data[found.start() : found.end()] = chance.choice(WILD).encode()
    else:
        words = list(re.finditer(rb'"[^"\n]{1,80}"', bytes(data)))
        if len(words) > 1:
            one, other = sorted(chance.sample(words, 2), key=lambda f: f.start())
            data[other.start() : other.end()] = one[0]
    return bytes(data)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--each", type=int, default=10, help="damages of each file")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    paths = [p for p in sorted(options.folder.rglob("*")) if p.suffix.lower() in SUFFIXES]
    outcome, faults, slowest = Counter[str](), [], 0.0
    with tempfile.TemporaryDirectory() as folder:
        for path in paths:
            content = path.read_bytes()
            for number in range(options.each if content else 0):
                chance = random.Random(f"{options.seed}/{path.name}/{number}")
                broken = Path(folder) / f"x{path.suffix.lower()}"
                broken.write_bytes(damaged(content, chance))
                rate = Fraction(25) if broken.suffix == ".edl" else None
                begin = time.monotonic()
                try:
                    read_timeline(broken, rate)
                    outcome["read"] += 1
                except MapeditError as error:
                    outcome["refused"] += 1
                    if "\n" in str(error):
                        faults.append((path.name, number, "an error of several lines"))
                except Exception as error:
                    faults.append((path.name, number, f"{type(error).__name__}: {error}"[:150]))
                took = time.monotonic() - begin
                slowest = max(slowest, took)
                if took > SLOW:
                    faults.append((path.name, number, f"{took:.0f} s"))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"{len(paths)} files, {sum(outcome.values())} readings: {dict(outcome)}, "
          f"{len(faults)} faults, slowest {slowest:.1f} s, peak {peak} MB")  # fmt: skip
    for name, number, what in faults[:40]:
        print(f"  {name} #{number}: {what}")
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
