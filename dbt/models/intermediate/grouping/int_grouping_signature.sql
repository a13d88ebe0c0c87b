-- The distinct profiles: the rules are tried on these, not on cases.
select
    cast(row_number() over () as integer) as signature_id,
    profile.*
from (
    select distinct
        edition_no,
        principal_class,
        diagnosis_set,
        first_procedure_class,
        procedure_set,
        sex,
        age_days_band,
        age_years_band,
        weight_band
    from {{ ref('int_grouping_profile') }}
    where principal_code is not null
) as profile
