{# `condition` is true for every row; unknown counts as broken. #}
{% test holds(model, condition) %}
select *
from {{ model }}
where ({{ condition }}) is not true
{% endtest %}
