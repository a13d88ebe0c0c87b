"""The gate: four states, three severities, counts only, and a verdict that cannot be talked into anything."""

from __future__ import annotations

import csv
import shutil
from decimal import Decimal
from pathlib import Path

import pytest
import yaml
from hand_made_marts import judged_folder
from pydantic import ValidationError

from expectations import runner
from expectations.checks import load_suites
from expectations.content import DATA, content_hash
from expectations.runner import judge
from expectations.verdict import (
    RULES,
    SUITES,
    Result,
    Severity,
    Status,
    Verdict,
    VerdictConflictError,
    VerdictStore,
    judged_by,
)

CRITICAL, WARNING = "hqms_05_total_positive", "hqms_02_stay_days"  # allow 1 % and 2 % of 2,000 rows
ONLY_THESE = f"delete from fct_dq_result where rule_id not in ('{CRITICAL}', '{WARNING}')"
LANDING = """
    insert into fct_dq_result
    values ('landing_quarantine_share', 'drg_result', 'H1', '2023-01', 100, {}, 0, 0.05, 'warning', 'passed')
"""


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """A rule table of one critical rule and one warning."""
    path = tmp_path / "rules" / "dq_rules.csv"
    path.parent.mkdir()
    with RULES.open(encoding="utf-8", newline="") as source, path.open("w", encoding="utf-8") as target:
        rows = csv.reader(source)
        csv.writer(target).writerows([next(rows), *(row for row in rows if row[0] in (CRITICAL, WARNING))])
    return path


@pytest.fixture
def suites(tmp_path: Path) -> Path:
    """No mart checks."""
    folder = tmp_path / "suites"
    folder.mkdir()
    return folder


def violated(rule: str, organisation: str, rows: int) -> str:
    return f"update fct_dq_result set violated = {rows} where rule_id = '{rule}' and organisation_id = '{organisation}'"


def by_id(verdict: Verdict) -> dict[str, Result]:
    return {result.id: result for result in verdict.results}


# --- row rules


@pytest.mark.parametrize(
    ("rule", "rows", "status", "gate"),
    [
        (CRITICAL, 20, Status.PASSED, "open"),  # exactly 1 % of 2,000
        (CRITICAL, 21, Status.FAILED, "closed"),
        (WARNING, 40, Status.PASSED, "open"),
        (WARNING, 41, Status.FAILED, "open"),  # a warning is published with the release
    ],
)
def test_share_over_the_region_against_threshold(
    rule: str, rows: int, status: Status, gate: str, rules: Path, suites: Path, tmp_path: Path
) -> None:
    changes = (ONLY_THESE, LANDING.format(0), violated(rule, "H1", 3), violated(rule, "H2", rows - 3))
    verdict = judge(judged_folder(tmp_path / "marts", *changes), rules=rules, suites=suites)
    result = by_id(verdict)[rule]
    assert (result.status, verdict.gate) == (status, gate)
    assert (result.checked, result.violated, result.share) == (2000, rows, Decimal(rows) / 2000)
    assert result.worst is not None
    assert (result.worst.organisation_id, result.worst.month) == ("H2", "2023-01")
    assert (result.worst.checked, result.worst.violated) == (1000, rows - 3)


def test_rule_without_rows_to_check_is_not_applicable(rules: Path, suites: Path, tmp_path: Path) -> None:
    nothing = f"update fct_dq_result set checked = 0 where rule_id = '{CRITICAL}'"
    verdict = judge(
        judged_folder(tmp_path / "marts", ONLY_THESE, LANDING.format(0), nothing), rules=rules, suites=suites
    )
    assert by_id(verdict)[CRITICAL].status is Status.NOT_APPLICABLE
    assert verdict.gate == "open"


def test_landing_rule_is_judged_per_dataset_with_its_own_threshold(rules: Path, suites: Path, tmp_path: Path) -> None:
    verdict = judge(judged_folder(tmp_path / "marts", ONLY_THESE, LANDING.format(6)), rules=rules, suites=suites)
    result = by_id(verdict)["landing_quarantine_share.drg_result"]
    assert (result.status, result.threshold, result.dataset) == (Status.FAILED, Decimal("0.05"), "drg_result")


@pytest.mark.parametrize(
    ("change", "rule", "gate"),
    [
        (f"delete from fct_dq_result where rule_id = '{CRITICAL}'", CRITICAL, "closed"),
        (f"delete from fct_dq_result where rule_id = '{WARNING}'", WARNING, "open"),
        (f"update fct_dq_result set threshold = 0.5 where rule_id = '{CRITICAL}'", CRITICAL, "closed"),
        (f"update fct_dq_result set severity = 'info' where rule_id = '{CRITICAL}'", CRITICAL, "closed"),
        (violated(CRITICAL, "H1", 1001), CRITICAL, "closed"),
        (f"update fct_dq_result set checked = null where rule_id = '{CRITICAL}'", CRITICAL, "closed"),
    ],
    ids=["missing", "missing warning", "other threshold", "other severity", "more than checked", "no count"],
)
def test_rule_whose_counts_cannot_be_trusted_is_an_error(
    change: str, rule: str, gate: str, rules: Path, suites: Path, tmp_path: Path
) -> None:
    marts = judged_folder(tmp_path / "marts", ONLY_THESE, LANDING.format(0), change)
    verdict = judge(marts, rules=rules, suites=suites)
    result = by_id(verdict)[rule]
    assert result.status is Status.ERROR
    assert result.reason
    assert verdict.gate == gate


def test_rules_are_compared_without_a_search_for_each(
    rules: Path, suites: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A search by condition costs the library ten times the comparison, for each of a hundred rules."""
    searches: list[object] = []
    monkeypatch.setattr("pandas.DataFrame.query", lambda *_, **__: searches.append(1))
    verdict = judge(judged_folder(tmp_path / "marts", ONLY_THESE, LANDING.format(0)), rules=rules, suites=suites)
    assert by_id(verdict)[CRITICAL].status is Status.PASSED
    assert searches == []


def test_counts_of_an_unregistered_rule_are_an_error(rules: Path, suites: Path, tmp_path: Path) -> None:
    change = f"update fct_dq_result set rule_id = 'unheard_of' where rule_id = '{CRITICAL}'"
    marts = judged_folder(tmp_path / "marts", ONLY_THESE, LANDING.format(0), change)
    results = by_id(judge(marts, rules=rules, suites=suites))
    assert results["unheard_of.hqms_front_page"].status is Status.ERROR
    assert results[CRITICAL].status is Status.ERROR


# --- mart checks


def one_check(suites: Path, **check: object) -> None:
    """A suite with a single critical check on the indicators."""
    words = {"id": "the_check", "title_zh": "检查", "severity": "critical", "note_zh": "说明", "kwargs": {}}
    document = {
        "suite": "one",
        "title_zh": "一项",
        "mart": "fct_indicator",
        "expectations": [words | check],
    }
    (suites / "one.yml").write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")


@pytest.mark.parametrize(
    ("check", "reason"),
    [
        ({"type": "ExpectColumnValuesToNotBeNull", "kwargs": {"column": "absent"}}, "检查无法执行"),
        (
            {"type": "ExpectColumnValuesToBeBetween", "kwargs": {"column": "hospital_id", "min_value": 0}},
            "检查无法执行（MetricResolutionError）",
        ),
        ({"type": "ExpectMiracles"}, "检查定义无效"),
        ({"type": "ExpectColumnValuesToBeInSet", "kwargs": {"colum": "status"}}, "检查定义无效"),
        (
            {
                "type": "ExpectColumnValuesToBeInSet",
                "kwargs": {"column": "status", "value_set": {"sql": "select no from nowhere"}},
            },
            "对照查询无法执行",
        ),
    ],
    ids=["missing column", "exception inside", "unknown type", "bad keyword", "bad query"],
)
def test_check_that_cannot_run_is_an_error_never_a_failure(
    check: dict[str, object], reason: str, rules: Path, suites: Path, tmp_path: Path
) -> None:
    one_check(suites, **check)
    marts = judged_folder(tmp_path / "marts", ONLY_THESE, LANDING.format(0))
    verdict = judge(marts, rules=rules, suites=suites)
    result = by_id(verdict)["the_check"]
    assert result.status is Status.ERROR
    assert result.reason.startswith(reason)
    assert verdict.gate == "closed"


def test_error_of_one_check_leaves_the_others_judged(rules: Path, tmp_path: Path) -> None:
    marts = judged_folder(tmp_path / "marts", "alter table dim_hospital drop column name_zh")
    results = by_id(judge(marts))
    assert results["hospital_name_zh_filled"].status is Status.ERROR
    assert results["hospital_key_unique"].status is Status.PASSED


def test_missing_marts_are_errors_and_close_the_gate(tmp_path: Path) -> None:
    marts = judged_folder(tmp_path / "marts")
    for name in ("fct_measure", "fct_dq_result"):
        (marts / DATA / f"{name}.parquet").unlink()
    verdict = judge(marts)
    lost = {suite.suite for suite in load_suites(SUITES) if suite.mart in ("fct_measure", "fct_dq_result")}
    lost_checks = {c.id for suite in load_suites(SUITES) if suite.suite in lost for c in suite.expectations}
    results = by_id(verdict)
    assert {results[check].status for check in lost_checks} == {Status.ERROR}
    assert {results[rule].status for rule in (CRITICAL, WARNING)} == {Status.ERROR}
    assert results["indicator_key_unique"].status is Status.PASSED
    assert verdict.gate == "closed"


def test_identity_of_the_region_is_asked_only_where_the_region_is_the_reference(tmp_path: Path) -> None:
    tertiary = "update ref_drg_benchmark set reference_population = 'tertiary'"
    other_index = "update fct_indicator set value = 1.25 where indicator_id = 'cmi' or indicator_id like '%_index'"
    results = by_id(judge(judged_folder(tmp_path / "marts", tertiary, other_index)))
    for check in ("region_index_is_one", "region_index_present", "region_cmi_is_one", "region_cmi_present"):
        assert results[check].status is Status.NOT_APPLICABLE


def test_a_scheme_with_its_own_weights_has_another_reference(tmp_path: Path) -> None:
    own = "update ref_drg_benchmark set weight_source = 'scheme'"
    other_index = "update fct_indicator set value = 1.3 where indicator_id = 'cmi'"
    results = by_id(judge(judged_folder(tmp_path / "marts", own, other_index)))
    assert results["region_cmi_is_one"].status is Status.NOT_APPLICABLE
    assert results["region_index_is_one"].status is Status.PASSED


def test_no_row_value_leaves_the_gate(tmp_path: Path) -> None:
    secret = "王小明110101199003070011"
    changes = [
        f"update {table} set {column} = '{secret}' where rowid = 0"
        for table, column in (
            ("fct_indicator", "hospital_id"),
            ("fct_indicator", "status"),
            ("fct_measure", "specialty_code"),
            ("ref_drg_risk", "risk_class"),
            ("dim_indicator", "direction"),
        )
    ]
    # a text where a number belongs raises inside the expectation, with the text in its message
    changes += [
        "alter table ref_drg_benchmark alter weight type varchar",
        f"update ref_drg_benchmark set weight = '{secret}' where rowid = 0",
    ]
    verdict = judge(judged_folder(tmp_path / "marts", *changes))
    results = by_id(verdict)
    assert results["benchmark_weight_positive"].status is Status.ERROR
    assert results["indicator_status_known"].violated == 1
    assert secret not in verdict.to_bytes().decode()


def test_equal_marts_give_an_equal_verdict(tmp_path: Path) -> None:
    marts = judged_folder(tmp_path / "marts")
    assert judge(marts).to_bytes() == judge(marts).to_bytes()


def test_a_large_table_is_judged_by_portions_to_the_same_verdict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    marts = judged_folder(tmp_path / "marts", "update fct_indicator set status = 'x' where rowid < 3")
    one = tmp_path / "suites"
    one.mkdir()
    shutil.copy(SUITES / "fct_indicator.yml", one)
    whole, widths, read = judge(marts, suites=one), [], runner._frame
    monkeypatch.setattr(runner, "_MANY", 1)
    monkeypatch.setattr(runner, "_frame", lambda *given: (frame := read(*given), widths.append(frame.shape[1]))[0])
    assert by_id(whole)["indicator_status_known"].violated == 3
    assert judge(marts, suites=one).to_bytes() == whole.to_bytes()
    assert max(widths) == 5  # the columns of the key, and never more at a time


def test_nothing_checked_keeps_the_gate_closed() -> None:
    assert Verdict.of("0" * 64, judged_by(), []).gate == "closed"


# --- verdicts on disk


def a_result(status: Status = Status.PASSED, severity: Severity = Severity.CRITICAL) -> Result:
    return Result(id="a", title_zh="甲", dataset="fct_indicator", severity=severity, status=status)


def a_verdict(*results: Result, judged_hash: str = "a" * 64, judge_hash: str | None = None) -> Verdict:
    return Verdict.of(judged_hash, judge_hash or judged_by(), list(results or [a_result()]))


@pytest.mark.parametrize(
    ("severity", "status", "gate"),
    [
        (Severity.CRITICAL, Status.ERROR, "closed"),
        (Severity.CRITICAL, Status.FAILED, "closed"),
        (Severity.CRITICAL, Status.NOT_APPLICABLE, "open"),
        (Severity.WARNING, Status.FAILED, "open"),
        (Severity.WARNING, Status.ERROR, "open"),
        (Severity.INFO, Status.FAILED, "open"),
    ],
)
def test_what_closes_the_gate(severity: Severity, status: Status, gate: str) -> None:
    assert a_verdict(a_result(), a_result(status, severity)).gate == gate


def test_store_gives_back_what_it_was_given(tmp_path: Path) -> None:
    store, verdict = VerdictStore(tmp_path / "verdicts"), a_verdict()
    path = store.save(verdict)
    assert store.save(verdict) == path
    assert store.load(verdict.judged_hash) == verdict
    assert store.load("b" * 64) is None
    assert list(store.folder.iterdir()) == [path], "no temporary file stays"


def test_store_never_overwrites_a_verdict_with_another(tmp_path: Path) -> None:
    store = VerdictStore(tmp_path)
    path = store.save(a_verdict(a_result(Status.FAILED)))
    before = path.read_bytes()
    with pytest.raises(VerdictConflictError):
        store.save(a_verdict(a_result(Status.PASSED)))
    assert path.read_bytes() == before


def test_verdict_of_other_rules_does_not_count(tmp_path: Path) -> None:
    store = VerdictStore(tmp_path)
    store.save(a_verdict(judge_hash="f" * 64))
    assert store.load("a" * 64) is None


def test_changed_threshold_makes_another_judge(rules: Path, suites: Path) -> None:
    before = judged_by(rules, suites)
    rules.write_text(rules.read_text(encoding="utf-8").replace("0.01", "0.02"), encoding="utf-8")
    assert judged_by(rules, suites) != before


def test_verdict_moved_to_another_content_is_refused(tmp_path: Path) -> None:
    store = VerdictStore(tmp_path)
    store.save(a_verdict()).rename(store.path("b" * 64, judged_by()))
    with pytest.raises(VerdictConflictError):
        store.load("b" * 64)


def test_verdict_that_was_opened_by_hand_is_refused(tmp_path: Path) -> None:
    store = VerdictStore(tmp_path)
    path = store.save(a_verdict(a_result(Status.FAILED)))
    path.write_text(path.read_text(encoding="utf-8").replace('"closed"', '"open"'), encoding="utf-8")
    with pytest.raises(ValidationError):
        store.load("a" * 64)


def test_content_hash_knows_every_byte_and_name(tmp_path: Path) -> None:
    marts = judged_folder(tmp_path / "marts")
    hashes = {content_hash(marts)}
    file = marts / DATA / "dim_window.parquet"
    file.write_bytes(file.read_bytes() + b"\0")
    hashes.add(content_hash(marts))
    file.rename(marts / DATA / "dim_year.parquet")
    hashes.add(content_hash(marts))
    assert len(hashes) == 3
