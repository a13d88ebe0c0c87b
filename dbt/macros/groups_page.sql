{# Whether an edition groups a front page: by its day, or the chosen edition all of them. A comparison of days only
   where it is wanted: it keeps the planner from knowing how many cases there are. #}
{% macro groups_page(scheme, page) -%}
    {% if var('drg_edition', 'latest') == 'by_date' -%}
        cast({{ page }}.discharge_time as date) >= {{ scheme }}.groups_from
        and cast({{ page }}.discharge_time as date) < {{ scheme }}.groups_until
    {%- else -%}
        {{ scheme }}.groups_all
    {%- endif %}
{%- endmacro %}
