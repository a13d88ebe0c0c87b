-- The specialties, with ALL (the whole hospital) and UNMAPPED (cases whose department or group is not listed).
select
    specialty.specialty_code,
    specialty.name_zh,
    specialty.parent_code,
    parent.name_zh as parent_name_zh,
    specialty.kind
from {{ ref('specialties') }} as specialty
left join {{ ref('specialties') }} as parent on specialty.parent_code = parent.specialty_code
union all
select
    specialty_code,
    name_zh,
    null as parent_code,
    null as parent_name_zh,
    'other' as kind
from (values ('ALL', '全部专科'), ('UNMAPPED', '未对照专科')) as aggregate_row (specialty_code, name_zh)
