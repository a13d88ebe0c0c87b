"""What the service answers with: one model per kind of page, read by the API and by the HTML alike.

Belongs here: fields and their Chinese descriptions. Does not belong here: how they are read or shown. Numbers are exact
decimals; in JSON they are texts, because a JSON number is read as a binary fraction.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Status = Literal["issued", "superseded", "revoked"]


class Model(BaseModel):
    """Unknown fields are a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Standing(Model):
    """Where a certificate stands, by the register."""

    status: Status = Field(description="issued 有效，superseded 已被取代，revoked 已撤销")
    at: str | None = Field(default=None, description="取代或撤销的日期")
    by: str | None = Field(default=None, description="由谁取代或撤销")
    reason: str | None = Field(default=None, description="取代或撤销的理由")


class CertificateEntry(Model):
    """A certificate in the catalogue."""

    certificate_id: str = Field(description="证书编号")
    title_zh: str = Field(description="项目名称")
    programme_id: str = Field(description="项目标识")
    scope: str = Field(description="专科范围：all 为全部，或一个专科代码")
    scope_zh: str = Field(description="专科范围")
    window_id: str = Field(description="统计窗口")
    revision: int = Field(description="修订号")
    standing: Standing = Field(description="登记状态")


class Catalogue(Model):
    """All issued certificates."""

    certificates: list[CertificateEntry] = Field(description="证书")


class Tier(Model):
    """A tier of a programme."""

    tier: str = Field(description="层级标识")
    tier_zh: str = Field(description="层级名称")
    document_zh: str | None = Field(description="依据文件")
    note_zh: str | None = Field(description="说明")


class SpecialtyEntry(Model):
    """A specialty that a certificate ranks."""

    specialty_code: str = Field(description="专科代码")
    name_zh: str = Field(description="专科名称")
    ranked_count: int = Field(description="有名次的机构数")
    listed_count: int = Field(description="列出的机构数")


class CertificatePage(Model):
    """What a certificate holds."""

    certificate: CertificateEntry
    notices: list[str] = Field(description="读者须知：放行、阈值调整、暂缓月份等")
    tiers: list[Tier] = Field(description="项目层级")
    specialties: list[SpecialtyEntry] = Field(description="专科")
    sees_all: bool = Field(description="本令牌可见全部机构，可下载整份文件")
    has_cases: bool = Field(description="附有病例清单")


class RankingRow(Model):
    """A hospital in a ranking."""

    hospital_id: str = Field(description="机构代码")
    name_zh: str = Field(description="机构名称")
    level: str | None = Field(description="级别")
    city_name: str | None = Field(description="所在城市")
    score: Decimal | None = Field(description="总分")
    rank: int | None = Field(description="名次")
    rank_reason: str | None = Field(description="无名次的原因")
    coverage: Decimal | None = Field(description="覆盖率：已计分权重占适用权重的比例")
    rank_5: int | None = Field(description="权重扰动下名次的第 5 百分位")
    rank_95: int | None = Field(description="权重扰动下名次的第 95 百分位")
    is_within: bool = Field(description="在本令牌的范围之内，可看明细")


class Ranking(Model):
    """The ranking of a specialty in a tier."""

    tier: Tier
    specialty_code: str = Field(description="专科代码")
    specialty_zh: str = Field(description="专科名称")
    window_id: str = Field(description="统计窗口")
    rows: list[RankingRow] = Field(description="机构，按所求次序")


class GroupScore(Model):
    """The score of a group of items."""

    level: Literal["part", "group"] = Field(description="part 部分、group 一级指标")
    group_zh: str = Field(description="名称")
    score: Decimal | None = Field(description="得分")
    coverage: Decimal | None = Field(description="覆盖率")


class ItemRow(Model):
    """An item of the index as it counts for a hospital."""

    item_id: str = Field(description="条目标识")
    serial_no: int | None = Field(description="序号")
    group_zh: str = Field(description="一级指标")
    title_zh: str = Field(description="条目名称")
    indicator_id: str | None = Field(description="所用指标；申报材料类为空")
    unit: str | None = Field(description="单位")
    decimals: int | None = Field(description="展示小数位")
    value: Decimal | None = Field(description="值")
    choice: str | None = Field(description="等级或选项")
    numerator: Decimal | None = Field(description="分子")
    denominator: Decimal | None = Field(description="分母")
    data_window: str | None = Field(description="数据窗口")
    scale_score: Decimal | None = Field(description="标化得分（0–100）")
    weight: int | None = Field(description="权重")
    status: str = Field(
        description="状态：valued 有值、not_applicable 不适用、not_scored 无法计分、awaiting_dossier 待申报材料"
    )
    status_reason: str | None = Field(description="无值的原因，或有值而不完整的说明")
    is_provisional: bool = Field(description="口径未经确认")


class ScoreSheet(Model):
    """One hospital's items and scores in a specialty and tier."""

    tier: Tier
    specialty_code: str = Field(description="专科代码")
    specialty_zh: str = Field(description="专科名称")
    hospital_id: str = Field(description="机构代码")
    hospital_zh: str = Field(description="机构名称")
    score: Decimal | None = Field(description="总分")
    rank: int | None = Field(description="名次")
    rank_reason: str | None = Field(description="无名次的原因")
    decision: str | None = Field(description="遴选结论")
    decision_reason: str | None = Field(description="遴选结论的理由")
    groups: list[GroupScore] = Field(description="分部得分")
    items: list[ItemRow] = Field(description="条目")


class Indicator(Model):
    """An indicator of the registry."""

    indicator_id: str = Field(description="指标标识")
    name_zh: str = Field(description="名称")
    unit: str = Field(description="单位；% 表示按百分数展示，值仍为 0 至 1 的比值")
    decimals: int = Field(description="展示小数位")
    direction: str = Field(description="导向：higher 越高越好、lower 越低越好、neutral 中性")
    definition_zh: str | None = Field(description="定义")
    clause: str | None = Field(description="依据条目")
    pitfalls_zh: str | None = Field(description="易误读之处")
    is_provisional: bool = Field(description="口径未经确认")


class IndicatorList(Model):
    """The registry of indicators."""

    indicators: list[Indicator] = Field(description="指标，按展示次序")


class IndicatorRow(Model):
    """A value of an indicator."""

    hospital_id: str = Field(description="机构代码；REGION 为全省")
    name_zh: str = Field(description="机构名称")
    window_id: str = Field(description="统计窗口")
    numerator: Decimal | None = Field(description="分子")
    denominator: Decimal | None = Field(description="分母；计数类指标为空")
    value: Decimal | None = Field(description="指标值")
    benchmark: Decimal | None = Field(description="省内标杆")
    case_count: int | None = Field(description="出院人次")
    status: str = Field(description="状态")
    status_reason: str | None = Field(description="无值的原因")
    fitness: str | None = Field(description="可用等级 A 至 D")


class IndicatorPage(Model):
    """An indicator of a specialty: values of the hospitals within the scope, and the years of one of them."""

    indicator: Indicator
    specialty_code: str = Field(description="专科代码")
    specialty_zh: str = Field(description="专科名称")
    attribution: str = Field(description="专科归属口径：department 按出院科别，mdc 按疾病分类")
    hospital_id: str | None = Field(description="标出的机构")
    values: list[IndicatorRow] = Field(description="证书窗口的值，按所求次序；本令牌范围之内的机构与全省")
    trend: list[IndicatorRow] = Field(description="标出的机构与全省的逐年值")


class CaseRow(Model):
    """A counted case, by pseudonym."""

    case_key: str = Field(description="病例假名")
    discharge_date: date | None = Field(description="出院日期")
    source_id: str = Field(description="来源文件（摘要的前 12 位）")
    source_row: int = Field(description="行号，以表头为第 1 行")
    numerator: Decimal | None = Field(description="计入分子的量")
    denominator: Decimal | None = Field(description="计入分母的量")
    facts_zh: str = Field(description="计入所凭的事实：分组过程、手术目录、风险级等")


class CasePage(Model):
    """One page of a hospital's counted cases."""

    hospital_id: str = Field(description="机构代码")
    hospital_zh: str = Field(description="机构名称")
    specialty_code: str = Field(description="专科代码")
    specialty_zh: str = Field(description="专科名称")
    indicator: Indicator
    total: int = Field(description="病例行数")
    page: int = Field(description="第几页")
    pages: int = Field(description="共几页")
    rows: list[CaseRow] = Field(description="病例")


class FileEntry(Model):
    """A file of a certificate."""

    path: str = Field(description="路径")
    title: str = Field(description="内容")
    mediatype: str = Field(description="媒体类型")
    bytes: int = Field(description="大小（字节）")
    hash: str = Field(description="SHA-256")
    sm3: str = Field(description="SM3")


class FileList(Model):
    """The files of a certificate."""

    files: list[FileEntry] = Field(description="文件")


class VerificationFault(Model):
    """A file and what is wrong with it."""

    file: str = Field(description="文件")
    fault: str = Field(description="问题")


class Verification(Model):
    """Whether a certificate is what was signed."""

    certificate: CertificateEntry
    is_sound: bool = Field(description="全部文件、签名与登记相符")
    counts: bool = Field(description="相符，且未被取代或撤销")
    faults: list[VerificationFault] = Field(description="问题")
    said: list[str] = Field(description="核验所见：签名人、登记等")


class Me(Model):
    """The token that asks."""

    token_id: str = Field(description="令牌编号")
    scope: str = Field(description="范围")
    expires_at: datetime = Field(description="到期时间")


class Problem(Model):
    """Why there is no answer."""

    detail: str = Field(description="原因与办法")
