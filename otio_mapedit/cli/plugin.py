"""``plugin``: put the plugins where editing programs find them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import OutputError
from . import output
from .common import JsonOption, Verb, new_app

if TYPE_CHECKING:
    from ..installers.copies import Done

app = new_app("Put plugins into editing programs, and take them out.")

NameArgument = Annotated[
    str,
    typer.Argument(
        metavar="PROGRAM", help="resolve, premiere, finalcut or blender.", show_default=False
    ),
]
AllUsersOption = Annotated[
    bool, typer.Option("--all-users", help="For everyone on this computer, not only you.")
]


@app.command(cls=Verb)
def install(
    name: NameArgument, all_users: AllUsersOption = False, as_json: JsonOption = False
) -> None:
    """Copy a plugin to every folder where its program looks.

    \b
      mapedit plugin install resolve
      mapedit plugin install resolve --all-users

    What is there already is brought up to date, and what older versions left is removed.
    """
    from ..installers import copies

    _carry_out(name, all_users, as_json, copies.install, notes=True)


@app.command(cls=Verb)
def uninstall(
    name: NameArgument, all_users: AllUsersOption = False, as_json: JsonOption = False
) -> None:
    """Remove a plugin, of this version or older.

    \b
      mapedit plugin uninstall resolve
    """
    from ..installers import copies

    _carry_out(name, all_users, as_json, copies.uninstall)


@app.command(cls=Verb)
def status(
    name: NameArgument, all_users: AllUsersOption = False, as_json: JsonOption = False
) -> None:
    """Show whether a plugin is in place, and whether somebody answers it.

    \b
      mapedit plugin status resolve

    The exit code is 3 where something is missing or of another version.
    """
    from ..installers import copies

    done = _carry_out(name, all_users, as_json, copies.status, watched=True)
    if any(each.standing is not copies.Standing.CURRENT for each in done.outcomes):
        raise typer.Exit(3)


def _carry_out(
    name: str, all_users: bool, as_json: bool, act: Any, notes: bool = False, watched: bool = False
) -> Done:
    from ..installers.copies import Standing
    from ..installers.machine import this_machine
    from ..installers.table import installer

    machine = this_machine()
    plan = installer(name).plan(machine, all_users)
    done: Done = act(plan)
    facts: dict[str, Any] = {
        "plugin": name,
        "jobs": str(machine.jobs),
        "files": [
            {"path": str(each.path), "standing": each.standing, "why": each.why}
            for each in done.outcomes
        ],
    }
    said = list(plan.notes) if notes else []
    if watched:
        facts["watched"] = _watched(machine.jobs)
        said.append(
            f"{machine.jobs} is being watched"
            if facts["watched"]
            else "nobody answers: type mapedit watch --install, or mapedit watch"
        )
    if as_json:
        output.data_json({**facts, "notes": said})
    else:
        for each in done.outcomes:
            output.data(f"{each.standing:9} {each.path}" + (f" ({each.why})" if each.why else ""))
        if not done.outcomes:
            output.data("nothing was installed")
        for line in said:
            output.data(line)
    failed = [each for each in done.outcomes if each.standing is Standing.FAILED]
    if failed:
        raise OutputError(
            f"{len(failed)} of {len(done.outcomes)} files could not be changed: "
            f"{failed[0].path}: {failed[0].why}",
            "Run it again as an administrator, or leave --all-users out.",
        )
    return done


def _watched(jobs: Any) -> bool:
    """Whether a watcher holds the lock of the folder."""
    from ..errors import UsageError
    from ..jobs.folder import JobFolder, Lock

    if not jobs.is_dir():
        return False
    try:
        Lock(JobFolder(jobs)).release()
    except UsageError:
        return True
    return False
