"""Every verb on every file of a folder: what happened, how long it took, how much memory.

    python benchmarks/robustness.py ../shared/data/videos ../shared/data/speech [--json OUT]

Each verb runs as its own process with a time limit. A file passes a verb when the process ends
with 0 and, for an edit, `mapedit check` finds nothing; or when it ends with 4 and one plain line.
Anything else (a traceback, another exit code, a time-out, more than 1 GB) is a fault and makes
this script end with 1.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path

VERBS = ("probe", "shots", "roughcut")
TIME_LIMIT = 300.0  # seconds per process
MEMORY_LIMIT = 1_000_000  # KiB


@dataclass(frozen=True)
class Outcome:
    """One verb on one file."""

    file: str
    verb: str
    code: int
    seconds: float
    peak_kib: int
    fault: str
    line: str


def measured(command: list[str]) -> tuple[int, float, int, str, str]:
    """Exit code, wall seconds, peak resident KiB, stdout and stderr of a process."""
    with tempfile.TemporaryFile("w+b") as out, tempfile.TemporaryFile("w+b") as err:
        began = time.monotonic()
        process = subprocess.Popen(command, stdout=out, stderr=err, stdin=subprocess.DEVNULL)
        timer = threading.Timer(TIME_LIMIT, lambda: os.kill(process.pid, signal.SIGKILL))
        timer.start()
        _, status, usage = os.wait4(process.pid, 0)
        timer.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.monotonic() - began
        out.seek(0)
        err.seek(0)
        texts = (out.read().decode("utf8", "replace"), err.read().decode("utf8", "replace"))
    return process.returncode, seconds, usage.ru_maxrss, *texts


def fault_of(code: int, peak: int, err: str) -> str:
    """What is wrong with an outcome, or nothing."""
    if "Traceback" in err:
        return "traceback"
    if code == -signal.SIGKILL:
        return "time-out"
    if code not in (0, 4):
        return f"exit code {code}"
    if code == 4 and len(err.strip().splitlines()) != 1:
        return f"{len(err.strip().splitlines())} lines for one fault"
    return "memory" if peak > MEMORY_LIMIT else ""


def run(file: Path, verb: str, folder: Path) -> Outcome:
    """One verb on one file, the result checked."""
    output = folder / f"{file.name}.{verb}.otio"
    command = [sys.executable, "-m", "otio_mapedit", verb, str(file)]
    command += ["--json"] if verb == "probe" else ["-o", str(output), "--no-cache", "-q"]
    code, seconds, peak, _, err = measured(command)
    fault = fault_of(code, peak, err)
    if not fault and code == 0 and verb != "probe":
        checked, _, _, said, also = measured(
            [sys.executable, "-m", "otio_mapedit", "check", str(output)]
        )
        if checked:
            fault = "check: " + " ".join((said + also).split())[:200]
    line = (err.strip().splitlines() or [""])[-1]
    return Outcome(file.name, verb, code, round(seconds, 2), peak, fault, line)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--json", type=Path, help="write every outcome there")
    parser.add_argument("--verbs", default=",".join(VERBS))
    arguments = parser.parse_args()
    files = sorted(
        file
        for folder in arguments.folders
        for file in ([folder] if folder.is_file() else folder.iterdir())
        if file.is_file()
    )
    outcomes = []
    with tempfile.TemporaryDirectory() as folder:
        for file in files:
            row = [run(file, verb, Path(folder)) for verb in arguments.verbs.split(",")]
            outcomes += row
            cells = "  ".join(
                f"{o.verb} {'ok' if o.code == 0 else o.code} {o.seconds:6.2f} s"
                f" {o.peak_kib // 1024:4d} MB"
                for o in row
            )
            print(f"{file.name:40s} {cells}", flush=True)
            for outcome in row:
                if outcome.fault or outcome.code:
                    print(f"    {outcome.verb}: {outcome.fault or 'refused'}: {outcome.line}")
    if arguments.json:
        arguments.json.write_text(json.dumps([asdict(o) for o in outcomes], indent=1))
    faults = sum(bool(outcome.fault) for outcome in outcomes)
    refused = len({o.file for o in outcomes if o.code == 4 and not o.fault})
    print(
        f"{len(files)} files, {len(outcomes)} runs, {faults} faults, {refused} files refused in"
        f" words; highest peak {max(o.peak_kib for o in outcomes) // 1024} MB"
    )
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
