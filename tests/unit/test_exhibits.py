"""What a certificate shows people is made of its own data: forms, report, public edition."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import pytest
from candidate_marts import WINDOW, candidate_marts

from publishing import report
from publishing.certificates.bundle import write_exhibits
from publishing.certificates.names import CertificateName

SMALL = f"""
    update fct_indicator set numerator = {{}}, value = {{}}
    where hospital_id = 'H3' and indicator_id = 'mortality_mid_low_risk' and window_id = '{WINDOW}'"""


def exhibited(certified: Path, revision: int, deaths: int) -> Path:
    folder = certified / f"CERT-national_2021-0304-{WINDOW}-r{revision}"
    candidate_marts(folder / "data", SMALL.format(deaths, deaths / 1000))
    write_exhibits(folder, CertificateName("national_2021", "0304", WINDOW, revision), ["示例提示"])
    return folder


def suppressed(folder: Path) -> dict[str, str]:
    with (folder / "public" / "data" / "suppressed.csv").open(encoding="utf-8-sig", newline="") as file:
        return {row["indicator_id"]: row["reason"] for row in csv.DictReader(file) if row["hospital_id"] == "H3"}


def test_a_later_certificate_does_not_fill_the_gaps_of_an_issued_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report, "write_report", lambda data, target, **_: target.mkdir())
    first = exhibited(tmp_path, 1, 4)
    assert {path.name for path in first.iterdir()} == {"data", "form", "report", "public"}
    assert suppressed(first)["mortality_mid_low_risk"].startswith("人数少于")
    assert suppressed(exhibited(tmp_path, 2, 40))["mortality_mid_low_risk"] == "此前的公开版已隐去"
    for folder in (first, tmp_path / f"CERT-national_2021-0304-{WINDOW}-r2"):
        shutil.rmtree(folder)
    assert "mortality_mid_low_risk" not in suppressed(exhibited(tmp_path, 3, 40))
