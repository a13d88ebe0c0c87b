{{ config(materialized='kept_by_month') }}
-- The rules of front pages, counted per organisation and month: apart from the others, for a month of pages is judged
-- once and not every night.
-- depends_on: {{ ref('dq_rules') }}
-- depends_on: {{ ref('stg_hqms_front_page') }}
{% set rules = row_rules() | selectattr('relation', 'equalto', 'stg_hqms_front_page') | list %}
{{ rule_counts(ref('stg_hqms_front_page'), rules) if rules else no_rule_counts() }}
