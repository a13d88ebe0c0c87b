-- The direction lists of the plans that hold in this province, one row per specialty with the lists it stands in. A
-- list that names a first-level specialty names its second-level specialties too.
select
    specialty.specialty_code,
    list_sort(array_agg(distinct direction.list_id)) as list_ids
from {{ ref('dim_specialty') }} as specialty
inner join {{ ref('direction_list') }} as direction
    on direction.specialty_code in (specialty.specialty_code, specialty.parent_code)
where
    -- some lists name provinces; those that name districts of a city are for that city's own rules
    direction.division is null
    or direction.division = {{ province_division() }}
group by specialty.specialty_code
