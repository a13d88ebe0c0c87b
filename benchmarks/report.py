"""From raw runs to ``docs/performance.md`` and its charts.

Belongs here: what is said about the numbers and how it looks.  Does not belong here: how they came about.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from benchmarks.suite import Summary

_INTRODUCTION = """\
# Performance

Written by `make bench`, which measures the checkout on the machine described below; do not edit. Every contender runs
in a process of its own, all contenders of a size once per round, and those that do the same job are held to the same
results. Figures are medians over the rounds, with the least and the greatest in brackets. CPU seconds (user and
system, of the process and its children) are the main figure: other work on the machine lengthens the wall time,
hardly the CPU time. Peaks are the greatest of the rounds and of the processes.

All data are invented; only their sizes follow the national lists.
"""
# Okabe and Ito's colours, told apart with every kind of colour vision; the shapes repeat what the colours say
_COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"]
_SHAPES = ["circle", "square", "triangle-up", "diamond", "cross", "triangle-down"]


def write(page: Path, machine: Mapping[str, str], summaries: Sequence[Summary]) -> None:
    """The page, and beside it a chart for each suite with several sizes."""
    parts = [_INTRODUCTION, _table(["machine", ""], machine.items())]
    for summary in summaries:
        parts.append(_section(summary))
        if len(summary.sizes) > 1:
            chart = page.with_name(f"{page.stem}-{summary.suite.name}.svg")
            chart.write_text(_chart(summary), encoding="utf-8")
            parts.append(f"![CPU microseconds a record by number of records]({chart.name})\n")
    page.write_text("\n".join(parts), encoding="utf-8")


def _section(summary: Summary) -> str:
    suite = summary.suite
    rounds = min(len(summary.of(size, name)) for size in summary.sizes for name in summary.contenders(size))
    command = f"`make bench ONLY={suite.name} SIZES={','.join(map(str, summary.sizes))} ROUNDS={rounds}`"
    header = ["records", "contender", "CPU s", "wall s", "peak MiB", "CPU µs/record", "ratio"]
    rows = [_row(summary, size, name) for size in summary.sizes for name in summary.contenders(size)]
    promises = [[p.text, p.measured, "yes" if p.holds else "**no**"] for p in suite.promises(summary)]
    parts = [f"## {suite.title}\n", f"{suite.about}\n", f"{command}\n", _table(header, rows)]
    parts += [table for name in summary.contenders(summary.sizes[-1]) if (table := _parts(summary, name))]
    growth = [
        f"{name} n^{exponent:.2f}"
        for name in summary.contenders(summary.sizes[-1])
        if (exponent := summary.growth(name)) is not None
    ]
    if growth:
        parts.append(f"CPU time grows with the number of records n as: {', '.join(growth)}.\n")
    if suite.start_up:
        names = sorted(set(suite.start_up.values()))
        parts.append(f"CPU µs/record and growth leave out the start-up, which is measured as “{', '.join(names)}”.\n")
    parts.append(_table(["what must hold", "measured", "holds"], promises))
    return "\n".join(parts)


def _parts(summary: Summary, name: str) -> str:
    """Where the wall time of a contender went, at every size, in the order in which it went there."""
    spent = {size: summary.parts(size, name) for size in summary.sizes}
    header = [f"{name}: wall s", *(f"{size:,}" for size in summary.sizes)]
    parts = list(dict.fromkeys(part for size in summary.sizes for part in spent[size]))
    rows = [[part, *(f"{spent[size].get(part, 0):.1f}" for size in summary.sizes)] for part in parts]
    return _table(header, rows) if rows else ""


def _row(summary: Summary, size: int, name: str) -> list[str]:
    runs = summary.of(size, name)
    per_record = summary.per_record(size, name)
    baseline = summary.per_record(size, summary.suite.baseline)
    return [
        f"{runs[0].records:,}" if runs[0].records else "–",
        name,
        f"{summary.cpu(size, name):.1f} ({_spread([run.cpu_s for run in runs])})",
        f"{summary.wall(size, name):.1f} ({_spread([run.wall_s for run in runs])})",
        f"{summary.peak(size, name):,.0f}",
        f"{per_record:.2f}" if per_record is not None else "–",
        f"{per_record / baseline:.2f}" if per_record is not None and baseline else "–",
    ]


def _spread(values: Sequence[float]) -> str:
    return f"{min(values):.1f}–{max(values):.1f}"


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(row) + " |" for row in [header, ["---"] * len(header), *rows]]
    return "\n".join(lines) + "\n"


def _chart(summary: Summary) -> str:
    """CPU time a record over the number of records: a flat line grows in proportion."""
    import altair as alt
    import vl_convert

    points = [
        {"records": size, "contender": name, "µs": per_record}
        for size in summary.sizes
        for name in summary.contenders(size)
        if (per_record := summary.per_record(size, name))
    ]
    names = list(dict.fromkeys(str(point["contender"]) for point in points))
    chart = (
        alt.Chart(alt.Data(values=points), width=520, height=260)
        .mark_line(point=alt.OverlayMarkDef(size=70, filled=True))
        .encode(
            x=alt.X(
                "records:Q", scale=alt.Scale(type="log", nice=False), axis=alt.Axis(values=summary.sizes, format=",")
            ),
            y=alt.Y("µs:Q", scale=alt.Scale(type="log"), title="CPU µs a record"),
            color=alt.Color("contender:N", scale=alt.Scale(domain=names, range=_COLOURS[: len(names)])),
            shape=alt.Shape("contender:N", scale=alt.Scale(domain=names, range=_SHAPES[: len(names)])),
        )
    )
    return str(vl_convert.vegalite_to_svg(chart.to_json()))
