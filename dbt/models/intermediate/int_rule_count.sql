-- The row rules, counted per organisation and month: every rule of a relation in one pass over it.
-- depends_on: {{ ref('dq_rules') }}
-- depends_on: {{ ref('int_discharge') }}
{% set readable = [
    'stg_hqms_front_page', 'stg_drg_result', 'stg_single_disease_report', 'stg_appraisal_result', 'stg_hospital',
    'stg_bed_report', 'stg_population', 'stg_project', 'stg_accident', 'stg_surgery_catalogue', 'stg_dossier_item',
] %}
{% for relation in readable %}
    -- depends_on: {{ ref(relation) }}
{% endfor %}
{% set rules = [] %}
{% if execute %}
    {% set rules = run_query(
        'select rule_id, relation, checked_sql, violated_sql from ' ~ ref('dq_rules')
        ~ ' where relation is not null order by relation, rule_id'
    ).rows %}
{% endif %}
with
{% for relation, members in rules | groupby('relation') %}
    {% if relation not in readable + ['int_discharge'] %}
        {% do exceptions.raise_compiler_error('质控规则 ' ~ members[0].rule_id ~ ' 指向未知的表 ' ~ relation) %}
    {% endif %}
    {% set columns = adapter.get_columns_in_relation(ref(relation)) | map(attribute='name') | list %}
    {{ relation }}_counts as (
        select
            {{ "coalesce(organisation_id, '')" if 'organisation_id' in columns else "''" }} as organisation_id,
            {{ "coalesce(month, '')" if 'month' in columns else "''" }} as month,
            {% for rule in members %}
                count(*) filter (where {{ rule.checked_sql }}) as checked_{{ loop.index }},
                count(*) filter (
                    where ({{ rule.checked_sql }}) and ({{ rule.violated_sql }})
                ) as violated_{{ loop.index }}{{ ',' if not loop.last }}
            {% endfor %}
        from {{ ref(relation) }}
        group by all
    ),

{% endfor %}
empty_count as (
    select
        '' as rule_id,
        '' as organisation_id,
        '' as month,
        cast(0 as bigint) as checked,
        cast(0 as bigint) as violated
    where false
)

select * from empty_count
{% for relation, members in rules | groupby('relation') %}
    {% for rule in members %}
        union all
        select
            '{{ rule.rule_id }}' as rule_id,
            organisation_id,
            month,
            checked_{{ loop.index }} as checked,
            violated_{{ loop.index }} as violated
        from {{ relation }}_counts
    {% endfor %}
{% endfor %}
