-- What the codes of a class mean.
select distinct
    class.edition_no,
    class.kind,
    class.class_id,
    feature.role,
    feature.subject,
    feature.body_region
from {{ ref('int_scheme_class') }} as class
inner join {{ ref('int_scheme_feature') }} as feature
    on class.edition_no = feature.edition_no and class.kind = feature.kind and class.code = feature.code
