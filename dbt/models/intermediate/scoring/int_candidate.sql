-- Who can be scored: a registered hospital's specialty with discharges in the programme's window or with a dossier.
-- Peers are the hospitals of the programme's levels; who is no peer is placed among them all the same. A code that is
-- not in the register is nobody: most are mistyped, and their few cases would stand above everybody's. The numbers
-- stand for keys wherever a million rows are joined: the candidate, its hospital and specialty, and the field of all
-- candidates of its specialty.
with pair as (
    select
        programme.programme_id,
        programme.tier,
        indicator.hospital_id,
        indicator.specialty_code
    from {{ ref('int_programme') }} as programme
    inner join {{ ref('fct_indicator') }} as indicator
        on programme.window_id = indicator.window_id and programme.attribution = indicator.attribution
    where indicator.indicator_id = 'discharge_count' and indicator.value > 0
    union
    select
        programme.programme_id,
        programme.tier,
        dossier.organisation_id as hospital_id,
        dossier.specialty_code
    from {{ ref('int_programme') }} as programme
    cross join {{ ref('stg_dossier_item') }} as dossier
)

select
    cast(
        row_number() over (
            order by pair.programme_id, pair.tier, pair.hospital_id, pair.specialty_code
        ) as integer
    ) as candidate_no,
    cast(dense_rank() over (order by pair.hospital_id, pair.specialty_code) as integer) as pair_no,
    cast(dense_rank() over (order by pair.programme_id, pair.tier, pair.specialty_code) as integer) as field_no,
    pair.programme_id,
    pair.tier,
    programme.serial,
    programme.window_id,
    pair.hospital_id,
    pair.specialty_code,
    specialty.kind as specialty_kind,
    case when hospital.kind = '综合' then '综合' else '其他' end as hospital_kind,
    coalesce(';' || programme.peer_levels || ';' like '%;' || hospital.level || ';%', false) as is_peer
from pair
inner join {{ ref('int_programme') }} as programme
    on pair.programme_id = programme.programme_id and pair.tier = programme.tier
inner join {{ ref('dim_hospital') }} as hospital on pair.hospital_id = hospital.hospital_id
inner join {{ ref('dim_specialty') }} as specialty on pair.specialty_code = specialty.specialty_code
where hospital.is_registered and not hospital.is_region and specialty.specialty_code not in ('ALL', 'UNMAPPED')
