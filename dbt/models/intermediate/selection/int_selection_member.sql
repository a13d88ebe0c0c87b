-- Which candidates count towards which quota of their list, and in which group of it.
-- depends_on: {{ ref('selection_quotas') }}
{% set quotas = [] %}
{% if execute %}
    {% set quotas = run_query(
        'select programme_id, tier, quota_id, member_sql, group_sql from ' ~ ref('selection_quotas')
        ~ ' order by programme_id, tier, quota_id'
    ).rows %}
{% endif %}
{% for quota in quotas %}
    select
        programme_id,
        tier,
        window_id,
        '{{ quota.quota_id }}' as quota_id,
        hospital_id,
        specialty_code,
        cast({{ quota.group_sql or "''" }} as varchar) as group_key
    from {{ ref('int_selection_candidate') }}
    where programme_id = '{{ quota.programme_id }}' and tier = '{{ quota.tier }}' and ({{ quota.member_sql }})
    union all
{% endfor %}
select
    programme_id,
    tier,
    window_id,
    '' as quota_id,
    hospital_id,
    specialty_code,
    '' as group_key
from {{ ref('int_selection_candidate') }}
where false
