"""The documentation cannot drift: every verb and option has help and stands in both READMEs.

python tests/test_docs.py --write     bring the generated tables of README.md up to date
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from otio_mapedit.cli.app import VERBS, app
from otio_mapedit.cli.common import GROUPS
from otio_mapedit.recipes import RECIPES

REPOSITORY = Path(__file__).resolve().parents[1]
README, CHINESE = REPOSITORY / "README.md", REPOSITORY / "README.zh-CN.md"
TABLES = re.compile(r"(<!-- options: ([a-z -]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def commands() -> Iterator[tuple[str, Any]]:
    """Every verb that does something, with its full name: ``model train``."""
    root = typer.main.get_command(app)
    for verb in VERBS:
        command = root.get_command(None, verb)  # type: ignore[attr-defined]
        below = getattr(command, "commands", None)
        if below is None:
            yield verb, command
        else:
            yield from ((f"{verb} {name}", each) for name, each in below.items())


COMMANDS = dict(commands())


def options(command: Any, group: str = "") -> list[Any]:
    """The options of a command but for --help; of one group of its help where given."""
    return [
        parameter
        for parameter in command.params
        if parameter.param_type_name == "option"
        and (not group or (parameter.rich_help_panel or GROUPS[-1]) == group)
    ]


def flags(option: Any) -> str:
    """How an option is typed: ``-o``, ``--output FILE``."""
    word = "" if option.is_flag or option.count else f" {option.metavar or 'NUMBER'}"
    names = sorted([*option.opts, *option.secondary_opts], key=len)
    return ", ".join(f"`{name}{word if name == names[-1] else ''}`" for name in names)


def table(subject: str) -> str:
    """The generated table of a verb's own options, or of those that every recipe has."""
    if subject == "common":
        listed = [each for group in GROUPS[1:] for each in options(COMMANDS["roughcut"], group)]
    else:
        group = GROUPS[0] if subject in RECIPES else ""
        listed = options(COMMANDS[subject], group)
    rows = [f"| {flags(each)} | {each.help} |" for each in listed]
    return "\n".join(["| option | what it does |", "| --- | --- |", *rows]) + "\n"


def generated(text: str) -> str:
    """``text`` with its tables as they should be."""
    return TABLES.sub(lambda found: found[1] + table(found[2]) + found[3], text)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_verb_and_option_has_help(name: str) -> None:
    command = COMMANDS[name]
    assert command.help, f"{name} is missing its help"
    assert f"mapedit {name}" in command.help, f"{name} has no example"
    for parameter in command.params:
        assert parameter.help, f"{name} {parameter.name} is missing its help"


@pytest.mark.parametrize("page", [README, CHINESE], ids=["English", "Chinese"])
@pytest.mark.parametrize("name", COMMANDS)
def test_every_verb_and_option_is_in_the_readme(page: Path, name: str) -> None:
    text = page.read_text(encoding="utf-8")
    assert f"mapedit {name}" in text
    missing = [
        flag
        for option in options(COMMANDS[name])
        for flag in option.opts
        if not re.search(rf"(?<![\w-]){re.escape(flag)}(?![\w-])", text)
    ]
    assert not missing


def test_the_tables_are_up_to_date() -> None:
    text = README.read_text(encoding="utf-8")
    assert {found[1] for found in TABLES.findall(text)} >= {*RECIPES, "common"}
    assert generated(text) == text, "run: python tests/test_docs.py --write"


def test_both_readmes_have_the_same_structure() -> None:
    """The same levels of headings, and the same commands in the same order."""

    def outline(path: Path) -> tuple[list[str], list[str]]:
        text = path.read_text(encoding="utf-8")
        blocks = re.findall(r"^```(\w*)\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
        code = [re.sub(r"\s+#.*", "", line) for _, block in blocks for line in block.splitlines()]
        plain = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
        levels = re.findall(r"^(#+) ", plain, re.MULTILINE)
        return levels, [line.strip() for line in code if line.strip()]

    assert outline(README) == outline(CHINESE)


def test_files_that_the_readmes_link_to_exist() -> None:
    for page in (README, CHINESE, REPOSITORY / "CONTRIBUTING.md"):
        text = page.read_text(encoding="utf-8")
        for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", text):
            assert target.startswith("https://") or (REPOSITORY / target).exists(), target


if __name__ == "__main__" and "--write" in sys.argv:
    README.write_text(generated(README.read_text(encoding="utf-8")), encoding="utf-8")
