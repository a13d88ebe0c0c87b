{# `expression` over this model equals `other_expression` over another: nothing was lost or counted twice. #}
{% test sums_match(model, expression, other, other_expression) %}
select
    this_side.total as this_total,
    other_side.total as other_total
from (select {{ expression }} as total from {{ model }}) as this_side
cross join (select {{ other_expression }} as total from {{ other }}) as other_side
where this_side.total is distinct from other_side.total
{% endtest %}
