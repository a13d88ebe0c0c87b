"""Scheme packages: every kind of fault is found, at its row, and told with its remedy; a clean one has none."""

from __future__ import annotations

import copy
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from sources.scheme.checks import _REFERENCES, _RULES, find_faults
from sources.scheme.package import Fault, SchemeProblem, open_package
from tests.support.scheme import small_package, write_package

Tables = dict[str, list[dict[str, str]]]
Change = Callable[[Tables], object]


def faults_of(path: Path) -> list[Fault]:
    with open_package(path) as package:
        return find_faults(package)


def faults_after(folder: Path, change: Change) -> list[Fault]:
    """What is found in the small package once something in it was changed."""
    tables = copy.deepcopy(small_package())
    change(tables)
    return faults_of(write_package(folder / "package", tables))


def put(table: str, row: int, **cells: str) -> Change:
    """Change cells of a row, counted as a spreadsheet does: 2 is the first below the header."""
    return lambda tables: tables[table][row - 2].update(cells)


def add(table: str, **cells: str) -> Change:
    return lambda tables: tables.setdefault(table, []).append(cells)


def drop(table: str, row: int) -> Change:
    return lambda tables: tables[table].pop(row - 2)


def clear(table: str) -> Change:
    return lambda tables: tables[table].clear()


def both(*changes: Change) -> Change:
    return lambda tables: [change(tables) for change in changes]


def edition_codes(*codes: str) -> Change:
    """`edition_code.csv` with these diagnoses and the package's procedures."""
    rows = [("diagnosis", code) for code in codes] + [("procedure", "36.0601"), ("procedure", "54.1100")]
    return both(*(add("edition_code", kind=kind, code=code) for kind, code in rows))


def crosswalk(*pairs: str) -> Change:
    """`code_map.csv` to the package's diagnosis edition: `old>new`."""
    rows = [pair.split(">") for pair in pairs]
    return both(
        *(
            add("code_map", kind="diagnosis", from_edition="D0", from_code=old, to_edition="D1", to_code=new)
            for old, new in rows
        )
    )


ALL_DIAGNOSES = ("I21.001", "I10.x00", "S06.000", "S27.000", "J96.900", "E11.900")

# the change, and what is said; other faults may follow from the same change
ERRORS: list[tuple[Change, str]] = [
    # cells
    (put("mdc", 3, name_zh=""), "mdc.csv 第 3 行 name_zh：必填项为空。请填写。"),
    (put("mdc", 2, priority="1.5"), "mdc.csv 第 2 行 priority：应为不带符号的整数（1.5）。请改正。"),
    (put("mdc", 2, sex="男"), "mdc.csv 第 2 行 sex：只能是 1、2（男）。请改正。"),
    (
        put("mdc", 2, requires_valid_procedure="也许"),
        "mdc.csv 第 2 行 requires_valid_procedure：应为 1 或 0（也许）。请改正。",
    ),
    (put("adrg", 2, kind="手术"), "adrg.csv 第 2 行 kind：只能是 surgical、procedure、medical（手术）。请改正。"),
    (put("drg", 2, severity="MCC"), "drg.csv 第 2 行 severity：只能是 mcc、cc、none、any（MCC）。请改正。"),
    (
        put("adrg_condition", 2, role="procedure"),
        "adrg_condition.csv 第 2 行 role：只能是 principal_diagnosis、any_diagnosis、principal_procedure、"
        "any_procedure、any_valid_procedure、first_valid_procedure、no_valid_procedure、none（procedure）。请改正。",
    ),
    (put("adrg_condition", 2, alternative="0"), "adrg_condition.csv 第 2 行 alternative：应不小于 1（0）。请改正。"),
    (
        put("adrg_condition", 2, age_days_max="367"),
        "adrg_condition.csv 第 2 行 age_days_max：应不大于 366（367）。请改正，或清空以不设上下限。",
    ),
    (
        put("scheme", 2, effective_from="2022/1/1"),
        "scheme.csv 第 2 行 effective_from：应为 YYYY-MM-DD 的日期（2022/1/1）。请改正。",
    ),
    (
        put("scheme", 2, effective_to="2022-02-30"),
        "scheme.csv 第 2 行 effective_to：应为 YYYY-MM-DD 的日期（2022-02-30）。请改正。",
    ),
    (
        put("scheme", 2, edition="1.0-试行"),
        "scheme.csv 第 2 行 edition：只能用字母、数字、点和下划线，以字母或数字开头（1.0-试行）。请改正。",
    ),
    (
        add("weight", drg="FM19", weight="1,2"),
        "weight.csv 第 2 行 weight：应为十进制数，至多八位小数（1,2）。请改正。",
    ),
    # keys
    (add("mdc", mdc="F", name_zh="又一个", priority="9"), "mdc.csv 第 2、4 行 mdc：重复（F）。请只留一行。"),
    (add("mcc", code="J96.900"), "mcc.csv 第 2、3 行 code：重复（J96.900）。请只留一行。"),
    (
        both(*(add("weight", drg="FM19", weight="1") for _ in range(2))),
        "weight.csv 第 2、3 行 drg：重复（FM19）。请只留一行。",
    ),
    (
        both(edition_codes(*ALL_DIAGNOSES, "I10.x00")),
        "edition_code.csv 第 3、8 行 kind, code：重复（diagnosis I10.x00）。请只留一行。",
    ),
    # references
    (
        put("mdc_diagnosis", 2, mdc="Q"),
        "mdc_diagnosis.csv 第 2 行 mdc：不在 mdc.csv 中（Q）。请改正，或在 mdc.csv 补上。",
    ),
    (put("adrg", 2, mdc="Q"), "adrg.csv 第 2 行 mdc：不在 mdc.csv 中（Q）。请改正，或在 mdc.csv 补上。"),
    (
        put("adrg_condition", 5, adrg="ZB2"),
        "adrg_condition.csv 第 5 行 adrg：不在 adrg.csv 中（ZB2）。请改正，或在 adrg.csv 补上。",
    ),
    (
        put("adrg_condition", 2, list_id="PP"),
        "adrg_condition.csv 第 2 行 list_id：不在 code_list.csv 中（PP）。请改正，或在 code_list.csv 补上。",
    ),
    (put("drg", 2, adrg="FM2"), "drg.csv 第 2 行 adrg：不在 adrg.csv 中（FM2）。请改正，或在 adrg.csv 补上。"),
    (
        add("weight", drg="FM18", weight="1"),
        "weight.csv 第 2 行 drg：不在 drg.csv 中（FM18）。请改正，或在 drg.csv 补上。",
    ),
    # what would leave the grouping undecided or a group without cases
    (clear("scheme"), "scheme.csv：应恰有一行（0）。一个方案包是一个版本，请分开存放。"),
    (
        put("scheme", 2, effective_to="2022-01-01"),
        "scheme.csv 第 2 行 effective_to：失效日期不晚于生效日期（2022-01-01）。"
        "失效日期是不再使用的第一天，请改正或留空。",
    ),
    (clear("mdc"), "mdc.csv：没有数据行。请补上。"),
    (clear("adrg"), "adrg.csv：没有数据行。请补上。"),
    (clear("drg"), "drg.csv：没有数据行。请补上。"),
    (
        put("mdc", 3, priority="1"),
        "mdc.csv 第 2、3 行 priority：优先级相同，先后不定（1）。请给每个 MDC 不同的优先级。",
    ),
    (
        put("adrg", 3, priority="1"),
        "adrg.csv 第 2、3 行 priority：同一 MDC 内优先级相同，先后不定（F 1）。请给每个 ADRG 不同的优先级。",
    ),
    (
        drop("adrg_condition", 5),
        "adrg.csv 第 4 行 adrg：没有任何入组条件，永远不会入组（ZB1）。请在 adrg_condition.csv 补上。",
    ),
    (drop("drg", 2), "adrg.csv 第 2 行 adrg：没有 DRG，其病例全部不能入组（FM1）。请在 drg.csv 补上。"),
    (
        put("adrg_condition", 2, list_id=""),
        "adrg_condition.csv 第 2 行 list_id：此 role 须有列表（any_procedure）。请填写 list_id。",
    ),
    (
        put("adrg_condition", 5, list_id="P"),
        "adrg_condition.csv 第 5 行 list_id：此 role 不用列表（first_valid_procedure）。请清空 list_id，或改正 role。",
    ),
    (
        put("adrg_condition", 4, weight_g_min="2500"),
        "adrg_condition.csv 第 4 行 weight_g_below：体重上限不大于下限，永远不成立（2500）。请改正；下限含，上限不含。",
    ),
    (
        put("drg", 4, severity="mcc"),
        "drg.csv 第 3、4 行 severity：同一 ADRG 的同一严重程度有多个 DRG（FR1 mcc）。请只留一个。",
    ),
    (
        add("drg", drg="FR19", adrg="FR1", name_zh="心梗", severity="any"),
        "drg.csv 第 7 行 severity：any 永远轮不到：cc 和 none 已包括全部病例（FR1）。请删去，或改正 severity。",
    ),
    (add("weight", drg="FM19", weight="0"), "weight.csv 第 2 行 weight：权重应大于零（0.00000000）。请改正。"),
    (
        crosswalk("I21.0>I21.001", "I21.0>I10.x00", "I10>I10.x00"),
        "code_map.csv 第 2、3 行 from_code：一个旧代码对应多个新代码（diagnosis I21.0）。"
        "请只留一个；多对一可以，一对多不可以。",
    ),
    (
        add("edition_code", kind="procedure", code="36.0601"),
        "edition_code.csv kind：缺少这一类编码（diagnosis）。请列出两个编码版本的全部编码，或不交此文件。",
    ),
]

WARNINGS: list[tuple[Change, str]] = [
    (
        put("mcc", 2, code="j96.900"),
        "mcc.csv 第 2 行 code：编码写法与病案首页不同，永远不会匹配（j96.900）。"
        "请用大写字母和小写 x，不含空格和全角字符，如 I10.x00。",
    ),
    (
        drop("drg", 4),
        "drg.csv 第 3 行 severity：严重程度有缺口，落在其中的病例不能入组（FR1 缺 cc）。请确认是否有意。",
    ),
    (
        add("mdc", mdc="Y", name_zh="空", priority="3"),
        "mdc.csv 第 4 行 mdc：没有 ADRG（Y）。请确认是否漏了。",
    ),
    (
        put("mdc", 3, min_body_regions="3"),
        "mdc.csv 第 3 行 min_body_regions：mdc_diagnosis.csv 中此 MDC 的部位不够多，永远不会进入（Z）。"
        "请补上 body_region，或改正。",
    ),
    (
        put("code_list", 2, code=""),
        "code_list.csv 第 2 行 list_id：列表没有成员，用到它的条件永远不成立（P）。请确认是否有意。",
    ),
    (
        add("code_list", list_id="X", code="36.0601"),
        "code_list.csv 第 4 行 list_id：没有条件用到此列表（X）。请确认是否漏了条件。",
    ),
    (
        put("code_list", 3, code="S06.000"),
        "adrg_condition.csv 第 3 行 list_id：列表中没有一个诊断能进入此 ADRG 的 MDC，此组条件永远不成立"
        "（FR1 第 1 组）。请核对列表或 MDC。",
    ),
    (
        add("cc", code="J96.900"),
        "cc.csv 第 3 行 code：同时在 mcc.csv 中，两行各自计算（J96.900）。请确认是否有意。",
    ),
    (
        put("mcc", 2, exclusion_table="T2"),
        "mcc.csv 第 2 行 exclusion_table：排除表在 exclusion.csv 中没有内容，永远不会排除（T2）。请补上，或清空。",
    ),
    (
        put("cc", 2, exclusion_table="T2"),
        "cc.csv 第 2 行 exclusion_table：排除表在 exclusion.csv 中没有内容，永远不会排除（T2）。请补上，或清空。",
    ),
    (
        put("exclusion", 2, exclusion_table="T2"),
        "exclusion.csv 第 2 行 exclusion_table：mcc.csv 和 cc.csv 都没有用到此排除表（T2）。请核对表号。",
    ),
    (
        put("exclusion", 2, principal_code="I11.900"),
        "exclusion.csv 第 2 行 principal_code：此主要诊断不能进入任何 MDC，永远不会用到（I11.900）。请核对编码。",
    ),
    (
        add("code_map", kind="diagnosis", from_edition="D0", from_code="I1", to_edition="D2", to_code="I10"),
        "code_map.csv 第 2 行 to_edition：不是本方案的编码版本，此行不会用到（D2）。请核对版本名称。",
    ),
    (
        crosswalk("I10.x00>I21.001"),
        "code_map.csv 第 2 行 from_code：方案已认识此代码，不会再对照（I10.x00）。请确认是否有意。",
    ),
    (
        both(edition_codes(*ALL_DIAGNOSES), add("code_list", list_id="P", code="54.1101")),
        "code_list.csv 第 4 行 code：列表中的手术操作不在 valid_procedure.csv 中（54.1101）。"
        "请确认是否有意：它能符合条件，却不算有效手术操作。",
    ),
]


def outside(where: str, word: str = "诊断", code: str = "I11.900") -> str:
    return (
        f"{where}：不在本方案{word}编码版本（edition_code.csv）中（{code}）。请核对编码的版本；病案里不会有这样的编码。"
    )


# where the package brings edition_code.csv without these codes
OUTSIDE: list[tuple[Change, str]] = [
    (put("mdc_diagnosis", 3, code="I11.900"), outside("mdc_diagnosis.csv 第 3 行 code")),
    (add("code_list", list_id="D", code="I11.900"), outside("code_list.csv 第 4 行 code")),
    (add("mcc", code="I11.900"), outside("mcc.csv 第 3 行 code")),
    (add("cc", code="I11.900"), outside("cc.csv 第 3 行 code")),
    (add("exclusion", principal_code="I11.900", exclusion_table="T1"), outside("exclusion.csv 第 3 行 principal_code")),
    (crosswalk("I11>I11.900"), outside("code_map.csv 第 2 行 to_code")),
    (add("valid_procedure", code="54.1101"), outside("valid_procedure.csv 第 4 行 code", "手术操作", "54.1101")),
    (add("code_list", list_id="P", code="54.1101"), outside("code_list.csv 第 4 行 code", "手术操作", "54.1101")),
    (
        add("code_map", kind="procedure", from_edition="P0", from_code="54", to_edition="P1", to_code="54.1101"),
        outside("code_map.csv 第 2 行 to_code", "手术操作", "54.1101"),
    ),
]


def shadow(**first: str) -> Change:
    """FR1 asks for the procedure of FM1 too; FM1, which comes first, is changed by the caller."""
    return both(
        drop("adrg_condition", 4),
        put("adrg_condition", 3, role="any_procedure", list_id="P2"),
        put("adrg_condition", 2, **first),
        add("code_list", list_id="P2", code="36.0601"),
        drop("code_list", 3),
    )


SHADOWED = (
    "adrg.csv 第 3 行 adrg：凡符合其条件的病例都先归入同一 MDC 的另一 ADRG（FR1 被 FM1 挡住）。请核对优先级和列表。"
)


def test_the_small_package_has_no_fault(tmp_path: Path) -> None:
    assert faults_after(tmp_path, lambda tables: None) == []
    assert faults_after(tmp_path, edition_codes(*ALL_DIAGNOSES)) == []


@pytest.mark.parametrize(("change", "said"), ERRORS, ids=[said for _, said in ERRORS])
def test_error(tmp_path: Path, change: Change, said: str) -> None:
    assert said in [str(fault) for fault in faults_after(tmp_path, change) if fault.level == "error"]


@pytest.mark.parametrize(("change", "said"), WARNINGS, ids=[said for _, said in WARNINGS])
def test_warning(tmp_path: Path, change: Change, said: str) -> None:
    faults = faults_after(tmp_path, change)
    assert [str(fault) for fault in faults if fault.level == "error"] == []
    assert said in [str(fault) for fault in faults]


@pytest.mark.parametrize(("change", "said"), OUTSIDE, ids=[said for _, said in OUTSIDE])
def test_code_outside_the_edition(tmp_path: Path, change: Change, said: str) -> None:
    assert said in map(str, faults_after(tmp_path, both(edition_codes(*ALL_DIAGNOSES), change)))


def test_no_code_is_outside_where_the_package_does_not_list_them(tmp_path: Path) -> None:
    said = map(str, faults_after(tmp_path, both(*(change for change, _ in OUTSIDE))))
    assert not [text for text in said if "edition_code" in text]


def test_every_rule_is_tested_here() -> None:
    said = [text for _, text in (*ERRORS, *WARNINGS, *OUTSIDE)] + [SHADOWED]
    for check in (*_REFERENCES, *_RULES):
        assert [
            text for text in said if text.startswith(f"{check.table}.csv") and f"{check.field}：{check.fault}" in text
        ]


# --------------------------------------------------------------------------------------------------- what shadows what


@pytest.mark.parametrize(
    ("change", "is_shadowed"),
    [
        (shadow(), True),
        (both(shadow(), add("code_list", list_id="P", code="54.1100")), True),  # the earlier list is wider
        (both(shadow(), add("code_list", list_id="P2", code="54.1100")), False),  # the later one is
        (shadow(weight_g_below="2500"), False),
        (shadow(age_days_max="28"), False),
        (shadow(role="principal_procedure"), False),  # the later one asks for less
        (shadow(role="none", list_id=""), True),
        (both(shadow(), put("adrg_condition", 3, role="principal_procedure")), True),
        (both(shadow(), put("adrg", 2, priority="3")), False),  # FM1 comes later
        (both(shadow(), put("adrg", 3, mdc="Z", priority="9")), False),  # in another MDC
        (both(shadow(), add("adrg_condition", adrg="FM1", alternative="1", role="no_valid_procedure")), False),
        (both(shadow(), add("adrg_condition", adrg="FR1", alternative="2", role="no_valid_procedure")), False),
        (both(shadow(), add("adrg_condition", adrg="FR1", alternative="1", role="no_valid_procedure")), True),
    ],
)
def test_adrg_behind_one_that_takes_all_its_cases(tmp_path: Path, change: Change, is_shadowed: bool) -> None:
    assert (SHADOWED in map(str, faults_after(tmp_path, change))) == is_shadowed


# ------------------------------------------------------------------------------------------------ what must not be said


@pytest.mark.parametrize(
    "change",
    [
        # members may repeat, and many old codes may become one
        add("code_list", list_id="P", code="36.0601"),
        add("valid_procedure", code="36.0601"),
        add("exclusion", principal_code="I10.x00", exclusion_table="T1"),
        crosswalk("I10>I10.x00", "I10.x>I10.x00", "I10>I10.x00"),
        # a scheme may do without lists, and without procedures
        both(
            *(clear(table) for table in ("code_list", "valid_procedure", "mcc", "cc", "exclusion")),
            *(put("adrg_condition", row, role="none", list_id="", age_days_max=str(row)) for row in (2, 3)),
        ),
        # any beside mcc fills what would be a gap
        both(drop("drg", 5), put("drg", 4, severity="any")),
        both(add("mdc", mdc="A", name_zh="先期", priority="0"), put("adrg", 4, mdc="A")),
    ],
)
def test_what_an_owner_may_do(tmp_path: Path, change: Change) -> None:
    said = [text for text in map(str, faults_after(tmp_path, change)) if "mdc：没有 ADRG" not in text]
    assert said == []


def test_all_faults_at_once_errors_first_in_the_order_of_the_files(tmp_path: Path) -> None:
    change = both(put("mcc", 2, exclusion_table="T9"), put("mdc", 2, sex="男"), put("drg", 2, severity="中"))
    assert [(fault.level, fault.file) for fault in faults_after(tmp_path, change)] == [
        ("error", "mdc.csv"),
        ("error", "drg.csv"),
        ("warning", "mcc.csv"),
        ("warning", "exclusion.csv"),
    ]


def test_many_rows_of_one_fault_are_one_line(tmp_path: Path) -> None:
    change = both(*(add("mdc_diagnosis", mdc=f"Q{n}", code="I10.x00") for n in range(7)))
    (fault,) = faults_after(tmp_path, change)
    assert fault.rows == tuple(range(6, 13)) and len(fault.values) == 7
    assert str(fault) == (
        "mdc_diagnosis.csv 第 6、7、8、9、10 等 7 行 mdc：不在 mdc.csv 中（Q0、Q1、Q2、Q3、Q4……）。"
        "请改正，或在 mdc.csv 补上。"
    )


# ------------------------------------------------------------------------------------------------ files and their form


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    assert faults_of(write_package(tmp_path, small_package(), encoding=encoding)) == []


def test_what_a_spreadsheet_adds_does_no_harm(tmp_path: Path) -> None:
    folder = write_package(tmp_path, small_package())
    text = (folder / "mcc.csv").read_text(encoding="utf-8")
    (folder / "mcc.csv").write_bytes(text.replace("J96.900", '" J96.900　"').replace("\n", "\r\n").encode() + b",\r\n")
    (folder / "说明.txt").write_text("not a table", encoding="utf-8")
    (folder / "._mcc.csv").write_bytes(b"\0")
    with open_package(folder) as package:
        assert find_faults(package) == []
        assert package.con.execute("select code from mcc").fetchall() == [("J96.900",)]


def test_rows_are_counted_as_a_spreadsheet_shows_them(tmp_path: Path) -> None:
    folder = write_package(tmp_path, small_package())
    lines = (folder / "mdc.csv").read_text(encoding="utf-8").splitlines()
    lines[1] = lines[1].replace("循环系统", '"循环\n系统"')
    (folder / "mdc.csv").write_text("\n".join([lines[0], "", lines[1], lines[2].replace("Z", "Z,")]), encoding="utf-8")
    assert [str(fault) for fault in faults_of(folder)] == [
        "mdc.csv 第 4 行：列数不是表头的 8 列。请补齐或删去多余的逗号。"
    ]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("mcc.csv", b"", "mcc.csv code：缺少此列。请补上此列。"),
        ("mcc.csv", b"code,exclusion_table,note\n", "mcc.csv note：多出的列。请删去此列或改正列名。"),
        ("mcc.csv", b"code,exclusion_table,\n", "mcc.csv （无列名）：多出的列。请删去此列或改正列名。"),
        ("mcc.csv", b"code,code,exclusion_table\n", "mcc.csv code：此列出现多次。请只留一列。"),
        ("mcc.csv", b"Code,exclusion_table\n", "mcc.csv code：缺少此列。请补上此列。"),
        ("mcc.csv", b'code,exclusion_table\nA,\n"B,\n', "mcc.csv 第 3 行：引号没有闭合。请改正引号。"),
        (
            "mcc.csv",
            "code,exclusion_table\nA,\n病,\n".encode() + b"\xff\xff,\n" + "案,\n".encode() * 20,
            "mcc.csv 第 4 行：不能按 utf-8 解码。请整份以 UTF-8 重新导出。",
        ),
        (
            "mcc.csv",
            "code,exclusion_table\n".encode("utf-16"),
            "mcc.csv：文件是 UTF-16 或含二进制内容，无法识别。请导出为 UTF-8 或 GB18030 的 CSV。请以 UTF-8 重新导出。",
        ),
        ("mccs.csv", b"code\n", "mccs.csv：不是方案包的文件。请核对文件名，或移出文件夹。"),
    ],
)
def test_a_file_that_is_not_as_the_format_says(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    folder = write_package(tmp_path, small_package())
    (folder / name).write_bytes(content)
    assert said in map(str, faults_of(folder))


def test_missing_file_is_named_with_its_header_and_nothing_else_is_judged(tmp_path: Path) -> None:
    folder = write_package(tmp_path, small_package())
    (folder / "mdc.csv").unlink()
    (fault,) = faults_of(folder)
    assert str(fault) == (
        "mdc.csv：缺少此文件。请补上，表头为 mdc,name_zh,priority,sex,age_days_max,age_years_max,min_body_regions,"
        "requires_valid_procedure。"
    )


def zipped(path: Path, folder: Path, *, below: str = "") -> Path:
    with zipfile.ZipFile(path, "a") as archive:
        for file in folder.iterdir():
            archive.write(file, f"{below}{file.name}")
    return path


def test_zip_of_a_folder(tmp_path: Path) -> None:
    folder = write_package(tmp_path / "package", small_package())
    path = zipped(tmp_path / "package.zip", folder, below="package/")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("__MACOSX/package/._mdc.csv", b"\0")
    assert faults_of(path) == []
    with pytest.raises(SchemeProblem, match="多个文件夹"):
        faults_of(zipped(path, folder, below="other/"))


@pytest.mark.parametrize("content", [b"PK\x03\x04 cut short", b""])
def test_broken_zip(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "package.zip").write_bytes(content)
    with pytest.raises(SchemeProblem, match="损坏"):
        faults_of(tmp_path / "package.zip")


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(SchemeProblem, match="不是文件夹"):
        faults_of(tmp_path / "nowhere")
