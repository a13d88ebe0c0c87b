-- What counts as surgery, with the days on which that holds.
select
    operation_code,
    edition,
    operation_level is not distinct from '4' as is_level4,
    coalesce(is_minimally_invasive, false) as is_minimally_invasive,
    coalesce(is_day_surgery, false) as is_day_surgery,
    -- the catalogue has no class of its own for endoscopy: its names say 内镜, 腔镜, 镜下
    operation_class = '介入治疗' or coalesce(operation_name like '%镜%', false) as is_endoscopic_or_interventional,
    valid_from,
    valid_until
from {{ ref('int_operation_catalogue') }}
where operation_class in ('手术', '介入治疗')
