"""The page that explains an edit: whole, safe, and true to the edit."""

from __future__ import annotations

import csv
import json
import re
import struct
from dataclasses import replace
from fractions import Fraction
from html.parser import HTMLParser
from pathlib import Path

import av
import numpy as np
import pytest

from otio_mapedit import mapedit_file
from otio_mapedit.errors import FormatError
from otio_mapedit.operations import DecisionList, Kind, Operation, Source, StreamExtent
from otio_mapedit.review.attention import attention_map, looked_at
from otio_mapedit.review.drawing import safe, ticks
from otio_mapedit.review.looks import BINS, Look, in_bins
from otio_mapedit.review.page import page
from otio_mapedit.review.plot_pictures import plot_picture
from otio_mapedit.review.plots import Bars, Curves, plot, read_plots
from otio_mapedit.review.png import heat, png
from otio_mapedit.timing import FrameRange
from tests.cli_support import TALK, Cli, one_line

HOSTILE = '<script>alert("1")</script>&\'"\x1b[31m\u202e'


def edit(name: str = "talk", reason: str = "speech") -> DecisionList:
    video = StreamExtent(0, FrameRange(0, 100))
    source = Source("s", "/nowhere/a.mov", name, Fraction(25), 100, 90000, video=video)
    operations = (
        Operation(Kind.KEEP, "s", FrameRange(0, 40), "k1", 0.9, reason, {"name": name}),
        Operation(Kind.DROP, "s", FrameRange(40, 20), "d1", 0.8, "retake"),
        Operation(Kind.CUT, "s", FrameRange(60, 0), "c1"),
        Operation(Kind.KEEP, "s", FrameRange(60, 40), "k2", 0.5, reason),
    )
    return DecisionList(name, Fraction(25), (source,), operations, recipe="roughcut")


class Seen(HTMLParser):
    """What a page holds."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_a_page_holds_nothing_foreign_whatever_things_are_called() -> None:
    hostile = edit(HOSTILE, HOSTILE)
    keep, drop, *_ = hostile.operations
    attention = np.eye(3, BINS)
    look = Look(
        hostile.sources[0],
        (keep, drop, hostile.operations[3]),
        np.zeros((9, 48, 3), np.uint8),
        np.linspace(0, 1, BINS),
        np.linspace(0, 1, BINS),
        {HOSTILE: np.linspace(0, 1, BINS)},
        attention,
        (HOSTILE,),
    )
    made = page(hostile, [look], [Bars(HOSTILE, HOSTILE, [(HOSTILE, 1.0, 0.1)])])
    seen = Seen(made)
    assert not seen.open
    assert not {"script", "link", "iframe", "object", "img", "style"} & set(seen.tags) - {"style"}
    assert not [name for name, _ in seen.attributes if name.startswith("on")]
    links = [value for name, value in seen.attributes if name in ("href", "src")]
    assert links
    assert all(str(link).startswith(("#op-", "data:image/png;base64,")) for link in links)
    assert "default-src 'none'" in made
    assert "<script" not in made
    assert "\x1b" not in made
    assert "http" not in re.sub(r"http-equiv|http://www.w3.org/2000/svg", "", made)


def test_every_decision_has_its_row() -> None:
    made = page(edit(), [], [])
    assert re.findall(r'<tr id="(op-\d+)">', made) == ["op-1", "op-2", "op-3", "op-4"]
    assert "01:00:00:00 – 01:00:01:15" in made
    assert "retake" in made
    assert 'href="#op-4"' in made


def test_pngs_are_what_was_drawn(tmp_path: Path) -> None:
    picture = np.random.default_rng(1).integers(0, 256, (7, 11, 3)).astype(np.uint8)
    path = tmp_path / "a.png"
    path.write_bytes(png(picture))
    with av.open(str(path)) as container:
        (frame,) = container.decode(video=0)
    assert (frame.to_ndarray(format="rgb24") == picture).all()


def test_heat_grows_brighter() -> None:
    colours = heat(np.linspace(0, 1, 30)[None]).astype(int).sum(axis=2)[0]
    assert (np.diff(colours) > 0).all()


def test_attention_lies_where_the_decoder_looked() -> None:
    """Steps of a quarter second, slots of 4: slot ``past + 10`` is ten seconds ahead."""
    past, reach, rate = 5, 21, Fraction(25)
    attention = np.zeros((80, reach))
    attention[:, past] = 0.4
    attention[:20, past + 10] = 0.6
    spans = [FrameRange(0, 125), FrameRange(125, 375)]
    found = attention_map(attention, past, 4, Fraction(1, 4), spans, rate, 200)
    assert found.shape == (2, 200)
    assert set(np.flatnonzero(found[0] == found[0].max()) // 10) <= {10, 11, 12, 13, 14}
    assert found[0].max() > 0.7
    even = attention_map(np.full((80, reach), 1 / reach), past, 4, Fraction(1, 4), spans, rate, 200)
    assert even.max() == 0, "who looks everywhere alike looks nowhere"
    assert 250 <= (looked_at(found[0], spans[0], 500) or 0) < 375
    assert looked_at(found[1], spans[1], 500) is None


def test_bins_hold_means_and_peaks() -> None:
    values = np.arange(BINS * 2, dtype=float)
    assert in_bins(values, Fraction(1, 2), BINS) == pytest.approx(
        values.reshape(-1, 2).mean(axis=1)
    )
    assert in_bins(values, Fraction(1, 2), BINS, best=True).tolist() == values[1::2].tolist()
    assert in_bins(np.ones(3), Fraction(1), 3.0).tolist() == [1.0] * BINS
    assert in_bins(np.zeros(0), Fraction(1), 3.0).tolist() == [0.0] * BINS


def test_ticks_are_few_and_round() -> None:
    for longest in (0.3, 1, 59.0, 3600.0, 90000.0, 1e6):
        found = ticks(longest)
        assert 1 < len(found) <= 11
        assert found[-1] <= longest


def test_what_can_be_plotted(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("step 10: loss 1.5, mean validation F1 0.25\nstep 20: loss 0.5\n")
    loss, score = read_plots(path)
    assert isinstance(loss, Curves)
    assert loss.curves == {"loss": [(10.0, 1.5), (20.0, 0.5)]}
    assert isinstance(score, Curves)
    assert score.curves == {"mean validation F1": [(10.0, 0.25)]}
    path.write_text(json.dumps({"whole/1/5/5": {"mean": 0.5}, "whole/2/5/5": {"mean": 0.7}}))
    (bars,) = read_plots(path)
    assert isinstance(bars, Bars)
    ((name, value, spread),) = bars.bars
    assert (name, value) == ("whole", pytest.approx(0.6))
    assert spread == pytest.approx(0.1414, abs=1e-3)
    path.write_text(json.dumps({"no GRU": {"mean": {"retake": 0.5}, "spread": {"retake": 0.1}}}))
    assert read_plots(path) == [Bars("a: retake", "retake", [("no GRU", 0.5, 0.1)])]
    path.write_text(json.dumps({"trials": [{"value": 0.2}, {"value": None}, {"value": 0.1}]}))
    (study,) = read_plots(path)
    assert isinstance(study, Curves)
    assert study.curves["best so far"] == [(0.0, 0.2), (2.0, 0.2)]
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([["lag", "F1"], [1, 0.5], [2, 0.75]])
    (table,) = read_plots(path)
    assert isinstance(table, Curves)
    for each in (loss, score, bars, study, table):
        assert not Seen(plot(each)).open


def test_what_training_and_ablations_write_can_be_plotted(tmp_path: Path) -> None:
    path = tmp_path / "edit.csv"
    path.write_text("step,rate,f1\n10,0.1,\n20,0.05,0.25\n20,0.04,0.5\n")
    rate, score = read_plots(path)
    # What a stopped run did after its checkpoint stands twice; the later counts.
    assert rate == Curves("edit.csv: rate", "step", {"rate": [(10.0, 0.1), (20.0, 0.04)]})
    assert score == Curves("edit.csv: f1", "step", {"f1": [(20.0, 0.5)]})
    rows = [{"name": name, "about": "words", "f1": value} for name, value in (("a", 1), ("b", 2))]
    path.write_text(json.dumps({"steps": 5, "rows": rows}))
    assert read_plots(path) == [Bars("edit.csv: f1", "f1", [("a", 1.0, 0.0), ("b", 2.0, 0.0)])]


def size_of(content: bytes) -> tuple[int, int]:
    """Width and height of a PNG."""
    assert content.startswith(b"\x89PNG")
    return struct.unpack(">II", content[16:24])


def test_plots_are_drawn_as_pictures() -> None:
    noisy = [(float(step), 2.0 + (-1) ** step * 0.1) for step in range(200)]
    curve = Curves("a $x^2$", "step", {"loss": noisy})
    ablation = [
        Bars(f"a.json: {part}", part, [("whole", 0.5, 0.1), ("no GRU", -0.4, 0.0)])
        for part in ("keep", "drop", "retake", "splice", "speed")
    ]
    one, both = plot_picture([curve]), plot_picture([curve, *ablation])
    assert plot_picture([curve]) == one
    assert size_of(one)[0] > 900
    assert size_of(both)[1] > 2 * size_of(one)[1], "five parts are two rows of panels"
    wide = Curves("b", "trial", {"value": [(0.0, 0.001), (1.0, 10.0)], "best": [(1.0, 10.0)]})
    assert size_of(plot_picture([wide]))[0] > 900


def test_pictures_of_plots_come_beside_the_page(
    here: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    mapedit_file.write(Path("b.mapedit"), edit())
    Path("train.log").write_text("step 10: loss 1.5\nstep 20: loss 0.5\n")
    Path("lag.csv").write_text("lag,F1\n1,0.5\n2,0.75\n")
    words = ("explain", "b.mapedit", "--plot", "train.log", "--plot", "lag.csv", "--json")
    made = cli(*words).json["pictures"]
    assert made[-2:] == ["b-explained-plot-1.png", "b-explained-plot-2.png"]
    assert all(size_of(Path(name).read_bytes()) for name in made[-2:])
    monkeypatch.setattr("otio_mapedit.review.plot_pictures.can_draw", lambda: False)
    outcome = cli(*words, "--force")
    assert outcome.code == 0
    assert "otio-mapedit[train]" in outcome.err
    assert made[-1] not in outcome.json["pictures"]


@pytest.mark.parametrize("content", [b"", b"{", b"{}", b'{"trials": []}', b"a\nb\n", b"\xff\xfe"])
def test_what_cannot_be_plotted_is_one_clear_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a"
    path.write_bytes(content)
    with pytest.raises(FormatError):
        read_plots(path)


def test_the_verb(here: Path, cli: Cli) -> None:
    assert cli("highlights", TALK, "-d", "8s", "--watch", "samples", "-o", "a.mapedit").code == 0
    outcome = cli("explain", "a.mapedit", "--json")
    assert outcome.code == 0, outcome.err
    assert outcome.json["pictures"] == ["a-explained-1.png"]
    made = Path("a-explained.html").read_text("utf-8")
    assert not Seen(made).open
    assert "what the theme general looks for" in made
    assert "data:image/png" in made
    assert Path("a-explained-1.png").read_bytes().startswith(b"\x89PNG")
    one_line(cli("explain", "a.mapedit"), 2)
    assert cli("explain", "a.mapedit", "--force").code == 0
    assert Path("a-explained.html").read_text("utf-8") == made, "the same every time"
    one_line(cli("explain", "a.mapedit", "-o", "a.pdf"), 2)


def test_media_that_is_gone_is_named(here: Path, cli: Cli) -> None:
    gone = edit()
    gone = replace(gone, sources=(replace(gone.sources[0], path=str(here / "gone.mov")),))
    mapedit_file.write(Path("b.mapedit"), gone)
    outcome = cli("explain", "b.mapedit")
    assert outcome.code == 0
    assert "no pictures and no sound" in outcome.err
    assert "no pictures and no sound" in Path("b-explained.html").read_text("utf-8")


def test_text_is_made_safe() -> None:
    assert safe("a\x00<b>\"'") == "a &lt;b&gt;&quot;&#x27;"
    safe("\ud800").encode()


def test_training_draws_its_curves(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from otio_mapedit.cli.model_edit import present

    present(Path("edit.pt"), "edit.onnx", as_json=False)
    assert "wrote edit.pt\n" in capsys.readouterr().out, "a training without curves is one too"
    Path("edit.csv").write_text("step,loss\n10,0.1\n20,0.05\n")
    present(Path("edit.pt"), "edit.onnx", as_json=False)
    assert "wrote edit.pt and its curves, edit.png\n" in capsys.readouterr().out
    present(Path("edit.pt"), "edit.onnx", as_json=True)  # and again, over the first
    assert json.loads(capsys.readouterr().out)["curves"] == "edit.png"
    assert size_of(Path("edit.png").read_bytes())
