-- Each rule month by month, for every organisation and for the region, beside the twelve months before.
with monthly as (
    select
        rule_id,
        dataset,
        case when grouping(organisation_id) = 1 then 'REGION' else organisation_id end as hospital_id,
        month,
        cast(month || '-01' as date) as month_start,
        cast(sum(checked) as bigint) as checked,
        cast(sum(violated) as bigint) as violated,
        cast(count(*) filter (where status = 'failed') as bigint) as failed_organisations
    from {{ ref('fct_dq_result') }}
    where length(month) = 7 and organisation_id <> '' and checked > 0
    group by grouping sets (
        (rule_id, dataset, organisation_id, month),
        (rule_id, dataset, month)
    )
),

compared as (
    select
        *,
        sum(checked) over earlier as earlier_checked,
        sum(violated) over earlier as earlier_violated
    from monthly
    window
        earlier as (
            partition by rule_id, dataset, hospital_id
            order by month_start
            range between interval 12 month preceding and interval 1 month preceding
        )
)

select
    rule_id,
    dataset,
    hospital_id,
    month,
    checked,
    violated,
    {{ exact_ratio(['violated'], ['checked'], 8, 18) }} as violated_share,
    {{ exact_ratio(['earlier_violated'], ['earlier_checked'], 8, 18) }} as earlier_violated_share,
    case
        when earlier_checked is null then 'new'
        when violated * earlier_checked > earlier_violated * checked then 'worse'
        when violated * earlier_checked < earlier_violated * checked then 'better'
        else 'steady'
    end as trend,
    failed_organisations
from compared
