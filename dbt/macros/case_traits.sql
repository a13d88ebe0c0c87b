{# What rules ask of a case besides its codes, as one whole number: sex ('1', '2', or '' where nothing asks), age in days
   and in years, and weight, each as the band between the bounds that matter (weight: -2 where it is unknown or not asked
   for, -1 below all bounds). A package sets no bound above 366 days, 150 years or 100,000 grams. #}
{% macro case_traits(sex, age_days_band, age_years_band, weight_band) -%}
    ((cast(case {{ sex }} when '1' then 1 when '2' then 2 else 0 end as bigint) * 512 + {{ age_days_band }}) * 256
    + {{ age_years_band }}) * 131072 + {{ weight_band }} + 2
{%- endmacro %}

{% macro trait_sex(traits) -%}
    case {{ whole_quotient(traits, 512 * 256 * 131072) }} when 1 then '1' when 2 then '2' else '' end
{%- endmacro %}

{% macro trait_age_days_band(traits) -%}
    {{ whole_quotient(traits, 256 * 131072) }} % 512
{%- endmacro %}

{% macro trait_age_years_band(traits) -%}
    {{ whole_quotient(traits, 131072) }} % 256
{%- endmacro %}

{% macro trait_weight_band(traits) -%}
    {{ traits }} % 131072 - 2
{%- endmacro %}
