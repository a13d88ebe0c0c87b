"""The recommended list over hand-made scores: what is on it, in reserve and kept out, and which quotas conflict."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Callable, Sequence
from decimal import Decimal

import duckdb
import pytest
from conftest import DATABASE, REPOSITORY, Build, Built

MODEL = REPOSITORY / "dbt" / "models" / "intermediate" / "selection" / "int_selection.py"
# hospital, specialty, score, eligibility, in the capital, lists that the specialty stands in
Candidate = tuple[str, str, str, str, bool | None, list[str]]
Choose = Callable[..., Built]


class _Session:
    """What dbt hands to a Python model."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.ref = connection.table


@pytest.fixture(scope="module")
def choose(build: Build, tmp_path_factory: pytest.TempPathFactory) -> Choose:
    """`choose(programme, {tier: candidates}, *statements)`: the selection models over these scores."""
    empty = build({})
    spec = importlib.util.spec_from_file_location("int_selection", MODEL)
    assert spec and spec.loader
    solver = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(solver)

    def run(programme: str, tiers: dict[str, Sequence[Candidate]], *statements: str) -> Built:
        database = tmp_path_factory.mktemp("chosen") / DATABASE
        shutil.copy(empty.database, database)
        with duckdb.connect(str(database)) as connection:
            for statement in statements:
                connection.execute(statement)
            for tier, candidates in tiers.items():
                for hospital_id, specialty, score, eligibility, capital, lists in candidates:
                    key = [programme, tier, hospital_id, specialty]
                    ranked = [None, "覆盖率过低"] if score == "" else [1, None]
                    connection.execute(
                        "insert into fct_score by name select ? as programme_id, ? as tier, '2022-2024' as window_id,"
                        " ? as hospital_id, ? as specialty_code, 'total' as level, 'total' as group_id,"
                        " try_cast(? as decimal(12, 8)) as score, ? as rank, ? as rank_reason",
                        [*key, score, *ranked],
                    )
                    connection.execute(
                        "insert into int_eligibility by name select ? as programme_id, ? as tier, ? as hospital_id,"
                        " ? as specialty_code, ? as eligibility, ? as unknown_zh",
                        [*key, eligibility, "待核实" if eligibility == "unknown" else None],
                    )
                    connection.execute(
                        "insert into int_candidate_fact by name select ? as programme_id, ? as tier, ? as hospital_id,"
                        " ? as specialty_code, ? as is_provincial_capital, ?::varchar[] as list_ids",
                        [*key, capital, lists],
                    )
            for name in ("parameter", "list", "candidate", "member"):
                before = f"int_selection_{name}"
                connection.execute(f"create or replace table {before} as {empty.models[before]}")
            connection.register("made", solver.model(_Session(connection), None))
            connection.execute("create or replace table int_selection as select * from made")
            for name in ("fct_selection", "fct_selection_quota"):
                connection.execute(f"create or replace table {name} as {empty.models[name]}")
        return Built(database, "", {})

    return run


def national(*candidates: tuple[str, str, bool | None]) -> dict[str, list[Candidate]]:
    return {"national": [(name, "0304", score, "passed", capital, []) for name, score, capital in candidates]}


def decisions(built: Built, tier: str = "national") -> dict[str, tuple]:
    return {
        row[0]: row[1:]
        for row in built.rows(
            f"select hospital_id, decision, position, excluded_by from fct_selection where tier = '{tier}'"
        )
    }


CAPITAL = [(f"K{number}", str(95 - 5 * number), True) for number in range(1, 7)]
OTHERS = [(f"R{number}", str(65 - 5 * number), False) for number in range(1, 4)]


def test_a_list_under_the_share_of_the_capital(choose: Choose) -> None:
    built = choose("national_2021", national(*CAPITAL, *OTHERS))
    # five places, at most three of them in the capital: 90 + 85 + 80 + 60 + 55
    assert decisions(built) == {
        **{name: ("recommended", place, None) for place, name in enumerate(("K1", "K2", "K3", "R1", "R2"), 1)},
        # of those who are left two keep the share, one of them in the capital
        "K4": ("reserve", 1, "capital_share;places_at_most"),
        "R3": ("reserve", 2, "places_at_most"),
        "K5": ("not_recommended", None, "capital_share"),
        "K6": ("not_recommended", None, None),
    }
    assert built.rows(
        "select quota_id, list_count, list_size, cost, status from fct_selection_quota order by quota_id"
    ) == [
        # without the share 90 + 85 + 80 + 75 + 70; without the places 4 of the capital and all 3 others
        ("capital_share", 3, 5, Decimal(30), "binding"),
        ("places_at_least", 5, 5, Decimal(0), "slack"),
        ("places_at_most", 5, 5, Decimal(125), "binding"),
    ]


def test_every_one_who_is_not_on_the_list_learns_why(choose: Choose) -> None:
    tiers = national(*CAPITAL, *OTHERS)
    tiers["national"] += [("U", "0304", "99", "unknown", True, []), ("V", "0304", "", "passed", True, [])]
    built = choose("national_2021", tiers)
    reasons = dict(built.rows("select hospital_id, decision_reason from fct_selection"))
    assert {name: reasons[name] for name in ("K1", "K4", "K5", "K6", "U", "V")} == {
        "K1": None,
        "K4": None,
        "K5": "受限于：省会城市项目占比不超过 60%",
        "K6": "单独去掉任何一项约束也不入选",
        "U": "待核实",
        "V": "覆盖率过低",
    }
    assert decisions(built)["U"] == decisions(built)["V"] == ("not_eligible", None, None)
    ranks = dict(built.rows("select hospital_id, score_rank from fct_selection"))
    assert (ranks["K1"], ranks["R3"], ranks["U"]) == (1, 9, None)


def test_quotas_that_no_list_can_keep_are_named(choose: Choose) -> None:
    built = choose("national_2021", national(*CAPITAL, *OTHERS[:1]))
    assert {row[0] for row in decisions(built).values()} == {"infeasible"}
    assert built.rows("select quota_id, cost, status from fct_selection_quota order by quota_id") == [
        ("capital_share", None, "conflicting"),
        ("places_at_least", None, "conflicting"),
        ("places_at_most", None, "unsolved"),
    ]
    assert built.rows("select distinct decision_reason from fct_selection") == [
        ("约束互相冲突：省会城市项目占比不超过 60%；等额推荐：不少于名额",)
    ]


def test_a_list_without_candidates_says_which_quota_it_cannot_keep(choose: Choose) -> None:
    built = choose("national_2021", {"national": [("U", "0304", "99", "unknown", True, [])]})
    assert built.rows("select quota_id from fct_selection_quota where status = 'conflicting'") == [("places_at_least",)]


def test_equal_scores_go_by_hospital_and_specialty_whatever_the_order_of_the_rows(choose: Choose) -> None:
    equal = [(f"E{number}", "70", False) for number in range(8)]
    wanted = {f"E{number}" for number in range(5)}
    for rows in (equal, equal[::-1]):
        chosen = {
            name for name, row in decisions(choose("national_2021", national(*rows))).items() if row[0] == "recommended"
        }
        assert chosen == wanted


def test_scores_are_compared_at_four_decimals(choose: Choose) -> None:
    rows = [(f"E{number}", "70", False) for number in range(1, 5)]
    near = decisions(choose("national_2021", national(*rows, ("A", "60.00004", False), ("B", "60.00005", False))))
    assert near["B"][0] == "recommended"
    near = decisions(choose("national_2021", national(*rows, ("A", "60.00003", False), ("B", "60.00004", False))))
    assert near["A"][0] == "recommended"


@pytest.mark.parametrize(("reading", "core", "size"), [("overlap_counts", "TO", 22), ("overlap_excluded", "T", 15)])
def test_a_third_of_a_municipal_list_is_core_in_either_reading(
    choose: Choose, reading: str, core: str, size: int
) -> None:
    # S is not core, T is, O is core and consolidated: with five of T alone no more than fifteen fit
    kinds = {"S": (20, 90, "13", []), "T": (5, 50, "0303", ["B-10"]), "O": (5, 60, "0405", ["B-10", "B-12"])}
    candidates = [
        (f"{kind}{number:02d}", specialty, str(best - number), "passed", False, lists)
        for kind, (count, best, specialty, lists) in kinds.items()
        for number in range(count)
    ]
    built = choose(
        "beijing_2023",
        {"municipal": candidates},
        f"update selection_parameters set value = '{reading}' where parameter_id = 'core_precedence'",
    )
    chosen = [name for name, row in decisions(built, "municipal").items() if row[0] == "recommended"]
    assert len(chosen) == size
    assert 3 * sum(name[0] in core for name in chosen) >= size


def test_a_higher_tier_goes_first_and_takes_the_specialty_with_it(choose: Choose) -> None:
    candidate: Candidate = ("A", "0304", "80", "passed", True, [])
    second: Candidate = ("B", "0304", "70", "passed", True, [])
    built = choose("guizhou_942", {"panfeng": [candidate, second], "dengfeng": [candidate, second]})
    # one per specialty among the nine; the second may still climb the lower peak
    assert decisions(built, "dengfeng") == {
        "A": ("recommended", 1, None),
        "B": ("reserve", 1, "one_per_specialty"),
    }
    assert decisions(built, "panfeng") == {"A": ("not_recommended", None, None), "B": ("recommended", 1, None)}
    assert built.rows("select decision_reason from fct_selection where tier = 'panfeng' and hospital_id = 'A'") == [
        ("已列入本方案较高层级的推荐名单",)
    ]
