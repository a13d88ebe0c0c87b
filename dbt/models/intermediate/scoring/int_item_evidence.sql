-- The evidence of an item brought together: its items added up, their denominator, and what they are compared with.
-- Of several years the latest counts; what is known of a hospital counts for each of its specialties.
with item as (
    select distinct
        registered.item_no,
        printed.evidence_items,
        printed.denominator_items,
        printed.comparison_items
    from {{ ref('int_programme_item') }} as registered
    inner join {{ ref('programme_items') }} as printed
        on registered.programme_id = printed.programme_id and registered.item_id = printed.item_id
),

field as (
    select
        item_no,
        'value' as role,
        {{ split_list('evidence_items') }} as item_code
    from item
    where evidence_items is not null
    union all
    select
        item_no,
        'denominator' as role,
        {{ split_list('denominator_items') }} as item_code
    from item
    where denominator_items is not null
    union all
    select
        item_no,
        'comparison' as role,
        {{ split_list('comparison_items') }} as item_code
    from item
    where comparison_items is not null
),

wanted as (
    select
        item_no,
        count(*) filter (where role = 'value') as wanted_value_count,
        count(*) filter (where role = 'denominator') as wanted_denominator_count,
        count(*) filter (where role = 'comparison') as wanted_comparison_count
    from field
    group by item_no
),

pair as (
    select distinct
        pair_no,
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
        pair.pair_no,
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
        pair.pair_no,
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
        field.item_no,
        known.pair_no,
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
    inner join known on field.item_code = known.item_code
    group by field.item_no, known.pair_no
)

select
    gathered.*,
    gathered.value_count = wanted.wanted_value_count as has_every_value,
    gathered.denominator_count = wanted.wanted_denominator_count as has_every_denominator,
    gathered.comparison_count = wanted.wanted_comparison_count as has_every_comparison
from gathered
inner join wanted on gathered.item_no = wanted.item_no
