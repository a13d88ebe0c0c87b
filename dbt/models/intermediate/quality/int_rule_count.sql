-- The rules, counted per organisation and month: every rule of a relation in one pass over it. What a rule checks is
-- decided once per row, and what violates it only on rows that are checked. A row counts once, or, where a relation
-- is made of sums, for as many as its rule says (count_sql).
-- depends_on: {{ ref('dq_rules') }}
{% set readable = [
    'stg_hqms_front_page', 'stg_drg_result', 'stg_single_disease_report', 'stg_appraisal_result', 'stg_hospital',
    'stg_bed_report', 'stg_population', 'stg_project', 'stg_accident', 'stg_surgery_catalogue', 'stg_dossier_item',
    'int_cell', 'int_landing_row', 'int_page_repeat', 'int_operation_edition', 'int_month_volume', 'int_source_pair',
    'int_report_check', 'int_resubmission',
] %}
{% for relation in readable %}
    -- depends_on: {{ ref(relation) }}
{% endfor %}
{% set rules = [] %}
{% if execute %}
    {% set rules = run_query(
        'select rule_id, relation, checked_sql, violated_sql, count_sql from ' ~ ref('dq_rules')
        ~ ' where relation is not null order by relation, rule_id'
    ).rows %}
{% endif %}
with
{% for relation, members in rules | groupby('relation') %}
    {% if relation not in readable %}
        {% do exceptions.raise_compiler_error('质控规则 ' ~ members[0].rule_id ~ ' 指向未知的表 ' ~ relation) %}
    {% endif %}
    {% set columns = adapter.get_columns_in_relation(ref(relation)) | map(attribute='name') | list %}
    {{ relation }}_judged as (
        select
            {{ "coalesce(organisation_id, '')" if 'organisation_id' in columns else "''" }} as organisation_id,
            {% if 'month' in columns %}
                coalesce(month, '') as month,
            {% elif 'discharge_month' in columns %}
                strftime(discharge_month, '%Y-%m') as month,
            {% else %}
                '' as month,
            {% endif %}
            {% for rule in members %}
                {% set counted = rule.count_sql or '1' %}
                case when {{ rule.checked_sql }} then {{ counted }} else 0 end as checked_{{ loop.index }},
                case
                    when {{ rule.checked_sql }} then case when {{ rule.violated_sql }} then {{ counted }} else 0 end
                    else 0
                end as violated_{{ loop.index }}{{ ',' if not loop.last }}
            {% endfor %}
        from {{ ref(relation) }}
    ),

    {{ relation }}_sums as (
        select
            organisation_id,
            month,
            {% for rule in members %}
                sum(checked_{{ loop.index }}) as checked_{{ loop.index }},
                sum(violated_{{ loop.index }}) as violated_{{ loop.index }}{{ ',' if not loop.last }}
            {% endfor %}
        from {{ relation }}_judged
        group by organisation_id, month
    ),

    {{ relation }}_count as (
        select
            organisation_id,
            month,
            unnest([{% for rule in members %}'{{ rule.rule_id }}'{{ ', ' if not loop.last }}{% endfor %}]) as rule_id,
            unnest([{% for rule in members %}checked_{{ loop.index }}{{ ', ' if not loop.last }}{% endfor %}]) as checked,
            unnest([{% for rule in members %}violated_{{ loop.index }}{{ ', ' if not loop.last }}{% endfor %}]) as violated
        from {{ relation }}_sums
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
    union all
    select
        rule_id,
        organisation_id,
        month,
        cast(checked as bigint) as checked,
        cast(violated as bigint) as violated
    from {{ relation }}_count
{% endfor %}
