{# The rules of a relation, counted per organisation and month in one pass over it, as a query of rule_id,
   organisation_id, month, checked and violated. What a rule checks is decided once per row, and what violates it only
   on rows that are checked. A row counts once, or, where a relation is made of sums, for as many as its rule says
   (count_sql). #}
{% macro rule_counts(relation, rules) -%}
{% set columns = adapter.get_columns_in_relation(relation) | map(attribute='name') | list %}
select
    rule_id,
    organisation_id,
    month,
    cast(checked as bigint) as checked,
    cast(violated as bigint) as violated
from (
    select
        organisation_id,
        month,
        unnest([{% for rule in rules %}'{{ rule.rule_id }}'{{ ', ' if not loop.last }}{% endfor %}]) as rule_id,
        unnest([{% for rule in rules %}checked_{{ loop.index }}{{ ', ' if not loop.last }}{% endfor %}]) as checked,
        unnest([{% for rule in rules %}violated_{{ loop.index }}{{ ', ' if not loop.last }}{% endfor %}]) as violated
    from (
        select
            organisation_id,
            month,
            {% for rule in rules %}
                sum(checked_{{ loop.index }}) as checked_{{ loop.index }},
                sum(violated_{{ loop.index }}) as violated_{{ loop.index }}{{ ',' if not loop.last }}
            {% endfor %}
        from (
            select
                {{ "coalesce(organisation_id, '')" if 'organisation_id' in columns else "''" }} as organisation_id,
                {% if 'month' in columns %}
                    coalesce(month, '') as month,
                {% elif 'discharge_month' in columns %}
                    strftime(discharge_month, '%Y-%m') as month,
                {% else %}
                    '' as month,
                {% endif %}
                {% for rule in rules %}
                    {% set counted = rule.count_sql or '1' %}
                    case when {{ rule.checked_sql }} then {{ counted }} else 0 end as checked_{{ loop.index }},
                    case
                        when {{ rule.checked_sql }}
                            then case when {{ rule.violated_sql }} then {{ counted }} else 0 end
                        else 0
                    end as violated_{{ loop.index }}{{ ',' if not loop.last }}
                {% endfor %}
            from {{ relation }}
        ) as judged
        group by organisation_id, month
    ) as summed
) as counted
{%- endmacro %}

{# The same shape without rows: where there is no rule. #}
{% macro no_rule_counts() -%}
select
    '' as rule_id,
    '' as organisation_id,
    '' as month,
    cast(0 as bigint) as checked,
    cast(0 as bigint) as violated
where false
{%- endmacro %}

{# The rules that are counted row by row, in order; none while the project is parsed. #}
{% macro row_rules() %}
    {% if not execute %}
        {{ return([]) }}
    {% endif %}
    {{ return(run_query(
        'select rule_id, relation, checked_sql, violated_sql, count_sql from ' ~ ref('dq_rules')
        ~ ' where relation is not null order by relation, rule_id'
    ).rows) }}
{% endmacro %}
