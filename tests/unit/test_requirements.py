"""Requirements that are met by a row of the registry: each row says what the policy asks for. The matrix is honest."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest
import yaml

from documents import registry, requirements
from documents.registry import parts, row, table
from sources.expressions import landed_types

# entry of an index → what it is computed from: an indicator, or items of the dossier and of registers
ENTRIES = {
    "NI-09": {"drg_group_count"},
    "NI-10": {"cmi"},
    "NI-11": {"level4_surgery_share"},
    "NI-12": {"minimally_invasive_share"},
    "NI-13": {"cost_consumption_index"},
    "NI-14": {"time_consumption_index"},
    "NI-15": {"mortality_mid_low_risk"},
    "NI-16": {"critical_case_share", "rescue_success_rate"},
    "NI-18": {"D0501"},
    "NI-23": {"out_of_province_share"},
    "NI-24": {"transfer_in_critical_count"},
    "NI-25": {"D0701"},
    "NI-26": {"D0703"},
    "NI-27": {"D0704"},
    "BI-01": {"GK000.grade", "GK000.rank"},
    "BI-03": {"mean_open_beds"},
    "BI-05": {"D1008"},
    "BI-06": {"PROJECTS"},
    "BI-08": {"D0501"},
    "BI-09": {"D0503", "D0601"},
    "BI-10": {"D0504", "D0505"},
    "BI-12": {"cmi"},
    "BI-13": {"drg_group_count"},
    "BI-14": {"level4_surgery_share"},
    "BI-15": {"minimally_invasive_share"},
    "BI-16": {"mortality_low_risk"},
    "BI-17": {"critical_case_share", "rescue_success_rate"},
    "BI-18": {"surgical_complication_rate"},
    "BI-19": {"D0602", "D0604", "D0605"},
    "BI-20": {"D0801"},
    "ZI-11": {"procedure_spectrum", "out_of_province_share", "out_of_city_share"},
    "ZI-12": {"cure_rate", "cure_improvement_rate", "D1009"},
    "ZI-13": {"cmi", "rw2_share", "D0413"},
    "ZI-21": {"D0617"},
    "ZI-22": {"D0618", "D0619"},
    "ZI-23": {"D0602", "D0604", "D0605", "D0609", "D0610", "D0615"},
    "ZI-31": {"D0501", "D0502"},
    "ZI-41": {"D0801", "D0802", "D0803", "D0804"},
    "ZI-42": {"D0805", "D0806", "D0807"},
    "ZI-43": {"D0808", "D0809"},
    "ZI-61": {"D0901", "D0902", "D0903"},
    "ZI-62": {"D0904", "D0905", "D0906"},
    "ZI-71": {"D0705", "D0707"},
    "ZI-72": {"D0708"},
    "ZI-73": {"D0701", "D0702"},
    "ZI-74": {"out_of_province_share", "D0709"},
    "ZI-81": {"D1001", "D1002", "D1003", "D1004"},
    "ZI-82": {"mean_length_of_stay", "bed_turnover"},
    "ZI-91": {"GK000.grade"},
}


def columns_of(mart: str) -> set[str]:
    """The columns that a mart declares."""
    for path in (registry.REPOSITORY / "dbt" / "models" / "marts").rglob("*.yml"):
        for model in yaml.safe_load(path.read_text("utf-8")).get("models", []):
            if model["name"] == mart:
                return {column["name"] for column in model["columns"]}
    raise LookupError(mart)


def items(programme: str) -> list[registry.Row]:
    return [each for each in table("programme_items") if each["programme_id"] == programme]


@pytest.mark.parametrize("entry", ENTRIES)
def test_an_entry_is_computed_from_what_it_names(entry: str) -> None:
    used: set[str] = set()
    for each in table("programme_items"):
        if each["entry_id"] == entry:
            for column in ("indicator_id", "evidence_items", "denominator_items", "comparison_items"):
                used |= set(parts(each[column]))
    assert used == ENTRIES[entry]


def test_dossiers_carry_what_only_the_hospital_knows() -> None:
    """G-11, G-18, N-15, N-35, Z-09: four kinds of discipline, outputs, tracks, states, and training abroad."""
    items_by_code = {each["item_code"]: each for each in table("dossier_items")}
    assert items_by_code["D0101"]["choices"].split("|") == ["基础学科", "平台学科", "优势学科", "重点扶持学科"]
    assert items_by_code["D0506"]["value_kind"] == items_by_code["D0620"]["value_kind"] == "number"
    assert "定向支持项目" in items_by_code["D0102"]["choices"].split("|")
    assert "已推荐" in items_by_code["D0103"]["choices"].split("|")


def test_stages_of_a_project_are_known() -> None:
    """N-35, N-39, N-45, N-47, B-30, B-31: recommended, approved, to be mended, passed and titled."""
    states = {each["stage"]: each["state"] for each in table("project_stages")}
    assert states["已推荐"] == "recommended"
    assert states["已复核"] == "building"
    assert states["整改中"] == "rectifying"
    assert states["评估合格"] == "passed"
    assert states["已认定"] == states["已挂牌"] == "titled"
    counted = {each["stage"] for each in table("project_stages") if each["is_counted"] == "true"}
    assert {"遴选中", "已推荐", "候补", "已退出"}.isdisjoint(counted)


def test_policies_are_as_printed_and_an_interpretation_is_none() -> None:
    """G-01, I-08, B-01: numbers and dates; a reprint is no source of a rule."""
    guidance = row("policies", "policy_id", "guidance_2023")
    assert guidance["document_no"] == "国卫医政发〔2023〕22号"
    assert (date.fromisoformat(guidance["signed_on"]), date.fromisoformat(guidance["published_on"])) == (
        date(2023, 7, 12),
        date(2023, 7, 17),
    )
    beijing = row("policies", "policy_id", "beijing_2023")
    assert (beijing["first_year"], beijing["last_year"]) == ("2023", "2025") and "31号" in beijing["note_zh"]
    assert [each["policy_id"] for each in table("policies") if each["is_authority"] != "true"] == [
        "interpretation_2021"
    ]
    clauses = {each["clause"] for name in ("eligibility_rules", "quota_rules") for each in table(name)}
    assert not any("解读" in clause for clause in clauses)


def test_totals_of_the_plan_and_of_its_interpretation_agree() -> None:
    """N-07, N-08, I-01, I-07: 150 × 5 = 750, 1,000 × 5 = 5,000, 10,000; one per 1–1.5 million, one per 700,000."""
    rules = {each["rule_id"]: each for each in table("quota_rules")}
    low = {name: int(rule["low_numerator"]) for name, rule in rules.items() if rule["low_numerator"]}
    assert [low[name] for name in ("N-02", "N-03", "N-05", "N-06", "N-07")] == [150, 750, 1000, 5000, 10000]
    assert low["N-02"] * 5 == low["N-03"] and low["N-05"] * 5 == low["N-06"]
    ratio = rules["N-09"]
    assert (ratio["low_denominator"], ratio["high_denominator"]) == ("1500000", "1000000")
    assert rules["N-10"]["low_denominator"] == "700000"


def test_as_many_are_recommended_as_there_are_places() -> None:
    """N-17, B-03: the lower and the upper bound of a national list are the same."""
    for programme in ("national_2021", "beijing_2023"):
        bounds = {
            each["bound"]: each["limit_numerator"]
            for each in table("selection_quotas")
            if (each["programme_id"], each["tier"]) == (programme, "national") and each["quota_id"].startswith("places")
        }
        assert set(bounds) == {"at_least", "at_most"} and len(set(bounds.values())) == 1


def test_beijing_has_three_tiers() -> None:
    """B-02: national and municipal projects are selected, district projects counted."""
    levels = {each["project_level"] for each in table("selection_lists") if each["programme_id"] == "beijing_2023"}
    assert levels == {"国家级", "市级"}
    assert row("quota_rules", "rule_id", "B-05a")["project_levels"] == "县级"


def test_projects_last_three_years_and_are_accepted_within_three_months() -> None:
    """N-43, B-18, Z-13, Z-15."""
    value = {each["parameter_id"]: each["value"] for each in table("selection_parameters")}
    assert (value["project_years"], value["acceptance_months"]) == ("3", "3")


def test_lists_of_guizhou_open_by_august_2025_and_two_have_a_reserve() -> None:
    """Z-05, Z-11."""
    lists = {each["tier"]: each for each in table("selection_lists") if each["programme_id"] == "guizhou_942"}
    assert {each["application_date"] for each in lists.values()} == {"2025-08-31"}
    assert {tier for tier, each in lists.items() if int(each["reserve_places"]) > 0} == {"dengfeng", "panfeng"}


def test_a_specialty_is_built_once_in_a_province() -> None:
    """G-07, Z-18: at most one of each specialty on the summit list; every direction covered (N-21)."""
    quota = row("selection_quotas", "quota_id", "one_per_specialty")
    assert (quota["group_sql"], quota["bound"], quota["limit_numerator"]) == ("specialty_code", "at_most", "1")
    assert row("quota_rules", "rule_id", "N-21")["measure"] == "direction_coverage"


def test_the_national_index_rests_on_objective_sources_in_all_dimensions() -> None:
    """N-37, N-38, G-08: ability, technique, quality and efficiency come from front pages and platforms."""
    national = items("national_2021")
    assert len({each["entry_id"] for each in national if each["part"] == "data"}) == 28
    objective = [each for each in national if each["source"] in ("H", "S", "A")]
    assert {each["subgroup_zh"].removesuffix("（近3年）") for each in objective} == {
        "住院患者医疗服务能力",
        "住院患者医疗服务效率",
        "住院患者医疗质量安全",
        "医疗辐射能力",
    }
    assert not [each["item_id"] for each in objective if not each["indicator_id"]]


def test_guizhou_emphasises_quality_people_innovation_and_influence() -> None:
    """Z-06, Z-08: four of the nine domains by name; base specialties weigh service and people twice."""
    domains = {each["group_id"]: each["group_zh"] for each in items("guizhou_942")}
    assert [domains[key] for key in "1237"] == ["医疗质量与安全", "人才队伍", "科研与创新能力", "专科声誉与影响力"]
    weights = {(each["tier"], each["group_id"]): each["factor"] for each in table("tier_weights")}
    assert weights == {("zhufeng", "1"): "2", ("zhufeng", "2"): "2"}


def test_appraisals_enter_two_indexes() -> None:
    """G-23: hospital appraisals are levers of the selection."""
    assert {each["programme_id"] for each in table("programme_items") if each["source"] == "A"} == {
        "beijing_2023",
        "guizhou_942",
    }


def test_the_ledger_carries_what_the_baseline_of_the_plan_counts() -> None:
    """N-01: projects and funds by level, year and hospital; the totals of the nation are not in a province's ledger."""
    landed = landed_types("project")
    assert {"project_level", "funding", "year", "organisation_id", "specialty_code"} <= landed.keys()
    assert landed["amount_fen"].lower() == "bigint"


def test_who_decides_is_registered_for_everything_provisional() -> None:
    """N-34: the national programme is the province's, Beijing's the city's; no open choice is without an owner."""
    owners = {each["programme_id"]: each["owner"] for each in table("programmes")}
    assert owners == {
        "national_2021": "省级卫生健康行政部门",
        "beijing_2023": "市级卫生健康行政部门",
        "guizhou_942": "省级卫生健康行政部门",
    }
    for name in ("switches", "selection_parameters", "selection_lists", "selection_quotas", "programme_items"):
        assert all(each["owner"] for each in table(name)), name


def test_national_provincial_and_municipal_projects_are_selected_alike() -> None:
    """N-40: one table of lists, each with quotas and eligibility of the same kind."""
    lists = {(each["programme_id"], each["tier"]): each["project_level"] for each in table("selection_lists")}
    assert set(lists.values()) == {"国家级", "省级", "市级"}
    assert {(each["programme_id"], each["tier"]) for each in table("selection_quotas")} == set(lists)


def test_every_definition_and_item_has_a_version_or_a_state() -> None:
    """Z-07: an index that is revised is another row, another version, or a confirmed one."""
    assert all(each["method_version"].isdigit() for each in table("indicators"))
    for name in ("indicators", "programme_items", "switches", "programmes"):
        assert {each["status"] for each in table(name)} <= {"provisional", "confirmed"}


# --- what has only a proxy


NEW_TECHNIQUES = {f"dossier:{item}" for item in ("D0405", "D0406", "D0407", "D0409", "D0410")}
PROXIES = {
    "N-31": ("其余是否开展由申报材料填写", {"indicators:robot_assisted_share", *NEW_TECHNIQUES}),
    "N-16": ("没有给出各因素的权重", {"int_candidate_fact", "fct_patient_flow", "sources/contracts/population.yml"}),
    "N-22": ("跨省就医的他省部分", {"direction_list:N-23", "fct_patient_flow"}),
    "G-03": ("外出就诊率代替", {"fct_patient_flow", "fct_outflow"}),
    "G-04": ("没有阈值", {"fct_patient_flow", "indicators:out_of_province_share"}),
    "G-05": ("没有权重", {"fct_patient_flow", "sources/contracts/population.yml"}),
    "I-05": ("只记阶段与资金", {"fct_project_stage", "fct_quota"}),
    "B-13": ("等候时间不在所列来源", {"indicators:concentration_hhi", "indicators:concentration_largest_share"}),
    "B-29": ("权重为暂定值", {"fct_score", "fct_selection"}),
    "BI-04": ("申报材料", {"programme_items:BI-04", "dossier:D0410", "dossier:D0907"}),
}


@pytest.mark.parametrize("identity", PROXIES)
def test_a_proxy_says_what_it_stands_for_and_what_it_cannot_say(identity: str) -> None:
    """The register names the proxy and the reason, and does not claim more than P."""
    [each] = [each for each in requirements.register() if each["id"] == identity]
    reason, implemented_by = PROXIES[identity]
    assert each["number"] == "P"
    assert reason in each["reason_zh"]
    assert set(parts(each["implemented_by"])) == implemented_by


def test_planning_inputs_stand_side_by_side_and_are_not_summed() -> None:
    """N-16, G-05: population, support and flows are facts; nothing weighs them against each other."""
    assert {"year", "division", "population"} <= landed_types("population").keys()
    assert columns_of("fct_patient_flow") >= {"residence_division", "hospital_division", "specialty_code"}
    weighing = [each["parameter_id"] for each in table("selection_parameters") if "weight" in each["parameter_id"]]
    assert weighing == []
    measures = {each["measure"] for each in table("quota_rules")}
    assert not any("index" in measure or "composite" in measure for measure in measures)


def test_shortage_is_a_printed_list_and_flow_within_the_province() -> None:
    """N-22: what other provinces treat is in no front page of this one, so the list of the plan decides."""
    assert [each for each in table("direction_list") if each["list_id"] == "N-23"]
    assert columns_of("fct_outflow") >= {"residence_division", "specialty_code", "outflow_rate", "is_above_threshold"}


def test_aims_for_2030_are_measured_without_a_threshold() -> None:
    """G-03, G-04: outflow by city and specialty, and patients from elsewhere; no number says when the aim is met."""
    assert columns_of("fct_outflow") >= {"residence_division", "outflow_rate"}
    share = row("indicators", "indicator_id", "out_of_province_share")
    assert (share["numerator_measure"], share["status"]) == ("out_of_province_count", "provisional")
    assert not [each for each in table("quota_rules") if each["rule_id"] in ("G-03", "G-04")]


def test_local_work_is_told_by_stages_and_funds() -> None:
    """I-05: plan, fund, process and result are stages of a project and money spent; no score is made of them."""
    assert columns_of("fct_project_stage") >= {"project_id", "due_date"}
    assert {"candidate", "building", "evaluating", "passed"} <= {each["state"] for each in table("project_stages")}


def test_concentration_is_shown_and_judged_by_nobody() -> None:
    """B-13: no threshold and no waiting time, so neither measure is better high or low, and no entry scores them."""
    for name in ("concentration_hhi", "concentration_largest_share"):
        each = row("indicators", "indicator_id", name)
        assert (each["direction"], each["status"]) == ("neutral", "provisional")
        assert not [item for item in table("programme_items") if item["indicator_id"] == name]


def test_a_total_rests_on_provisional_weights() -> None:
    """B-29: the annex prints no weights; every entry weighs the same, and every row says that it is provisional."""
    entries: dict[str, int] = {}
    for each in items("beijing_2023"):
        assert each["status"] == "provisional"
        entries[each["entry_id"]] = entries.get(each["entry_id"], 0) + int(each["weight"])
    assert set(entries.values()) == {60}


def test_online_consultations_are_what_the_dossier_says() -> None:
    """BI-04: whether there are any, and how many a year; neither is in a front page."""
    found = {each["evidence_items"]: each for each in items("beijing_2023") if each["entry_id"] == "BI-04"}
    assert {code: each["scale_method"] for code, each in found.items()} == {"D0410": "presence", "D0907": "percentile"}
    assert {each["status"] for each in found.values()} == {"provisional"}


# --- the matrix


def test_the_register_has_every_statement_once() -> None:
    identities = [each["id"] for each in requirements.register()]
    assert len(identities) == len(set(identities)) == 207
    assert {each["number"] for each in requirements.register()} == {"Y", "P", "N"}
    assert all(each["title_zh"] for each in requirements.register())


def test_every_statement_is_met_or_says_why_not() -> None:
    assert requirements.faults() == []


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[registry.Row]]:
    """A register of one's own."""
    rows: list[registry.Row] = []
    monkeypatch.setattr(requirements, "register", lambda: tuple(rows))
    monkeypatch.setattr(requirements, "tests", lambda: {"N-02": ["test"]})
    yield rows


@pytest.mark.parametrize(
    ("number", "implemented_by", "reason", "fault"),
    [
        ("Y", "quota_rules:N-02", "", None),
        ("Y", "", "", "却没有实现"),
        ("Y", "", "没有来源", "却没有实现"),
        ("Y", "quota_rules:N-99;fct_quota", "", "没有 quota_rules:N-99"),
        ("Y", "fct_nothing", "", "没有 fct_nothing"),
        ("Y", "docs/nothing.md", "", "没有 docs/nothing.md"),
        ("P", "fct_quota", "", "写明以何代替"),
        ("N", "dossier:D0101", "由评审人判断", None),
        ("N", "dossier:D9999", "由评审人判断", "没有 dossier:D9999"),
        ("N", "", "由评审人判断", "也没有申报项目"),
    ],
)
def test_what_the_register_lacks_is_named(
    registered: list[registry.Row], number: str, implemented_by: str, reason: str, fault: str | None
) -> None:
    registered.append({"id": "N-02", "number": number, "implemented_by": implemented_by, "reason_zh": reason})
    found = requirements.faults()
    assert (not found) if fault is None else (len(found) == 1 and fault in found[0])


def test_a_number_that_no_test_names_is_a_fault(registered: list[registry.Row]) -> None:
    registered.append({"id": "N-03", "number": "Y", "implemented_by": "quota_rules:N-03", "reason_zh": ""})
    assert ["却没有测试" in fault for fault in requirements.faults()] == [True]
