"""A certificate from draft to issue, and what each step refuses."""

from __future__ import annotations

from certificates import NAME, Desk

from publishing.certificates.history import Standing


def test_from_draft_to_issue(desk: Desk) -> None:
    folder = desk.issued()
    assert folder == desk.root / "certified" / NAME
    found = desk.verify(folder)
    assert found.faults == []
    assert (found.certificate, found.standing, sorted(found.signed_by)) == (NAME, Standing.ISSUED, ["乙", "甲"])
    assert found.counts
