"""An edit explained on one page of HTML that needs nothing else: no script, no font, no network."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from ..operations import PLACING, DecisionList, Kind, Operation
from ..timing import rate_text, seconds_at, timecode
from .attention import looked_at
from .charts import programme_drawing, source_drawing
from .drawing import safe, tag
from .looks import Look
from .plots import Bars, Curves, plot

#: Most rows of the table of decisions.
MOST_ROWS = 3000

#: Nothing is loaded from anywhere and nothing runs.
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'"

STYLE = """
:root{--bg:#15171c; --panel:#1d2027; --line:#2b3039; --ink:#e8e9ec; --soft:#9aa1ad;
--kept:#4fb286; --dropped:#d5545a; --accent:#f0a53c; --blue:#5b8def}
*{box-sizing:border-box}
html{color-scheme:dark}
body{margin:0; background:var(--bg); color:var(--ink); font:15px/1.5 system-ui, -apple-system,
"Segoe UI", "Noto Sans", "PingFang SC", "Microsoft YaHei", sans-serif}
main{max-width:1280px;margin:0 auto;padding:40px 32px 80px}
h1{font-size:28px;line-height:1.2;margin:0 0 6px;letter-spacing:-.01em}
h2{font-size:18px;margin:44px 0 12px}
h3{font-size:14px;margin:20px 0 8px;color:var(--soft)}
p{margin:0 0 8px}
.soft{color:var(--soft)}
.cards{display:grid; grid-template-columns:repeat(auto-fit, minmax(150px, 1fr)); gap:12px;
margin:24px 0 0}
.card{background:var(--panel);border:1px solid var(--line);border-radius:10px;padding:14px 16px}
.card b{display:block;font-size:22px;font-variant-numeric:tabular-nums}
.card span{color:var(--soft)}
.panel{background:var(--panel); border:1px solid var(--line); border-radius:10px; padding:16px
18px; margin-bottom:14px}
.legend{display:flex;flex-wrap:wrap;gap:18px;color:var(--soft);font-size:13px;margin:10px 0 0}
.legend i{display:inline-block; width:12px; height:12px; border-radius:3px; margin-right:6px;
vertical-align:-1px}
svg{display:block;width:100%;height:auto;overflow:visible}
svg text{font:12px system-ui,"Noto Sans",sans-serif;fill:var(--ink)}
svg .time,svg .axis{fill:var(--soft);font-size:11px;font-variant-numeric:tabular-nums}
svg .lane{fill:var(--soft)}
svg .tick{stroke:var(--line)}
svg .grid{stroke:var(--line)}
svg .kept{fill:var(--kept)}
svg .dropped{fill:var(--dropped)}
svg a:hover rect,svg a:focus rect{stroke:#fff;stroke-width:1.5}
svg .wave{fill:#8fa6c8}
svg .speech{fill:var(--kept);opacity:.4}
svg .importance{fill:var(--accent);opacity:.75}
svg .pixels{image-rendering:pixelated}
svg .frame-kept{fill:none;stroke:var(--kept);stroke-width:1.2}
svg .frame-dropped{fill:none;stroke:var(--dropped);stroke-width:1.2}
svg .clip{fill:#3d6fb6}
svg .c1{fill:#8a5bb5}
svg .c2{fill:#3f8f7b}
svg .c3{fill:#b0703a}
svg .c4{fill:#a34d72}
svg .c5{fill:#6f7d34}
svg .join{fill:var(--accent)}
svg .clip-name{fill:#fff;pointer-events:none}
svg .bar{fill:var(--blue)}
svg .first{fill:var(--accent)}
svg .whisker{stroke:#fff;stroke-width:1.4}
svg .line{fill:none;stroke-width:2}
svg .l0{stroke:var(--accent)}
svg .l1{stroke:var(--blue)}
svg .l2{stroke:var(--kept)}
svg .l3{stroke:var(--dropped)}
svg .l4{stroke:#b58be0}
svg .l5{stroke:#9aa1ad}
svg .l6{stroke:#d8d17a}
svg .l7{stroke:#6fd0d8}
svg text.lane{stroke:none}
svg .dot{fill:var(--bg)}
table{border-collapse:collapse;width:100%;font-size:14px}
th{text-align:left; color:var(--soft); font-weight:500; border-bottom:1px solid var(--line);
padding:6px 10px}
td{border-bottom:1px solid var(--line);padding:7px 10px;vertical-align:top}
td.num{font-variant-numeric:tabular-nums;white-space:nowrap}
tr:target td{background:#2a3040}
.kind{display:inline-block;border-radius:4px;padding:0 7px;font-size:12px;background:var(--line)}
.kind.keep,.kind.insert{background:#21493a;color:#8fe0bb}
.kind.drop{background:#4d2629;color:#f3a3a6}
.kind.mark{background:#4a3818;color:#f3c98a}
.sure{display:inline-block; width:56px; height:6px; border-radius:3px; background:var(--line);
vertical-align:2px; margin-right:8px}
.sure i{display:block;height:6px;border-radius:3px;background:var(--soft)}
footer{margin-top:56px;color:var(--soft);font-size:13px}
@media print{:root{--bg:#fff; --panel:#fff; --line:#ccc; --ink:#111;
--soft:#555}html{color-scheme:light}}
"""


def page(edit: DecisionList, looks: Sequence[Look], plots: Sequence[Curves | Bars]) -> str:
    """The page. Every name, reason and path in it is escaped."""
    numbers = {id(operation): number for number, operation in enumerate(edit.operations, 1)}
    body = [
        _head(edit),
        "<h2>The programme</h2>",
        tag("div", programme_drawing(edit, numbers), class_="panel"),
    ]
    for look in looks:
        body.append(f"<h2>{safe(look.source.name or look.source.id)}</h2>")
        body += [tag("p", safe(words) + ".", class_="soft") for words in look.missing]
        legend = _legend(look)
        drawn = source_drawing(look, numbers)
        body.append(tag("div", drawn + legend, class_="panel"))
    body += ["<h2>Every decision</h2>", tag("div", _table(edit, looks), class_="panel")]
    if plots:
        body.append("<h2>Training and measurements</h2>")
        for each in plots:
            body.append(tag("div", f"<h3>{safe(each.title)}</h3>" + plot(each), class_="panel"))
    body.append(f"<footer>{safe(edit.generator)}</footer>")
    title = safe(edit.name or "edit")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{title}</title><style>{STYLE}</style></head>\n"
        f"<body><main>{''.join(body)}</main></body></html>\n"
    )


def _head(edit: DecisionList) -> str:
    placed = [op for op in edit.operations if op.kind in PLACING]
    dropped = [op for op in edit.operations if op.kind is Kind.DROP]
    review = sum(
        op.kind is Kind.MARK and str(op.parameters.get("colour", "")).upper() == "ORANGE"
        for op in edit.operations
    )
    whole = sum(
        (seconds_at(source.frame_count, source.rate) for source in edit.sources), Fraction(0)
    )
    cards = [
        (_length(whole), "footage"),
        (_length(_together(edit, placed)), f"kept in {len(placed)} clips"),
        (_length(_together(edit, dropped)), f"left out in {len(dropped)} passages"),
        (str(review), "to review"),
    ]
    made = "".join(
        tag("div", f"<b>{safe(number)}</b><span>{safe(words)}</span>", class_="card")
        for number, words in cards
    )
    what = f"{edit.recipe or 'edit'}, {rate_text(edit.rate)} frames per second"
    options = ", ".join(f"{name} {value}" for name, value in edit.options.items() if value != "")
    note = f"<p>{safe(edit.metadata['note'])}</p>" if "note" in edit.metadata else ""
    return (
        f'<h1>{safe(edit.name or "edit")}</h1><p class="soft">{safe(what)}</p>'
        f'<p class="soft">{safe(options)}</p>{note}<div class="cards">{made}</div>'
    )


def _legend(look: Look) -> str:
    shown = [("var(--kept)", "kept"), ("var(--dropped)", "left out; the fainter, the less sure")]
    if look.level is not None:
        shown += [("#8fa6c8", "sound"), ("#316152", "somebody speaks")]
    if look.importance:
        shown.append(("var(--accent)", "importance"))
    if look.attention is not None:
        shown.append(("#fff4d6", "looked at: the brighter, the more"))
    items = "".join(
        f'<span><i style="background:{colour}"></i>{safe(words)}</span>' for colour, words in shown
    )
    return tag("div", items, class_="legend")


def _table(edit: DecisionList, looks: Sequence[Look]) -> str:
    glances = _glances(looks)
    rows = []
    for number, operation in enumerate(edit.operations[:MOST_ROWS], start=1):
        source = edit.source(operation.source)
        clock = (source.rate, source.drop_frame)
        first = source.start_frame + operation.range.start
        when = timecode(first, *clock)
        if operation.range.duration:
            when += f" – {timecode(first + operation.range.duration, *clock)}"
        sure = round(100 * operation.confidence)
        seen = glances.get(id(operation))
        where = "" if seen is None else timecode(source.start_frame + seen, *clock)
        seconds = float(seconds_at(operation.range.duration, source.rate))
        cells = [
            f'<td class="num">{number}</td>',
            f'<td><span class="kind {operation.kind.value}">{operation.kind.value}</span></td>',
            f'<td class="num">{safe(when)}</td>',
            f'<td class="num">{seconds:.1f} s</td>' if seconds else "<td></td>",
            f'<td class="num"><span class="sure"><i style="width:{sure}%"></i></span>{sure} %</td>',
            f"<td>{safe(_why(operation))}</td>",
            f'<td class="num">{where}</td>' if glances else "",
        ]
        rows.append(f'<tr id="op-{number}">{"".join(cells)}</tr>')
    heads = ["", "what", "where in the source", "length", "certainty", "why"]
    heads += ["looked most at"] if glances else []
    left = len(edit.operations) - MOST_ROWS
    more = f'<p class="soft">{left} more are not listed.</p>' if left > 0 else ""
    head = "".join(f"<th>{each}</th>" for each in heads)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>{more}"


def _glances(looks: Sequence[Look]) -> dict[int, int | None]:
    """The frame that each decision looked at most, by the operation's identity."""
    return {
        id(operation): looked_at(row, operation.range, look.source.frame_count)
        for look in looks
        if look.attention is not None
        for operation, row in zip(look.decisions, look.attention, strict=True)
    }


def _why(operation: Operation) -> str:
    name = str(operation.parameters.get("name", ""))
    return f"“{name}” · {operation.reason}" if name else operation.reason


def _together(edit: DecisionList, operations: Sequence[Operation]) -> Fraction:
    rates = {source.id: source.rate for source in edit.sources}
    return sum((seconds_at(op.range.duration, rates[op.source]) for op in operations), Fraction(0))


def _length(seconds: Fraction) -> str:
    whole = round(seconds)
    if whole < 60:
        return f"{float(seconds):.1f} s"
    return (
        f"{whole // 3600}:{whole % 3600 // 60:02d}:{whole % 60:02d}"
        if whole >= 3600
        else (f"{whole // 60}:{whole % 60:02d}")
    )
