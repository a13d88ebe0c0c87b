-- Front pages that repeat or contradict another page, few of many. Hashes find the candidates in one pass each; only
-- these are put in order and compared. No page counts as overlapping or reset that is already a repeated admission.
{% set content = [
    'organisation_id', 'sex', 'age_years', 'admission_time', 'discharge_time', 'diagnoses', 'operations',
    'total_fee_fen', 'self_paid_fen', 'fee_d11_fen', 'fee_d12_fen', 'fee_d13_fen', 'fee_d14_fen', 'fee_d15_fen',
    'fee_d16_fen', 'fee_d17_fen', 'fee_d18_fen', 'fee_d19_fen', 'fee_d20_fen', 'fee_d21_fen', 'fee_d22_fen',
    'fee_d23_fen', 'fee_d24_fen', 'fee_d25_fen', 'fee_d26_fen', 'fee_d27_fen', 'fee_d28_fen', 'fee_d29_fen',
    'fee_d30_fen', 'fee_d31_fen', 'fee_d32_fen', 'fee_d33_fen', 'fee_d34_fen',
] %}
{% set likeness = ['organisation_id', 'admission_time', 'discharge_time', 'total_fee_fen'] %}
with repeated_admission as (
    select
        page.source_id,
        page.source_row,
        row_number() over (
            partition by page.patient_id, page.admission_count
            order by page.discharge_time, page.source_id, page.source_row
        ) as place
    from {{ ref('stg_hqms_front_page') }} as page
    inner join (
        select {{ row_hash(['patient_id', 'admission_count']) }} as page_hash
        from {{ ref('stg_hqms_front_page') }}
        where patient_id is not null and admission_count is not null
        group by {{ row_hash(['patient_id', 'admission_count']) }}
        having count(*) > 1
    ) as candidate
        on {{ row_hash(['page.patient_id', 'page.admission_count']) }} = candidate.page_hash
),

identical as (
    select
        page.source_id,
        page.source_row,
        row_number() over (
            partition by {{ content | map('replace', '', 'page.', 1) | join(', ') }}
            order by page.source_id, page.source_row
        ) as place
    from {{ ref('stg_hqms_front_page') }} as page
    inner join (
        select {{ row_hash(likeness) }} as page_hash
        from {{ ref('stg_hqms_front_page') }}
        group by {{ row_hash(likeness) }}
        having count(*) > 1
    ) as candidate
        on {{ row_hash(likeness | map('replace', '', 'page.', 1) | list) }} = candidate.page_hash
),

person_stay as (
    select
        page.source_id,
        page.source_row,
        page.admission_count,
        page.admission_time < max(page.discharge_time) over (
            partition by page.person_id
            order by page.admission_time, page.discharge_time, page.source_id, page.source_row
            rows between unbounded preceding and 1 preceding
        ) as is_overlapping,
        row_number() over (
            partition by page.person_id, page.organisation_id
            order by page.admission_time, page.discharge_time, page.source_id, page.source_row
        ) as stay_of_organisation
    from {{ ref('stg_hqms_front_page') }} as page
    inner join (
        select {{ row_hash(['person_id']) }} as person_hash
        from {{ ref('stg_hqms_front_page') }}
        where person_id is not null
        group by {{ row_hash(['person_id']) }}
        having count(*) > 1
    ) as candidate
        on {{ row_hash(['page.person_id']) }} = candidate.person_hash
    where page.discharge_time >= page.admission_time
),

flagged as (
    select
        source_id,
        source_row,
        true as is_repeated_admission,
        false as is_identical,
        false as is_overlapping,
        false as is_count_reset
    from repeated_admission
    where place > 1
    union all
    select
        source_id,
        source_row,
        false as is_repeated_admission,
        true as is_identical,
        false as is_overlapping,
        false as is_count_reset
    from identical
    where place > 1
    union all
    select
        source_id,
        source_row,
        false as is_repeated_admission,
        false as is_identical,
        coalesce(is_overlapping, false) as is_overlapping,
        stay_of_organisation > 1 and admission_count = 1 as is_count_reset
    from person_stay
    where is_overlapping or (stay_of_organisation > 1 and admission_count = 1)
)

select
    source_id,
    source_row,
    bool_or(is_repeated_admission) as is_repeated_admission,
    bool_or(is_identical) as is_identical,
    bool_or(is_overlapping) and not bool_or(is_repeated_admission or is_identical) as is_overlapping,
    bool_or(is_count_reset) and not bool_or(is_repeated_admission or is_identical) as is_count_reset
from flagged
group by source_id, source_row
