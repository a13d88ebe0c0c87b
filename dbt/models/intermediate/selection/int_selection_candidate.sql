-- Who may be recommended: candidates that meet every required rule and have a rank, with what the quotas of
-- seeds/programmes/selection_quotas.csv may name. Scores are compared at four decimals, as whole numbers.
select
    score.programme_id,
    score.tier,
    score.window_id,
    score.hospital_id,
    score.specialty_code,
    cast(round(score.score, 4) * 10000 as bigint) as score_units,
    fact.is_provincial_capital,
    list_contains(fact.list_ids, 'B-10')
    and (parameter.core_precedence = 'overlap_counts' or not list_contains(fact.list_ids, 'B-12')) as is_core
from {{ ref('fct_score') }} as score
cross join {{ ref('int_selection_parameter') }} as parameter
inner join {{ ref('int_eligibility') }} as judged
    on
        score.programme_id = judged.programme_id
        and score.tier = judged.tier
        and score.hospital_id = judged.hospital_id
        and score.specialty_code = judged.specialty_code
inner join {{ ref('int_candidate_fact') }} as fact
    on
        score.programme_id = fact.programme_id
        and score.tier = fact.tier
        and score.hospital_id = fact.hospital_id
        and score.specialty_code = fact.specialty_code
where score.level = 'total' and score.rank is not null and judged.eligibility = 'passed'
