-- Every rule of seeds/programmes/eligibility_rules.csv, judged for every candidate of every list that it holds for. A
-- predicate that comes out as NULL is unknown: what no source states is neither passed nor failed. A rule with a
-- division of its own holds for the hospitals that lie in it: so a district has its own conditions.
-- depends_on: {{ ref('eligibility_rules') }}
{% set rules = [] %}
{% if execute %}
    {% set rules = run_query(
        'select rule_id, lists, predicate_sql, evidence_sql from ' ~ ref('eligibility_rules') ~ ' order by rule_id'
    ).rows %}
{% endif %}
with judged as (
    {% for rule in rules %}
        select
            programme_id,
            tier,
            hospital_id,
            specialty_code,
            '{{ rule.rule_id }}' as rule_id,
            cast({{ rule.predicate_sql }} as boolean) as is_met,
            cast({{ rule.evidence_sql }} as varchar) as evidence_zh,
            application_date,
            division
        from {{ ref('int_candidate_fact') }}
        {% if rule.lists != '*' %}
            where programme_id || '/' || tier in ('{{ rule.lists | replace(";", "', '") }}')
        {% endif %}
        union all
    {% endfor %}
    select
        programme_id,
        tier,
        hospital_id,
        specialty_code,
        '' as rule_id,
        false as is_met,
        '' as evidence_zh,
        application_date,
        division
    from {{ ref('int_candidate_fact') }}
    where false
)

select
    judged.programme_id,
    judged.tier,
    judged.hospital_id,
    judged.specialty_code,
    judged.rule_id,
    rule.clause,
    rule.title_zh,
    rule.effect,
    judged.application_date,
    case judged.is_met when true then 'passed' when false then 'failed' else 'unknown' end as result,
    judged.evidence_zh,
    case when judged.is_met is null then rule.unknown_reason_zh end as unknown_reason_zh,
    rule.status = 'provisional' as is_provisional
from judged
inner join {{ ref('eligibility_rules') }} as rule on judged.rule_id = rule.rule_id
where
    rule.only_division is null
    or starts_with(judged.division, {{ division_prefix('rule.only_division') }})
