"""The table of verbs, and what happens around each of them."""

from __future__ import annotations

import importlib
import os
import signal
import sys
from collections.abc import Sequence
from typing import Annotated, Any, NoReturn, cast

import typer
from typer.core import TyperGroup

from .. import __version__
from ..errors import MapeditError
from . import output

#: Verb -> module, one line of help; in the order of a day's work. A module is imported when one
#: of its verbs is used, so that ``mapedit --help`` stays quick.
VERBS: dict[str, tuple[str, str]] = {
    "roughcut": ("edit", "Make a rough cut: dead air, black and unusable passages go."),
    "highlights": ("edit", "Make a short version: the moments that stand for the whole."),
    "shots": ("edit", "Find the shots of an edited file: cuts, dissolves, wipes, fades."),
    "probe": ("inspect", "Show what is in media files: rate, timecode, picture, sound."),
    "check": ("inspect", "Check a timeline: nothing offline, nothing outside its media."),
    "convert": ("convert", "Turn a timeline into another kind of file: FCPXML, XML, EDL, OTIO."),
    "compare": ("compare", "Say what a human changed in an edit: two timelines of any kinds."),
    "learn": ("learn", "Learn how an editor cuts, from timelines that they finished."),
    "style": ("style", "Styles that were learned: list, show, export, import, forget."),
    "watch": ("watch", "Work for the plugins of editing programs: Resolve, Premiere Pro."),
    "plugin": ("plugin", "Put plugins into editing programs, and take them out."),
    "explain": ("explain", "Show why an edit is as it is: pictures, sound, decisions, reasons."),
    "doctor": ("inspect", "Show whether everything is in place, and what would be faster."),
    "model": ("model", "Train, measure and export the networks (for developers)."),
}

_NAMED_ALIKE = ("--help", "-h")


class Verbs(TyperGroup):
    """A group whose verbs are imported on demand."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.subcommand_metavar = "VERB ..."
        # Only the names: they are what a misspelt verb is compared with.
        self.commands = cast(Any, dict.fromkeys(VERBS))

    def list_commands(self, ctx: Any) -> list[str]:
        """The verbs, in the order of the table."""
        return list(VERBS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The verb called ``cmd_name``, or None."""
        if cmd_name not in VERBS:
            return None
        module = importlib.import_module(f"{__package__}.{VERBS[cmd_name][0]}")
        command = typer.main.get_group(module.app)
        return command.commands.get(cmd_name, command)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """The table above, without importing anything, then the options."""
        with formatter.section("Verbs"):
            formatter.write_dl([(verb, summary) for verb, (_, summary) in VERBS.items()])
        super().format_options(ctx, formatter)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Nothing more: the verbs come before the options."""


app = typer.Typer(
    cls=Verbs, rich_markup_mode=None, pretty_exceptions_enable=False,
    context_settings={"help_option_names": list(_NAMED_ALIKE)},
)  # fmt: skip


def _version(wanted: bool) -> None:
    if wanted:
        output.data(f"mapedit {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def mapedit(
    ctx: typer.Context,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_version, is_eager=True, help="Show the version and leave."
        ),
    ] = False,
) -> None:
    """Turns footage into an edit you can open, on your own computer.

    \b
      mapedit roughcut talk.mov             writes talk-roughcut.otio
      mapedit shots film.mp4 -o film.otio   one clip per shot
      mapedit VERB --help                   what a verb can do

    Media is only ever read. Nothing is uploaded.
    """
    if ctx.invoked_subcommand is None:
        output.data(ctx.get_help())


def run(arguments: Sequence[str] | None = None) -> int:
    """Carry out a command line; gives the exit code. Never raises on purpose."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    output.begin(as_json="--json" in words)
    if arguments is None:
        signal.signal(signal.SIGTERM, _stop)
    try:
        code = typer.main.get_command(app).main(
            args=words, prog_name="mapedit", standalone_mode=False
        )
        return _stopped() if code == 130 else int(code or 0)
    except MapeditError as error:
        _show_traceback()
        output.fail(error)
        return error.exit_code
    except typer.TyperException as error:
        return _misused(error)
    except (KeyboardInterrupt, typer.Abort):
        return _stopped()
    except Exception as error:  # The last resort: one line for the user, a traceback on request.
        _show_traceback()
        output.fail(_unexpected(error))
        return 1


def _stop(number: int, frame: object) -> NoReturn:
    """Terminated from outside: leave through every ``finally``, so that nothing partial stays."""
    raise SystemExit(128 + number)


def _stopped() -> int:
    wrote = output.written()
    output.say(f"mapedit: stopped. {f'{wrote} is complete' if wrote else 'Nothing was written'}.")
    return 130


def _misused(error: typer.TyperException) -> int:
    """A command line that does not fit the verb's options."""
    context = getattr(error, "ctx", None)
    verb = context.command_path if context is not None else "mapedit"
    reason = " ".join(error.format_message().split())
    reason = reason[:1].lower() + reason[1:]
    output.fail(MapeditError(reason, f"Type: {verb} --help"), code=error.exit_code)
    return error.exit_code


def _unexpected(error: Exception) -> MapeditError:
    what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return MapeditError(
        f"something unexpected happened: {what}",
        "Run again with MAPEDIT_DEBUG=1 to see the traceback.",
    )


def _show_traceback() -> None:
    if os.environ.get("MAPEDIT_DEBUG", "") not in ("", "0"):
        import traceback

        output.say(traceback.format_exc().rstrip())
