"""The benchmarks still run, and what they say follows from what they measured. No figure is judged here."""

from __future__ import annotations

import json
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import __main__ as bench
from benchmarks import cases, grouping, indicators, report, wide_scheme
from benchmarks.measure import DifferentResultsError, interleaved
from benchmarks.suite import Contender, Promise, Run, Suite, Summary


def run(size: int, contender: str, cpu_s: float, records: int | None = None) -> Run:
    return Run("job", size, contender, size if records is None else records, cpu_s, cpu_s, 100.0, {})


def suite(**start_up: str) -> Suite:
    def promises(summary: Summary) -> list[Promise]:
        return [Promise("quick", f"{summary.cpu(summary.sizes[-1], 'ours'):.0f} s", holds=False)]

    return Suite("job", "A job", "About it.", (10, 100), "ours", lambda _folder, _size: [], promises, start_up)


def prints(text: str) -> list[str]:
    return [sys.executable, "-c", f"print({text!r})"]


def test_contenders_take_turns_and_agree() -> None:
    contenders = [Contender(name, 7, prints("work"), check=prints('{"all": "1"}')) for name in ("a", "b")]
    runs = list(interleaved("job", 7, contenders, rounds=2))
    assert [(each.contender, each.digests) for each in runs] == [(name, {"all": "1"}) for name in "abab"]
    assert all(each.peak_mib > 1 and each.wall_s > 0 and each.cpu_s > 0 for each in runs)


def test_contenders_that_disagree_are_not_compared() -> None:
    contenders = [Contender(str(n), 7, prints("work"), check=prints(json.dumps({"all": str(n)}))) for n in (1, 2)]
    with pytest.raises(DifferentResultsError):
        list(interleaved("job", 7, contenders, rounds=1))


def test_a_contender_that_fails_says_why() -> None:
    with pytest.raises(RuntimeError, match="no such thing"):
        list(interleaved("job", 7, [Contender("a", 7, [sys.executable, "-c", "raise SystemExit('no such thing')"])], 1))


def test_start_up_is_taken_off_before_anything_is_divided() -> None:
    runs = [run(size, "empty", 2.0, records=0) for size in (100, 1_000)]
    runs += [run(100, "ours", 3.0), run(1_000, "ours", 12.0)]
    summary = Summary(suite(ours="empty"), runs)
    assert summary.per_record(100, "ours") == pytest.approx(10_000)
    assert summary.per_record(1_000, "ours") == pytest.approx(10_000)
    assert summary.growth("ours") == pytest.approx(1.0)
    assert summary.growth("empty") is None


def test_growth_is_the_exponent() -> None:
    summary = Summary(suite(), [run(size, "ours", size**1.5 / 1_000) for size in (10, 100, 1_000)])
    assert summary.growth("ours") == pytest.approx(1.5)


def test_the_report_shows_medians_spread_ratios_and_broken_promises(tmp_path: Path) -> None:
    runs = [run(size, "ours", seconds * size) for size in (10, 100) for seconds in (1.0, 2.0, 4.0)]
    runs += [run(size, "theirs", 6.0 * size) for size in (10, 100) for _ in range(3)]
    page = tmp_path / "performance.md"
    report.write(page, {"cores": "2"}, [Summary(suite(), runs)])
    text = page.read_text(encoding="utf-8")
    assert "| 10 | ours | 20.0 (10.0–40.0) | 20.0 (10.0–40.0) | 100 | 2000000.00 | 1.00 |" in text
    assert "| 10 | theirs | 60.0 (60.0–60.0) | 60.0 (60.0–60.0) | 100 | 6000000.00 | 3.00 |" in text
    assert "| quick | 200 s | **no** |" in text
    assert "ONLY=job SIZES=10,100 ROUNDS=3" in text
    chart = (tmp_path / "performance-job.svg").read_text(encoding="utf-8")
    assert chart.startswith("<svg") and "theirs" in chart


def test_the_indicators_are_judged_by_the_query_the_floor_and_from_three_millions_on_by_rivals() -> None:
    cpu = {
        indicators.START_UP: 10.0,
        indicators.OURS: 100.0,
        indicators.BY_HAND: 90.0,
        indicators.FLOOR: 30.0,
        indicators.POLARS: 100.0,
        indicators.POSTGRES: 100.1,
    }
    runs = [run(size, name, seconds) for size in (1_000_000, 10_000_000) for name, seconds in cpu.items()]
    judged = indicators.promises(Summary(indicators.SUITE, runs))
    assert [(promise.measured, promise.holds) for promise in judged] == [
        ("1.00", True),
        ("3.00", False),
        ("100.0 s against 100.0 s of CPU", False),
        ("100.0 s against 100.1 s of CPU", True),
    ]
    assert len(indicators.promises(Summary(indicators.SUITE, runs[: len(cpu)]))) == 2


def test_the_report_shows_where_the_time_went(tmp_path: Path) -> None:
    runs = [replace(run(10, "ours", 4.0 * n), parts={"reading": 1.0 * n, "writing": 2.0 * n}) for n in (1, 2, 3)]
    page = tmp_path / "performance.md"
    report.write(page, {"cores": "2"}, [Summary(suite(), [*runs, run(10, "theirs", 9.0)])])
    text = page.read_text(encoding="utf-8")
    assert "| reading | 2.0 |\n| writing | 4.0 |\n| outside the steps | 2.0 |" in text
    assert text.count("outside the steps") == 1, "who has no parts has no table"


def test_the_scheme_is_as_wide_as_it_says(tmp_path: Path) -> None:
    wide_scheme.write(tmp_path)
    lines = {path.stem: len(path.read_text(encoding="utf-8").splitlines()) - 1 for path in tmp_path.iterdir()}
    assert (lines["adrg"], lines["drg"], lines["exclusion"], lines["mdc"]) == (376, 628, 30_000, 26)
    assert lines["edition_code"] == 33_000 + 13_000


@pytest.mark.parametrize("skew", [True, False])
def test_front_pages_are_as_wide_as_they_say_and_the_first_are_the_same_at_every_size(
    tmp_path: Path, skew: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pyarrow.parquet as pq

    monkeypatch.setattr(cases, "HOSPITAL", 10_000)

    for name, records in (("one", cases.HOSPITAL), ("more", cases.HOSPITAL + 10)):
        cases.write(tmp_path / name, records, skew=skew, workers=1)
    first = [path.relative_to(tmp_path / "one") for path in (tmp_path / "one").glob("*/*.parquet")]
    assert len(first) == 36
    assert all((tmp_path / "one" / path).read_bytes() == (tmp_path / "more" / path).read_bytes() for path in first)
    assert len(list((tmp_path / "more").glob("*/*.parquet"))) == 36 + 10

    pages = pq.read_table(tmp_path / "one", columns=["diagnoses", "operations"]).to_pylist()
    diagnoses = [code for page in pages for code in page["diagnoses"]]
    assert len(diagnoses) / len(pages) == pytest.approx(5, abs=0.1)
    assert sum(len(page["operations"]) for page in pages) / len(pages) == pytest.approx(1.5, abs=0.1)
    most_popular = max(Counter(diagnoses).values()) / len(diagnoses)
    assert (most_popular > 0.01) == skew


@pytest.mark.slow
def test_every_suite_runs(tmp_path: Path) -> None:
    page = tmp_path / "performance.md"
    bench.main(["--sizes", "2000", "--rounds", "1", "--results", str(tmp_path / "results"), "--page", str(page)])
    text = page.read_text(encoding="utf-8")
    for contender in (grouping.GROUPING, grouping.TRACE, grouping.REFERENCE):
        assert f"| 2,000 | {contender} |" in text
    assert f"| – | {grouping.IMPORT} |" in text
    # that all of them are there says that they agreed
    for contender in (indicators.OURS, indicators.BY_HAND, indicators.POLARS, indicators.POSTGRES, indicators.PANDAS):
        assert f"| 2,000 | {contender} |" in text
