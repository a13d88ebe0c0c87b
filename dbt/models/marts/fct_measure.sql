-- What may be added up over hospitals, specialties or years by a reader.
select
    measure.hospital_id,
    measure.specialty_code,
    measure.attribution,
    measure.window_id,
    measure.measure_id,
    measure.value
from {{ ref('int_measure') }} as measure
inner join {{ ref('measures') }} as registry on measure.measure_id = registry.measure_id
where registry.is_additive
