"""Options that several verbs share, and how a verb's help is laid out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

#: Headings of a verb's options, in this order; options without one come under the last.
GROUPS = ("The edit", "The file to write", "Options")

_NO_BRACES = str.maketrans("", "", "{}")


class Verb(TyperCommand):
    """A command whose help groups its options and needs no heavy import."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """``FILE...`` instead of Typer's ``{FILE}...``."""
        pieces = super().collect_usage_pieces(ctx)
        return [piece.translate(_NO_BRACES) for piece in pieces]

    def invoke(self, ctx: Any) -> Any:
        """Carry the verb out. Typer would take an EOFError, which libav raises too, for Ctrl-D."""
        try:
            return super().invoke(ctx)
        except EOFError as error:
            raise RuntimeError(f"{type(error).__name__}: {error}") from error

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Arguments, then the options under their headings."""
        grouped: dict[str, list[tuple[str, str]]] = {"Arguments": []}
        grouped.update((name, []) for name in GROUPS)
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is None:
                continue
            heading = getattr(parameter, "rich_help_panel", None) or GROUPS[-1]
            if parameter.param_type_name == "argument":
                # Without the name of the Python type that Typer appends.
                heading, record = "Arguments", (record[0].split(" <")[0], record[1])
            grouped[heading].append(record)
        for heading, records in grouped.items():
            if records:
                with formatter.section(heading):
                    formatter.write_dl(records)


def new_app(help: str | None = None) -> typer.Typer:
    """A Typer application in the style of the house."""
    return typer.Typer(
        help=help, rich_markup_mode=None, pretty_exceptions_enable=False, no_args_is_help=True,
        add_completion=False, context_settings={"help_option_names": ["--help", "-h"]},
    )  # fmt: skip


JsonOption = Annotated[bool, typer.Option("--json", help="Give the answer as JSON, for scripts.")]
QuietOption = Annotated[
    bool, typer.Option("--quiet", "-q", help="Say nothing but errors and the result.")
]
VerboseOption = Annotated[
    int,
    typer.Option(
        "--verbose", "-v", count=True, show_default=False, help="Say more; -vv says everything."
    ),
]
OutputOption = Annotated[
    str | None,
    typer.Option(
        "--output", "-o", metavar="FILE", rich_help_panel=GROUPS[1],
        help="Where to write. The ending decides the kind: .otio (a timeline), .otioz (timeline "
        "and media in one file), .fcpxml, .xml (Final Cut Pro 7 XML), .edl (one file per picture "
        "track), .mlt (Shotcut, Kdenlive, melt), .aaf (Avid) or .mapedit (the decisions, as "
        "readable text). "
        "-o - writes to standard output. [default: the name of the first file and of the verb, "
        "in the current folder, such as talk-roughcut.otio]",
    ),
]  # fmt: skip
ForOption = Annotated[
    str | None,
    typer.Option(
        "--for", metavar="PROGRAM", rich_help_panel=GROUPS[1],
        help="The program that will open it: resolve, premiere, finalcut (.fcpxml only), kdenlive, "
        "shotcut (.mlt only), jianying (a draft folder of JianYing or CapCut) or plain. "
        "[default: plain]",
    ),
]  # fmt: skip
VersionOption = Annotated[
    str | None,
    typer.Option(
        "--fcpxml-version", metavar="VERSION", rich_help_panel=GROUPS[1],
        help="Version of an .fcpxml, 1.8 to 1.13. [default: 1.13 for finalcut, else 1.10]",
    ),
]  # fmt: skip
RateOption = Annotated[
    str | None,
    typer.Option(
        "--rate", metavar="RATE",
        help="Frames per second of an EDL to read, which need not state it.",
    ),
]  # fmt: skip
MediaRootOption = Annotated[
    list[str] | None,
    typer.Option(
        "--media-root", metavar="FROM=TO", rich_help_panel=GROUPS[1],
        help="Media below the folder FROM lies below TO; may be given several times.",
    ),
]  # fmt: skip
LossOption = Annotated[
    Path | None,
    typer.Option(
        "--loss", metavar="FILE", rich_help_panel=GROUPS[1],
        help="Write what was lost or changed, clip by clip, to a JSON file instead of the screen.",
    ),
]  # fmt: skip
ForceOption = Annotated[
    bool,
    typer.Option("--force", rich_help_panel=GROUPS[1], help="Replace the file if it exists."),
]
NoCacheOption = Annotated[
    bool, typer.Option("--no-cache", help="Compute everything anew and remember nothing.")
]
StrictOption = Annotated[
    bool,
    typer.Option(
        "--strict",
        help="Leave with exit code 3 if something is marked for review, or was lost or changed.",
    ),
]
OnlyUsedOption = Annotated[
    bool,
    typer.Option(
        "--only-used",
        help="Of a timeline among the files, work only on what it uses of its media.",
    ),
]
FilesArgument = Annotated[
    list[Path], typer.Argument(metavar="FILE", help="Media files.", show_default=False)
]


def loudness(quiet: bool, verbose: int) -> int:
    """-1 for quiet, 0 as usual, 1 and 2 for more."""
    return -1 if quiet else verbose


def plural(count: int, noun: str) -> str:
    """``1 cut``, ``2 cuts``, ``1,204 frames``."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def without_nothing(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values that were given."""
    return {name: value for name, value in values.items() if value is not None}
