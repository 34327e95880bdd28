"""Styles: what timelines amount to, the file that holds it, and the verbs that use it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import opentimelineio as otio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from otio_mapedit.errors import FormatError, OptionError
from otio_mapedit.interchange.registry import read_timeline, write_timeline
from otio_mapedit.learning.habits import Habits, leaning, options, recipe_options, shortest_pause
from otio_mapedit.learning.learn import TRUSTS, LeftOut, borne_out, learn, taught_by
from otio_mapedit.learning.lessons import Lesson, _packed
from otio_mapedit.learning.tuning import GENERAL, MODELS, Fit, halved, pulled_back
from otio_mapedit.media import probe
from otio_mapedit.pipeline import Tools, predict
from otio_mapedit.recipes import recipe, roughcut
from otio_mapedit.recipes.hearing import hear
from otio_mapedit.recipes.styled import MOMENT_FEATURES, moments, network_of, styled
from otio_mapedit.style import (
    SCHEMA,
    Leaning,
    Style,
    load,
    path_for,
    save,
    style_from,
    text_of,
    with_style,
)
from otio_mapedit.timing import parse_length
from tests.cli_support import EDITED, TALK, Cli, one_line


@pytest.fixture(autouse=True)
def styles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MAPEDIT_STYLES", str(tmp_path / "styles"))
    return tmp_path / "styles"


def lesson(seed: int = 0, **changes: Any) -> Lesson:
    """A lesson in which moments with motion are kept."""
    chance = np.random.default_rng(seed)
    values = chance.uniform(0.3, 0.36, (400, len(MOMENT_FEATURES)))
    motion = chance.random(400) > 0.5
    values[:, MOMENT_FEATURES.index("motion")] = np.where(motion, 0.5, 0.34)
    made = Lesson(
        f"id {seed}", f"digest {seed}", "a.otio", ("a.mov",), MOMENT_FEATURES,
        _packed(values), _packed(motion.astype(float)),
    )  # fmt: skip
    return replace(made, **changes)


def test_options_that_lessons_amount_to() -> None:
    taught = lesson(
        before=(0.3, 0.32, 0.34, 0.31, 2.9),
        after=(0.1,) * 6,
        taken_out=(0.8, 0.9, 1.1, 4.0, 3.0),
        left_in=(0.5, 0.7, 0.95, 1.0),
        shots=(0.31, 4.0, 2.0, 5.0, 6.0),
        dissolves=(0.4, 0.5, 0.48),
        cuts=4,
    )
    assert options([taught]) == {
        "margin_before": "0.32s",
        "margin_after": "0.1s",
        # pauses that stayed would have been 0.08 to 0.58 s long between the margins
        "min_pause": "0.8s",
        "min_shot": "0.31s",
        "dissolve": "0.48s",
    }


@pytest.mark.parametrize(
    ("takes", "learned"),
    [
        ((1.0, 1.0, 1.0, 0.0), "first"),
        ((0.0, 0.0), "last"),
        ((2.0, 2.0, 2.0), "all"),
        ((1.0, 0.0), None),
        ((1.0,), None),
    ],
)
def test_which_take_stays_is_counted(takes: tuple[float, ...], learned: str | None) -> None:
    assert options([lesson(takes=takes)]).get("takes") == learned


def test_what_other_recipes_take_from_lessons() -> None:
    shots = (1.0, 2.0, 2.0, 3.0, 3.0, 4.0, 9.0, 2.0, 2.0, 3.0, 4.0)
    cutter = lesson(shots=shots, cuts=10, in_order=(1.0,) * 9)
    assert recipe_options([cutter]) == {
        "highlights": {"min_shot": "2s", "dissolve": "0s", "order": "time"},
        "shots": {"min_shot": "1s", "transitions": "cut"},
    }
    dissolver = lesson(shots=shots, cuts=10, dissolves=(0.5,) * 8, in_order=(0.0,) * 8 + (1.0,))
    found = recipe_options([dissolver])
    assert found["highlights"]["dissolve"] == "0.5s"
    assert found["highlights"]["order"] == "score"
    assert "transitions" not in found["shots"]
    assert recipe_options([lesson(shots=(1.0,), cuts=1, in_order=(1.0, 0.0))]) == {}
    undecided = lesson(in_order=(1.0, 0.0, 1.0, 0.0, 1.0))
    assert recipe_options([undecided]) == {}


def test_too_little_teaches_nothing() -> None:
    assert options([lesson(before=(0.3,), cuts=1, dissolves=(0.5,))]) == {}
    still = lesson(kept=_packed(np.ones(400)))
    assert leaning([still]) is None


@given(st.floats(0.2, 4.0), st.integers(0, 2**32 - 1))
def test_the_shortest_pause_tells_taken_from_left(limit: float, seed: int) -> None:
    lengths = np.random.default_rng(seed).uniform(0.05, 5, 60)
    taken, left = lengths[lengths > limit], lengths[lengths <= limit]
    found = shortest_pause(taken, left)
    assert all(taken >= found) or found == 5.0
    assert all(left < found) or found == 0.1


def test_a_leaning_finds_what_counts() -> None:
    found = leaning([lesson(1), lesson(2)])
    assert found is not None
    strongest = int(np.argmax(np.abs(found.weights)))
    assert found.features[strongest] in ("motion", "speech and motion")
    unseen, kept = lesson(3).table()
    assert ((found.probability(unseen) > 0.5) == (kept > 0.5)).mean() > 0.98


def test_a_style_leaves_alone_what_is_like_nothing_it_was_taught() -> None:
    """Taught by films without long pauses, a style filled those of the next film with noise."""
    known = predict(probe(TALK), recipe("roughcut"), roughcut.Options(), Tools())
    assert known.sound is not None
    heard = hear(known.sound)
    seen = moments(known, heard)
    count = len(MOMENT_FEATURES)
    like_it = Leaning(
        MOMENT_FEATURES, tuple(seen.mean(axis=0)), (1e3,) * count, (1.0,) * count, -9.0, 1.0,
        network_of(known),
    )  # fmt: skip
    unlike = replace(like_it, mean=(9e3,) * count)
    assert (like_it.familiar(seen) == 1).all()
    assert (unlike.familiar(seen) < 1e-3).all()
    assert not styled(heard, known, like_it).speech.any(), "it keeps nothing"
    left = styled(heard, known, unlike)
    assert (left.speech == heard.speech).all()
    np.testing.assert_allclose(left.score, heard.score, atol=1e-3 * float(known.sound.hop))


def test_a_lesson_survives_its_style() -> None:
    one = lesson(before=(0.25,), cuts=3)
    assert Lesson.from_json(json.loads(json.dumps(one.to_json()))) == one


def test_a_style_survives_its_file() -> None:
    found = leaning([lesson(1)])
    made = Style("anna 会", {"min_pause": "0.4s"}, found, [lesson(1).to_json()], {"timelines": 0})
    assert save(made) == path_for("anna 会")
    back = load("anna 会")
    assert (back.options, back.leaning) == (made.options, made.leaning)
    assert Lesson.from_json(back.lessons[0]) == lesson(1)


@pytest.mark.parametrize(
    "name", ["../anna", "a/b", "", ".", "..", "a\\b", "x" * 80, "a\0", "/etc/x"]
)
def test_names_that_no_style_may_have(name: str) -> None:
    with pytest.raises(OptionError):
        path_for(name)


def broken(change: Any) -> Any:
    content = json.loads(text_of(Style("a", {}, leaning([lesson(1)]))))
    change(content)
    return content


@pytest.mark.parametrize(
    "change",
    [
        lambda c: c.update(MAPEDIT_STYLE="Style.9"),
        lambda c: c["leaning"].update(bias=float("inf")),
        lambda c: c["leaning"]["weights"].pop(),
        lambda c: c["leaning"]["spread"].__setitem__(0, 0),
        lambda c: c.update(options={"output": "/etc/passwd"}),
        lambda c: c.update(lessons="many"),
    ],
)
def test_what_is_no_style(change: Any) -> None:
    with pytest.raises(ValueError, match=r"."):
        style_from(broken(change))


def test_a_damaged_style_is_one_clear_line(cli: Cli, styles: Path) -> None:
    save(Style("anna"))
    (styles / "anna.style.json").write_text('{"MAPEDIT_STYLE": NaN}')
    assert "is not a style" in one_line(cli("style", "show", "anna"), 4)
    (styles / "anna.style.json").write_text("[" * 100_000)
    assert "is not a style" in one_line(cli("roughcut", TALK, "--style", "anna"), 4)
    with pytest.raises(FormatError):
        learn(Style("b", lessons=[{"identity": 1}]), [])


def test_what_is_given_counts_more_than_a_style() -> None:
    save(Style("anna", {"margin_before": "0.1s", "min_pause": "0.4s", "dissolve": "0.5s"}))
    assert with_style("anna", {"margin-before": "3f", "style": "anna"}) == {
        "margin-before": "3f",
        "style": "anna",
        "min_pause": "0.4s",
        "dissolve": "0.5s",
    }
    assert with_style("anna", {"pace": "tight"}) == {"pace": "tight", "dissolve": "0.5s"}


def human_cut(cli: Cli, name: str, *changes: str) -> Path:
    """A timeline of the sample, as somebody cut it, with nothing of ours in it."""
    assert cli("roughcut", TALK, "-o", name, "-q", *changes).code == 0
    made = read_timeline(Path(name))
    made.metadata.clear()
    for track in made.tracks:
        for item in track:
            item.metadata.clear()
            if isinstance(item, otio.schema.Clip):
                item.media_reference.metadata.clear()
    write_timeline(made, Path(name), "plain", True)
    return Path(name)


def test_from_timelines_to_the_next_edit(cli: Cli, here: Path, styles: Path) -> None:
    slow = ("--margin-before", "0.6s", "--margin-after", "0.6s")
    human_cut(cli, "one.otio", *slow)
    human_cut(cli, "two.fcpxml", *slow, "--min-pause", "0.8s")
    found = cli("learn", "--style", "anna", "one.otio", "two.fcpxml", "--json").json
    assert (found["timelines"], found["unchanged"], found["offline"]) == (2, 0, [])
    assert found["validation"]["learned_f1"] > found["validation"]["general_f1"]
    before = (styles / "anna.style.json").read_bytes()

    again = cli("learn", "--style", "anna", "one.otio", "two.fcpxml", "--json").json
    assert again["unchanged"] == 2
    assert (styles / "anna.style.json").read_bytes() == before, "what is known changes nothing"

    human_cut(cli, "two.fcpxml", "--pace", "jump", "--force")
    corrected = cli("learn", "--style", "anna", "two.fcpxml", "--json").json
    assert (corrected["timelines"], corrected["corrected"]) == (2, 1)

    (styles / "anna.style.json").write_bytes(before)
    assert cli("roughcut", TALK, "--style", "anna", "-o", "next.otio", "-q").code == 0
    assert cli("roughcut", TALK, *slow, "-o", "wanted.otio", "-q").code == 0
    told = cli("compare", "wanted.otio", "next.otio", "--json").json
    assert told["agreement"]["f1"] > 0.99
    cli("convert", "next.otio", "next.mapedit")
    assert "; style anna" in Path("next.mapedit").read_text(encoding="utf-8")


def test_a_style_changes_every_recipe_and_says_so(cli: Cli, here: Path, styles: Path) -> None:
    recipes = {
        "highlights": {"min_shot": "3s", "dissolve": "0s", "order": "score"},
        "shots": {"min_shot": "4s", "transitions": "cut"},
    }
    save(Style("anna", recipes=recipes))
    assert load("anna").recipes == recipes

    def cut(verb: str, *given: Any) -> list[dict[str, Any]]:
        assert cli(verb, *given, "-o", "cut.mapedit", "-q", "--force").code == 0
        content = json.loads(Path("cut.mapedit").read_text(encoding="utf-8"))
        made: list[dict[str, Any]] = content["operations"]
        return made

    general = cut("shots", EDITED)
    found = cut("shots", EDITED, "--style", "anna")
    kinds = [operation["kind"] for operation in found]
    assert "dissolve" in [operation["kind"] for operation in general]
    assert "dissolve" not in kinds
    assert kinds.count("keep") < [operation["kind"] for operation in general].count("keep")
    reasons = {kind: [o["reason"] for o in found if o["kind"] == kind] for kind in set(kinds)}
    assert all("style anna: shots from 4s" in reason for reason in reasons["keep"])
    assert all("style anna: cuts instead of transitions" in reason for reason in reasons["cut"])
    given = cut("shots", EDITED, "--style", "anna", "--transitions", "keep")
    assert "dissolve" in [operation["kind"] for operation in given], "what is given counts more"
    assert not any("cuts instead" in operation["reason"] for operation in given)

    found = cut("highlights", TALK, "-d", "15s", "--style", "anna")
    kept = [operation for operation in found if operation["kind"] == "keep"]
    assert all(operation["range"]["duration"] >= 75 for operation in kept)
    said = "style anna: shots from 3s, the best first"
    assert all(operation["reason"].endswith(said) for operation in kept)
    joins = [operation for operation in found if operation["kind"] in ("cut", "dissolve")]
    assert joins
    assert all("style anna: straight cuts" in o["reason"] for o in joins if o["kind"] == "cut")
    assert not any("dissolves of" in operation["reason"] for operation in joins)


def test_one_timeline_to_cut_like(cli: Cli, here: Path, styles: Path) -> None:
    slow = ("--margin-before", "0.6s", "--margin-after", "0.6s")
    human_cut(cli, "one.otio", *slow)
    assert cli("roughcut", TALK, "--like", "one.otio", "-o", "next.otio", "-q").code == 0
    assert cli("roughcut", TALK, *slow, "-o", "wanted.otio", "-q").code == 0
    told = cli("compare", "wanted.otio", "next.otio", "--json").json
    assert told["agreement"]["f1"] > 0.99
    assert not styles.exists()
    both = cli("roughcut", TALK, "--like", "one.otio", "--style", "anna")
    assert "there is no style" in one_line(both, 2)
    lost = cli("roughcut", TALK, "--like", "gone.otio", "-o", "x.otio")
    assert "gone.otio" in one_line(lost, 4)


def test_keeping_house(cli: Cli, here: Path, styles: Path) -> None:
    assert "mapedit learn" in cli("style", "list").err
    save(Style("anna", {"min_pause": "0.4s"}))
    assert "anna  0 timelines" in cli("style", "list").out
    assert cli("style", "export", "anna", "anna.style.json").code == 0
    assert "--force" in one_line(cli("style", "export", "anna", "anna.style.json"), 2)
    assert cli("style", "import", "anna.style.json", "--as", "bob").code == 0
    assert load("bob").options == {"min_pause": "0.4s"}
    assert cli("style", "show", "bob", "--json").json["options"] == {"min_pause": "0.4s"}
    assert cli("style", "forget", "anna").code == 0
    assert "there is no style" in one_line(cli("style", "forget", "anna"), 2)
    assert "Did you mean bob?" in one_line(cli("roughcut", TALK, "--style", "bop"), 2)
    assert SCHEMA in (styles / "bob.style.json").read_text()


def test_timelines_that_teach_nothing(cli: Cli, here: Path, styles: Path) -> None:
    RT, TR = otio.opentime.RationalTime, otio.opentime.TimeRange
    made = otio.schema.Timeline("lost")
    track = otio.schema.Track("V1", kind="Video")
    span = TR(RT(0, 25), RT(100, 25))
    reference = otio.schema.ExternalReference("file:///gone/a.mov", span)
    track.append(otio.schema.Clip("a", reference, span))
    made.tracks.append(track)
    write_timeline(made, Path("lost.otio"), "plain")
    told = one_line(cli("learn", "--style", "anna", "lost.otio"), 4)
    assert "none of its media is at hand" in told
    assert "--media" in told
    assert not styles.exists(), "nothing is learned from nothing"


def edit_of(name: str, ranges: list[tuple[float, float]], media: Path, length: float) -> Path:
    """A finished timeline of ``media``, which is ``length`` seconds long as far as it knows."""
    RT, TR = otio.opentime.RationalTime, otio.opentime.TimeRange
    made, track = otio.schema.Timeline(name), otio.schema.Track("V1", kind="Video")
    available = TR(RT(0, 25), RT(round(length * 25), 25))
    for start, end in ranges:
        span = TR(RT(round(start * 25), 25), RT(round((end - start) * 25), 25))
        reference = otio.schema.ExternalReference(media.as_uri(), available)
        track.append(otio.schema.Clip("a", reference, span))
    made.tracks.append(track)
    write_timeline(made, Path(name), "plain", True)
    return Path(name)


def test_media_that_is_not_the_same_any_more(cli: Cli, here: Path, styles: Path) -> None:
    edit_of("longer.otio", [(1, 4), (90, 120)], TALK, 240)
    told = one_line(cli("learn", "--style", "anna", "longer.otio"), 4)
    assert "talk.mp4 is not the media that it was cut from" in told
    assert "--media FOLDER" in told
    assert not styles.exists()
    edit_of("other.otio", [(1, 4), (6, 9)], TALK, 20)  # every range fits, but it was another file
    assert cli("learn", "--style", "anna", "other.otio").code == 4
    assert not styles.exists()


def test_habits_that_contradict_each_other(cli: Cli, here: Path) -> None:
    """Of the same rushes one timeline keeps what the other leaves out."""
    human_cut(cli, "mine.otio")
    kept = [(1.04, 5.84), (9.52, 14.0), (16.0, 20.0)]
    edit_of("yours.otio", [(0, 1), (6, 9.4), (20.5, 39.6)], TALK, 39.6)
    edit_of("mine.otio", kept, TALK, 39.6)
    found = cli("learn", "--style", "anna", "mine.otio", "yours.otio")
    assert found.code == 0
    assert "contradict each other" in found.out
    style = load("anna")
    assert not set(style.options) - {"dissolve", "takes"}, "nothing is learned from a quarrel"
    assert style.leaning is None


def test_one_timeline_only_says_how_little_that_proves(cli: Cli, here: Path) -> None:
    human_cut(cli, "one.otio", "--pace", "relaxed")
    told = cli("learn", "--style", "anna", "one.otio").out
    assert "only one timeline: its halves were left out in turn, which proves little" in told
    assert "one.otio, first half" in told
    assert load("anna").leaning is None


def test_what_is_not_borne_out_is_believed_by_half() -> None:
    """A pause of a tenth of a second, seen once, made the next film worse than the general cut."""
    found = {"min_pause": "0.1s", "sounds": "all", "sound_level": "-12", "takes": "first"}
    general = parse_length(GENERAL["min_pause"]).seconds
    made = halved(found)
    assert parse_length(made["min_pause"]).seconds == pytest.approx((general + 0.1) / 2, abs=0.001)
    assert made["takes"] == "first", "counted, not tried"
    assert set(made) == {"min_pause", "takes"}
    assert halved({}) == {}


@pytest.mark.parametrize(
    ("fits", "believed"),
    [
        ([(0.9, 0.95), (0.9, 0.95)], True),
        ([(0.9, 0.95), (1.0, 1.0), (1.0, 1.0)], True),  # the others could not become better
        ([(0.9, 0.95), (0.9, 0.95), (0.9, 0.95), (0.9, 0.88)], True),
        ([(0.9, 0.95), (0.9, 0.9)], False),  # one film of two: may be chance
        ([(0.9, 0.9), (1.0, 1.0)], False),
        ([(0.9, 0.99), (0.9, 0.89)], False),
        ([(1.0, 1.0), (1.0, 1.0)], False),
        ([], False),
    ],
)
def test_what_is_learned_is_borne_out_by_most_that_is_left_out(
    fits: list[tuple[float, float]], believed: bool
) -> None:
    left_out = [LeftOut("", Fit(general, 0), Fit(learned, 0)) for general, learned in fits]
    assert borne_out(left_out) == believed


def test_options_are_judged_beside_the_leaning_that_they_go_with(
    cli: Cli, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They were bent for a cut without any leaning and shipped with one: what had been judged was
    not what was learned, and a leaning that wants other margins was never trusted."""
    judged = set()

    def noted(found: Habits, taught: Any, model: str, leaning: Any, trials: Any) -> Habits:
        judged.add((model, leaning.trust if leaning is not None else 0.0))
        return Habits(dict(found.options), found.leaning)

    monkeypatch.setattr("otio_mapedit.learning.learn.tuned", noted)
    tools, taught = Tools(), []
    for number, margin in enumerate(("0.05s", "0.3s", "0.6s")):
        path = human_cut(cli, f"{number}.otio", "--margin-before", margin, "--margin-after", margin)
        taught.append(taught_by(read_timeline(path), path, [here], tools))
    assert learn(Style("anna"), taught).validated
    assert judged == set(product(MODELS, TRUSTS)), "nothing fits so well that no more is tried"


def test_of_numbers_that_fit_alike_the_least_different_counts() -> None:
    """Two films without a short pause in them fitted a tenth of a second as well as a fifth; cut
    like that, a third one lost half of its speech."""

    def wrong(options: Mapping[str, str]) -> float:
        return 0.1 if parse_length(options["min_pause"]).seconds > 0.2 else 0.0

    found = {**GENERAL, "min_pause": "0.1s", "min_shot": "2s", "margin_before": "0.8s"}
    made = pulled_back(found, wrong)
    assert parse_length(made["min_pause"]).seconds == pytest.approx(0.2, abs=0.02)
    assert wrong(made) == 0
    assert made["min_shot"] == GENERAL["min_shot"]
    assert made["margin_before"] == "0.8s", "a margin shows at every cut"


def test_the_same_edit_twice_counts_once(cli: Cli, here: Path) -> None:
    human_cut(cli, "one.otio", "--pace", "relaxed")
    Path("copy.otio").write_bytes(Path("one.otio").read_bytes())
    found = cli("learn", "--style", "anna", "one.otio", "one.otio", "copy.otio", "--json")
    assert found.json["timelines"] == 1
    assert found.json["copies"] == [["copy.otio", "one.otio"]]
    before = path_for("anna").read_bytes()
    told = cli("learn", "--style", "anna", "copy.otio")
    assert "copy.otio is the same edit as one.otio and counts once" in told.err
    assert path_for("anna").read_bytes() == before


def test_ten_thousand_events(cli: Cli, here: Path, styles: Path) -> None:
    """Single frames, again and again: read, learned from, and said what that is worth."""
    frames = [(number % 450 / 12.5, number % 450 / 12.5 + 0.04) for number in range(10_000)]
    edit_of("flicker.otio", frames, TALK, 39.6)
    found = cli("learn", "--style", "anna", "flicker.otio")
    assert found.code == 0
    assert "1 timeline, 1 new" in found.out
    assert "proves little" in found.out
    assert len(load("anna").lessons) == 1
    assert (styles / "anna.style.json").stat().st_size < 1_000_000


def test_one_more_timeline_does_not_outweigh_all_before(cli: Cli, here: Path) -> None:
    """Only the new one's media is at hand; every timeline counts alike all the same."""
    slow = [f"{part}s" for part in ("0.62", "0.6", "0.58", "0.61")]
    for number, margin in enumerate(slow):
        human_cut(cli, f"{number}.otio", "--margin-before", margin, "--margin-after", margin)
    names = [f"{number}.otio" for number in range(len(slow))]
    assert cli("learn", "--style", "anna", *names, "-q").code == 0
    before = float(load("anna").options["margin_before"].removesuffix("s"))
    assert before > 0.5
    human_cut(cli, "fifth.otio", "--margin-before", "0.1s", "--margin-after", "0.1s")
    assert cli("learn", "--style", "anna", "fifth.otio", "-q").code == 0
    after = float(load("anna").options["margin_before"].removesuffix("s"))
    assert before * 0.75 < after < before
