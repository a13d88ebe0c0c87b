-- The evidence of an item brought together: its items added up, their denominator, and what they are compared with.
-- Of several years the latest counts; what is known of a hospital counts for each of its specialties.
with field as (
    select
        programme_id,
        item_id,
        'value' as role,
        {{ split_list('evidence_items') }} as item_code
    from {{ ref('programme_items') }}
    where evidence_items is not null
    union all
    select
        programme_id,
        item_id,
        'denominator' as role,
        {{ split_list('denominator_items') }} as item_code
    from {{ ref('programme_items') }}
    where denominator_items is not null
    union all
    select
        programme_id,
        item_id,
        'comparison' as role,
        {{ split_list('comparison_items') }} as item_code
    from {{ ref('programme_items') }}
    where comparison_items is not null
),

wanted as (
    select
        programme_id,
        item_id,
        count(*) filter (where role = 'value') as wanted_value_count,
        count(*) filter (where role = 'denominator') as wanted_denominator_count,
        count(*) filter (where role = 'comparison') as wanted_comparison_count
    from field
    group by programme_id, item_id
),

pair as (
    select distinct
        programme_id,
        hospital_id,
        specialty_code
    from {{ ref('int_candidate') }}
),

latest as (
    select
        *,
        row_number() over (
            partition by hospital_id, specialty_code, item_code order by data_year desc, period desc
        ) as recency
    from {{ ref('fct_evidence') }}
    where status <> 'awaiting_dossier'
),

known as (
    select
        pair.programme_id,
        pair.hospital_id,
        pair.specialty_code,
        latest.item_code,
        latest.value,
        latest.choice,
        latest.period,
        latest.status
    from latest
    inner join pair on latest.hospital_id = pair.hospital_id and latest.specialty_code = pair.specialty_code
    where latest.recency = 1
    union all
    select
        pair.programme_id,
        pair.hospital_id,
        pair.specialty_code,
        latest.item_code,
        latest.value,
        latest.choice,
        latest.period,
        latest.status
    from latest
    inner join pair on latest.hospital_id = pair.hospital_id
    where latest.recency = 1 and latest.specialty_code = 'ALL'
),

gathered as (
    select
        field.programme_id,
        field.item_id,
        known.hospital_id,
        known.specialty_code,
        sum(known.value) filter (where field.role = 'value') as value_sum,
        max(known.value) filter (where field.role = 'value') as value_max,
        count(*) filter (where field.role = 'value' and known.status = 'valued') as value_count,
        count(*) filter (where field.role = 'value' and known.status = 'not_scored') as unreviewed_count,
        sum(known.value) filter (where field.role = 'denominator') as denominator_sum,
        count(*) filter (where field.role = 'denominator') as denominator_count,
        min(known.value) filter (where field.role = 'comparison') as comparison_min,
        count(*) filter (where field.role = 'comparison') as comparison_count,
        max(known.choice) filter (where field.role = 'value') as choice,
        max(known.period) filter (where field.role = 'value') as data_window
    from field
    inner join known on field.programme_id = known.programme_id and field.item_code = known.item_code
    group by field.programme_id, field.item_id, known.hospital_id, known.specialty_code
)

select
    gathered.*,
    gathered.value_count = wanted.wanted_value_count as has_every_value,
    gathered.denominator_count = wanted.wanted_denominator_count as has_every_denominator,
    gathered.comparison_count = wanted.wanted_comparison_count as has_every_comparison
from gathered
inner join wanted on gathered.programme_id = wanted.programme_id and gathered.item_id = wanted.item_id
