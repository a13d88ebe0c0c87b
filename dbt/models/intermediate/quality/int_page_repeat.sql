-- Front pages per organisation and month, by what they repeat or contradict.
select
    page.organisation_id,
    page.month,
    page.patient_id is not null and page.admission_count is not null as is_identified,
    page.person_id is not null as has_person,
    coalesce(repeated.is_repeated_admission, false) as is_repeated_admission,
    coalesce(repeated.is_identical, false) as is_identical,
    coalesce(repeated.is_overlapping, false) as is_overlapping,
    coalesce(repeated.is_count_reset, false) as is_count_reset,
    count(*) as page_count
from {{ ref('stg_hqms_front_page') }} as page
left join {{ ref('int_repeated_page') }} as repeated
    on page.source_id = repeated.source_id and page.source_row = repeated.source_row
group by all
