"""Decisions about the gate: who may take them, how long they hold, and what they change."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hand_made_marts import judged_folder
from pydantic import ValidationError

from expectations.checks import load_rules
from expectations.content import content_hash
from expectations.decisions import (
    NO_DECISIONS,
    DecisionLog,
    DecisionRefused,
    Decisions,
    Override,
    ThresholdChange,
    share_of,
)
from expectations.runner import judge
from expectations.verdict import RULES, Status, Verdict, VerdictStore, judged_by

RULE, OTHER_RULE = "hqms_05_total_positive", "hqms_02_stay_days"
DAY = date(2026, 5, 1)


def override(**changes: Any) -> Override:
    facts = {
        "rule_id": RULE,
        "decided_by": "甲",
        "confirmed_by": "乙",
        "reason": "接口切换，补报中",
        "decided_on": DAY,
        "expires_on": date(2026, 6, 1),
    }
    return Override.model_validate(facts | changes)


def threshold(share: str, **changes: Any) -> ThresholdChange:
    facts = {"rule_id": RULE, "threshold": share, "owner": "信息中心", "reason": "试点", "decided_on": DAY}
    return ThresholdChange.model_validate(facts | changes)


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"confirmed_by": "甲 "}, "两个不同的人"),
        ({"confirmed_by": " "}, "两个不同的人"),
        ({"reason": " "}, "理由"),
        ({"expires_on": date(2026, 4, 30)}, "截止日"),
        ({"expires_on": date(2027, 5, 3)}, "截止日"),
        ({"month": "2026-13"}, "month"),
    ],
)
def test_an_override_needs_two_names_a_reason_and_an_end(changes: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValidationError, match=fault):
        override(**changes)


def test_decisions_are_appended_and_hold_from_their_day_until_their_end(tmp_path: Path) -> None:
    log, rules = DecisionLog(tmp_path / "gate" / "decisions.jsonl"), load_rules(RULES)
    assert log.in_force(DAY) == NO_DECISIONS
    for decision in (override(), threshold("0.02"), threshold("0.03", decided_on=date(2026, 5, 20))):
        before = log.file.read_bytes() if log.file.exists() else b""
        log.record(decision, rules)
        assert log.file.read_bytes().startswith(before)
    assert log.in_force(date(2026, 4, 30)) == NO_DECISIONS
    assert log.in_force(DAY) == Decisions(thresholds=(threshold("0.02"),), overrides=(override(),))
    assert [change.threshold for change in log.in_force(date(2026, 6, 2)).thresholds] == [Decimal("0.03")]
    assert log.in_force(date(2026, 6, 1)).overrides and not log.in_force(date(2026, 6, 2)).overrides


def test_nothing_is_decided_about_a_rule_that_nobody_knows(tmp_path: Path) -> None:
    log = DecisionLog(tmp_path / "decisions.jsonl")
    with pytest.raises(DecisionRefused, match="没有规则 hqms_99"):
        log.record(override(rule_id="hqms_99"), load_rules(RULES))
    assert not log.file.exists()


@pytest.mark.parametrize(("text", "share"), [("0.02", "0.02"), ("2%", "0.02"), ("2.5％", "0.025")])
def test_shares_are_written_as_people_write_them(text: str, share: str) -> None:
    assert share_of(text) == Decimal(share)
    with pytest.raises(DecisionRefused, match="阈值应写作"):
        share_of("二")


FAILING = f"update fct_dq_result set violated = 50 where rule_id = '{RULE}'"


def closed_and_let_through(folder: Path, decisions: Decisions, *changes: str) -> tuple[str, Status, bool]:
    verdict = judge(judged_folder(folder, *changes), decisions=decisions)
    [result] = [result for result in verdict.results if result.id == RULE]
    return verdict.gate, result.status, result.is_let_through


def test_a_regional_override_opens_the_gate_and_is_told(tmp_path: Path) -> None:
    assert closed_and_let_through(tmp_path / "a", NO_DECISIONS, FAILING) == ("closed", Status.FAILED, False)
    let_through = Decisions(overrides=(override(),))
    assert closed_and_let_through(tmp_path / "b", let_through, FAILING) == ("open", Status.FAILED, True)
    assert "甲 决定、乙 复核" in let_through.sentences()[0] and "接口切换，补报中" in let_through.sentences()[0]
    # one hospital's override is about what is held back, not about the region
    one = Decisions(overrides=(override(organisation_id="H1"),))
    assert closed_and_let_through(tmp_path / "c", one, FAILING) == ("closed", Status.FAILED, False)
    other = Decisions(overrides=(override(rule_id=OTHER_RULE),))
    assert closed_and_let_through(tmp_path / "d", other, FAILING) == ("closed", Status.FAILED, False)


def test_what_could_not_be_judged_cannot_be_let_through(tmp_path: Path) -> None:
    let_through = Decisions(overrides=(override(),))
    missing = f"delete from fct_dq_result where rule_id = '{RULE}'"
    assert closed_and_let_through(tmp_path, let_through, missing) == ("closed", Status.ERROR, False)


def test_a_threshold_counts_only_if_the_counts_were_made_with_it(tmp_path: Path) -> None:
    changed = Decisions(thresholds=(threshold("0.1"),))
    counted = f"update fct_dq_result set threshold = 0.1 where rule_id = '{RULE}'"
    assert closed_and_let_through(tmp_path / "a", changed, FAILING, counted) == ("open", Status.PASSED, False)
    assert closed_and_let_through(tmp_path / "b", changed, FAILING) == ("closed", Status.ERROR, False)


def test_a_verdict_opens_only_under_the_decisions_it_was_made_under(tmp_path: Path) -> None:
    marts, decisions = judged_folder(tmp_path / "marts", FAILING), Decisions(overrides=(override(),))
    store = VerdictStore(tmp_path / "verdicts")
    store.save(judge(marts, decisions=decisions))
    judged = content_hash(marts)
    assert store.load(judged) is None  # the override has ended: nothing was judged without it
    found = store.load(judged, judged_by(decisions=decisions))
    assert found is not None and found.is_open and found.decisions == decisions


def test_a_verdict_cannot_claim_an_override_that_nobody_took(tmp_path: Path) -> None:
    verdict = judge(judged_folder(tmp_path, FAILING), decisions=Decisions(overrides=(override(),)))
    forged = verdict.model_dump(mode="json") | {"decisions": NO_DECISIONS.model_dump(mode="json")}
    with pytest.raises(ValidationError, match="改动过"):
        Verdict.model_validate(forged)
