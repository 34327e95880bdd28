"""``mapedit`` and ``python -m otio_mapedit``."""

from __future__ import annotations

import os


def main() -> None:
    """Run the command line and leave the process with its exit code."""
    # numpy's matrices are small here: several threads of its OpenBLAS wait for each other, and
    # take the processors from decoding while they do. Read when numpy is imported.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from .cli.app import run

    raise SystemExit(run())


if __name__ == "__main__":
    main()
