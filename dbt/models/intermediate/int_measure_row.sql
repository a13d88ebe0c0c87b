-- The measures of all models that have some, one row for every attribution, hospital, specialty and window with
-- discharges, a column each. A model that has nothing to say about one of those counts 0 there. A new model of measures
-- has the four keys and a column per measure, named as in seeds/indicators/measures.csv, and is named here.
{% set models = ['int_count', 'int_summary', 'int_bed', 'int_hospital_mix', 'int_outflow_measure', 'int_spectrum'] %}
{% set keys = ['hospital_id', 'specialty_code', 'attribution', 'window_id'] %}
select
    {{ keys | join(', ') }},
    {{ exact_measures(keys) }}
from (
    select
        int_count.*
        {% for model in models[1:] %}, {{ model }}.* exclude ({{ keys | join(', ') }}){% endfor %}
    from {{ ref(models[0]) }} as int_count
    {% for model in models[1:] %}
        left join {{ ref(model) }} as {{ model }}
            on
                {% for key in keys %}
                    int_count.{{ key }} = {{ model }}.{{ key }}{{ ' and' if not loop.last }}
                {% endfor %}
    {% endfor %}
) as joined
