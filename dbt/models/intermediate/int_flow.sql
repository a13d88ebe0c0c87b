-- Discharges by where the patient lives and where the hospital is, as far as both are known: the second and last
-- table that reads every discharge, for no cell keeps the residence.
select
    cast(extract(year from page.discharge_time) as integer) as data_year,
    {{ specialty_of_joins() }} as specialty_code,
    case when page.residence_basis in ('address', 'postcode') then page.residence_division end as residence_division,
    hospital.division as hospital_division,
    count(*) as discharge_count
from {{ ref('stg_hqms_front_page') }} as page
{{ specialty_joins('page.discharge_department') }}
left join {{ ref('stg_hospital') }} as hospital on page.organisation_id = hospital.organisation_id
group by all
