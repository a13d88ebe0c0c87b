-- The measures of all models that have some, one row each, for every attribution, hospital, specialty and window with
-- discharges. A model that has nothing to say about one of those counts 0 there. A new model of measures has the four
-- keys and a column per measure, named as in seeds/indicators/measures.csv, and is named here.
{% set models = ['int_count', 'int_summary', 'int_bed', 'int_hospital_mix', 'int_outflow_measure', 'int_spectrum'] %}
{% set keys = ['attribution', 'hospital_id', 'specialty_code', 'window_id'] %}
{% for model in models %}
    {% set relation %}
        (
            select place.{{ keys | join(', place.') }}, found.* exclude ({{ keys | join(', ') }})
            from {{ ref('int_count') }} as place
            left join {{ ref(model) }} as found
                on
                    {% for key in keys %}
                        place.{{ key }} = found.{{ key }}{{ ' and' if not loop.last }}
                    {% endfor %}
        )
    {% endset %}
    select
        hospital_id,
        specialty_code,
        attribution,
        window_id,
        measure_id,
        value
    from {{ unpivot_measures(relation, keys) }} as measures
    {{ 'union all' if not loop.last }}
{% endfor %}
