"""A certificate of three hospitals, small enough to read, whose every number says whose it is.

Hospital A lies in one city, B and C in another. A's counts begin with 11, B's with 22, C's with 33, and so do the
pseudonyms of their cases: whatever of B is found in an answer to A is found by its digits.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
from certificates import Clock, public_key

from expectations.content import sha256_file
from publishing.certificates.gate_statement import TESTED
from publishing.certificates.keyring import KEYRING, Role
from publishing.certificates.keys import load_key, new_key
from publishing.certificates.lifecycle import DRAFTS, Act, Office
from publishing.certificates.names import CertificateName
from publishing.certificates.register import Event, following
from publishing.manifest import DATAPACKAGE, VERDICT, canonical, digests

A, B, C = "HOSPITAL-A", "HOSPITAL-B", "HOSPITAL-C"
MARK = {A: "11", B: "22", C: "33"}
CERTIFICATE = "CERT-national_2021-all-2022-2024-r1"
SPECIALTY, INDICATOR = "0401", "cmi"
CASES = 120
PASSPHRASE = "only for tests"

_EVERYONE = {"dim_window", "dim_specialty", "dim_indicator", "dim_programme", "dim_programme_item"}
_VALUES = """
    select h.hospital_id, '0401' as specialty_code, 'department' as attribution, w.window_id, 'cmi' as indicator_id,
        (h.mark || '00' || w.code)::decimal(28, 8) as numerator,
        (h.mark || '77' || w.code)::decimal(28, 8) as denominator,
        (h.mark || '.1234' || w.code)::decimal(24, 8) as value, 1::decimal(24, 8) as benchmark,
        (h.mark || '55' || w.code)::bigint as case_count, 'valued' as status,
        null::varchar as status_reason, 'A' as fitness
    from (
        values ('HOSPITAL-A', '11'), ('HOSPITAL-B', '22'), ('HOSPITAL-C', '33'), ('REGION', '99')
    ) as h (hospital_id, mark),
    (values ('2022', '2'), ('2023', '3'), ('2024', '4'), ('2022-2024', '9')) as w (window_id, code)
"""
_TABLES = {
    "dim_window": "select * from (values ('2022-2024', 3), ('2022', 1), ('2023', 1), ('2024', 1)) t (window_id, years)",
    "dim_hospital": """
        select * from (values
            ('HOSPITAL-A', '甲医院', '3', '990102', '岫宁市', false),
            ('HOSPITAL-B', '乙医院', '3', '990202', '栖岚市', false),
            ('HOSPITAL-C', '丙医院', '2', '990221', '栖岚市', false), ('REGION', '云岫省', null, '990000', null, true)
        ) t (hospital_id, name_zh, level, division, city_name, is_region)
    """,
    "dim_specialty": "select * from (values ('0401', '普通外科'), ('0310', '心血管内科')) t (specialty_code, name_zh)",
    "dim_programme": """
        select 'national_2021' as programme_id, 'national' as tier, 1 as serial, '国家临床重点专科' as title_zh,
            '国家项目' as tier_zh, '通知' as document_zh, '暂定' as note_zh, 'department' as attribution
    """,
    "dim_indicator": """
        select 'cmi' as indicator_id, 2 as serial, '病例组合指数（CMI）' as name_zh, '权重' as unit, 4 as decimals,
            'drg_weight_sum' as numerator_measure, 'grouped_count' as denominator_measure,
            'higher' as direction, '定义' as definition_zh, '条' as clause, null::varchar as pitfalls_zh,
            true as is_provisional
    """,
    "dim_programme_item": """
        select 'national_2021' as programme_id, 'N-1' as item_id, 1 as serial_no, 'data' as part, '质量' as group_zh,
            'CMI' as title_zh, 'cmi' as indicator_id, '权重' as unit, true as is_provisional
    """,
    "fct_indicator": _VALUES,
    "fct_item": f"""
        select 'national_2021' as programme_id, 'national' as tier, window_id, hospital_id, specialty_code,
            'N-1' as item_id, value, null::varchar as choice, numerator, denominator, '2022-2024' as data_window,
            50::decimal(12, 8) as scale_score, 40 as weight, status, status_reason
        from ({_VALUES}) where hospital_id <> 'REGION' and window_id = '2022-2024'
    """,
    "fct_score": """
        select 'national_2021' as programme_id, 'national' as tier, '2022-2024' as window_id, hospital_id,
            '0401' as specialty_code, level, 'total' as group_id, '总分' as group_zh, 'data' as part,
            score::decimal(12, 8) as score, 0.5::decimal(9, 8) as coverage, place::integer as rank,
            if(place is null, '覆盖率不足', null) as rank_reason
        from (values ('HOSPITAL-A', 71.5, 2), ('HOSPITAL-B', 82.25, 1), ('HOSPITAL-C', null, null))
            as t (hospital_id, score, place),
            (values ('total'), ('part')) l (level)
    """,
    "fct_rank_stability": """
        select 'national_2021' as programme_id, 'national' as tier, '2022-2024' as window_id, hospital_id,
            '0401' as specialty_code, 1 as rank_5, 2 as rank_95
        from (values ('HOSPITAL-A'), ('HOSPITAL-B')) t (hospital_id)
    """,
    "fct_selection": """
        select 'national_2021' as programme_id, 'national' as tier, '2022-2024' as window_id, hospital_id,
            '0401' as specialty_code, 'not_eligible' as decision, '理由' || mark || '号' as decision_reason
        from (values ('HOSPITAL-A', '11'), ('HOSPITAL-B', '22'), ('HOSPITAL-C', '33')) t (hospital_id, mark)
    """,
    # without an organisation and without a word that it is open: closed to whoever does not see everything
    "fct_quota": "select 'rule' as rule_id, 2200 as actual",
}
_CASES = f"""
    select hospital_id, '0401' as specialty_code, 'p' || mark || lpad(n::varchar, 6, '0') as case_key,
        date '2023-05-01' as discharge_date, 'ab12cd34ef56' as source_id,
        n::bigint as source_row, '入组病例' as facts_zh,
        if(n % 2 = 0, 1, 0)::decimal(28, 12) as drg_weight_sum, 1::decimal(28, 12) as grouped_count
    from (values ('HOSPITAL-A', '11'), ('HOSPITAL-B', '22'), ('HOSPITAL-C', '33')) t (hospital_id, mark),
        range({CASES}) as r (n)
"""


def write_certificate(certified: Path, name: str = CERTIFICATE) -> Path:
    """Write the bundle and, beside it, its case lists; have it previewed, signed by two and issued."""
    folder, cases = certified / DRAFTS / name, certified / f"{name}.cases"
    (folder / "data").mkdir(parents=True)
    cases.mkdir()
    resources: list[dict[str, Any]] = []
    with duckdb.connect() as connection:
        connection.execute(f"copy ({_CASES}) to '{cases / 'cases.parquet'}' (format parquet)")
        for mart, query in _TABLES.items():
            path = f"data/{mart}.parquet"
            connection.execute(f"copy ({query}) to '{folder / path}' (format parquet)")
            columns = connection.read_parquet(str(folder / path)).columns
            resources.append(
                {"name": mart, "title": "数据表", "path": path, "mediatype": "application/vnd.apache.parquet"}
                | {"schema": {"fields": [{"name": column} for column in columns]}}
                | ({"access": "everyone"} if mart in _EVERYONE else {})
                | digests(folder / path)
            )
    verdict = folder / "evidence" / VERDICT
    verdict.parent.mkdir()
    verdict.write_bytes(canonical({"judged_hash": "0" * 64, "judged_by": "1" * 64, "results": []}))
    (folder / TESTED).write_text("{}", encoding="utf-8")
    (folder / "README.txt").write_text("阅读说明\n", encoding="utf-8")
    (folder / "public").mkdir()
    (folder / "public" / "README.txt").write_text("公开版\n", encoding="utf-8")
    companions = {"README.txt": "text/plain", "public/README.txt": "text/plain"}
    companions |= dict.fromkeys((f"evidence/{VERDICT}", TESTED), "application/json")
    for path, kind in companions.items():
        resources.append({"name": path, "title": "说明", "path": path, "mediatype": kind} | digests(folder / path))
    notices = ["虚构数据", f"数据质量 B 级的医院（年度）：{B}（2023）"]
    (folder / DATAPACKAGE).write_bytes(canonical({"id": name, "resources": resources, "notices": notices}))
    return _issue(certified, name)


def _issue(certified: Path, name: str) -> Path:
    clock = Clock()
    office, keys = Office(certified.parent, clock), certified.parent / "keys"
    keys.mkdir(exist_ok=True)
    signers = {person: new_key(keys / f"{name}-{person}.pem", "ed25519", PASSPHRASE) for person in "甲乙丙"}
    keyring = office.keyring
    for person, signer in signers.items():
        keyring = keyring.with_key(public_key(signer, person, Role.REGISTRAR if person == "丙" else Role.SIGNER))
    keyring.write(certified / KEYRING)
    parsed = CertificateName.parse(name)
    facts = {"release": "R1", "datapackage_sha256": sha256_file(certified / DRAFTS / name / DATAPACKAGE)}
    facts |= {"programme_id": parsed.programme_id, "scope": parsed.scope, "window_id": parsed.window_id}
    entries = office.register.entries()
    told = {"at": clock.now, "by": "拟制人", "reason": "年度评价", "facts": facts}
    office.register.append([following(entries, Event.DRAFTED, name, **told)])
    office.preview(name, Act("拟制人", "公示"), days=7, packets=lambda *_: len(MARK))
    clock.pass_days(8)
    for person in "甲乙":
        office.sign(name, signers[person], "核对无误")
    return office.issue(name, signers["丙"], "同意签发")


def revoke_certificate(certified: Path, name: str = CERTIFICATE) -> None:
    """Take it back."""
    signer = load_key(certified.parent / "keys" / f"{name}-丙.pem", PASSPHRASE)
    clock = Clock()
    clock.pass_days(9)
    Office(certified.parent, clock).revoke(name, signer, "输入有误")
