{# The province whose hospitals are computed, a six-digit division code. There is no default: a wrong
   province would silently turn every resident into an outsider. #}
{% macro province_division() -%}
    {%- set division = var('province_division', none) -%}
    {%- if execute and not modules.re.fullmatch('[0-9]{6}', division | string) -%}
        {%- do exceptions.raise_compiler_error(
            "缺少 province_division：请用 --vars 给出六位省级行政区划代码，例如 '{province_division: \"990000\"}'。"
            ~ " The dbt variable province_division must be a six-digit division code, got: " ~ division
        ) -%}
    {%- endif -%}
    '{{ division }}'
{%- endmacro %}
