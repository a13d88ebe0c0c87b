-- The rules, counted per organisation and month: every rule of a relation in one pass over it.
-- depends_on: {{ ref('dq_rules') }}
{% set readable = [
    'stg_drg_result', 'stg_single_disease_report', 'stg_appraisal_result', 'stg_hospital', 'stg_bed_report',
    'stg_population', 'stg_project', 'stg_accident', 'stg_surgery_catalogue', 'stg_dossier_item', 'int_cell',
    'int_landing_row', 'int_page_repeat', 'int_operation_edition', 'int_month_volume', 'int_source_pair',
    'int_report_check', 'int_resubmission',
] %}
{% for relation in readable %}
    -- depends_on: {{ ref(relation) }}
{% endfor %}
select
    rule_id,
    organisation_id,
    month,
    checked,
    violated
from {{ ref('int_page_rule_count') }}
{% for relation, rules in row_rules() | groupby('relation') if relation != 'stg_hqms_front_page' %}
    {% if relation not in readable %}
        {% do exceptions.raise_compiler_error('质控规则 ' ~ rules[0].rule_id ~ ' 指向未知的表 ' ~ relation) %}
    {% endif %}
    union all
    {{ rule_counts(ref(relation), rules) }}
{% endfor %}
