{# Every value that is present lies between `minimum` and `maximum`, both included. #}
{% test accepted_range(model, column_name, minimum, maximum) %}
select {{ column_name }}
from {{ model }}
where {{ column_name }} < {{ minimum }} or {{ column_name }} > {{ maximum }}
{% endtest %}
