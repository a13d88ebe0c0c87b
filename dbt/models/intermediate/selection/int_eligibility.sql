-- Whether a candidate may apply at all: every required rule of its list in one line.
select
    programme_id,
    tier,
    hospital_id,
    specialty_code,
    case
        when bool_or(result = 'failed') then 'failed'
        when bool_or(result = 'unknown') then 'unknown'
        else 'passed'
    end as eligibility,
    string_agg(title_zh || '（' || evidence_zh || '）', '；' order by rule_id)
        filter (where result = 'failed') as failed_zh,
    string_agg(title_zh || '（' || unknown_reason_zh || '）', '；' order by rule_id)
        filter (where result = 'unknown') as unknown_zh
from {{ ref('fct_eligibility') }}
where effect = 'required'
group by programme_id, tier, hospital_id, specialty_code
