-- How often a ranked candidate stays above the programme's cut when two things vary that nobody knows exactly: the
-- weights and the values.
--
-- In each draw every first-level group's share of the total is multiplied by a factor spread evenly over 1 ± the
-- programme's percentage, the same for all candidates, and every group score of every candidate moves by its own
-- standard error times a number that is nearly normal: twice the sum of three even ones, less three. Candidates are
-- ranked anew. All is whole-number arithmetic on hashes of the keys, so equal inputs give equal results, and neither
-- the order of rows nor another candidate changes anybody's draws. Peers' places are not redrawn.
{% set modulus = 2147483647 %}
with candidate as (
    select
        total.programme_id,
        total.tier,
        total.window_id,
        total.hospital_id,
        total.specialty_code,
        total.score,
        total.rank,
        programme.cut_rank,
        programme.weight_spread_percent,
        programme.draws,
        programme.data_share,
        programme.reputation_share,
        row_number() over (
            order by total.programme_id, total.tier, total.window_id, total.hospital_id, total.specialty_code
        ) as candidate_no,
        dense_rank() over (
            order by total.programme_id, total.tier, total.window_id, total.specialty_code
        ) as field_no
    from {{ ref('fct_score') }} as total
    inner join {{ ref('dim_programme') }} as programme
        on total.programme_id = programme.programme_id and total.tier = programme.tier
    where total.level = 'total' and total.rank is not null
),

draw as (
    select
        draw_no,
        {% for number in range(1, 4) %}
            {{ hashed_integer("'slope " ~ number ~ " of draw ' || draw_no", modulus - 1) }} + 1 as slope{{ number }},
            {{ hashed_integer("'start " ~ number ~ " of draw ' || draw_no", modulus) }} as start{{ number }}{{ ',' if not loop.last }}
        {% endfor %}
    from (select {{ whole_numbers(1, "(select max(draws) from candidate)") }} as draw_no) as numbers
),

-- a group's share of the total in millionths, before it varies
component as (
    select
        candidate.candidate_no,
        grouped.programme_id,
        grouped.tier,
        grouped.group_id,
        candidate.draws,
        cast({{ scaled_integer('grouped.score', 6) }} as bigint) as score_units,
        cast({{ scaled_integer('grouped.score_error', 6) }} as bigint) as error_units,
        cast(
            cast(grouped.scored_weight as bigint) * 1000000
            * case grouped.part when 'data' then candidate.data_share else candidate.reputation_share end
            // (
                100 * sum(grouped.scored_weight) over (partition by candidate.candidate_no, grouped.part)
            ) as bigint
        ) as share,
        {{ hashed_integer(
            "concat_ws('|', grouped.programme_id, grouped.tier, grouped.hospital_id, grouped.specialty_code, grouped.group_id)",
            modulus
        ) }} as seed
    from candidate
    inner join {{ ref('fct_score') }} as grouped
        on
            candidate.programme_id = grouped.programme_id
            and candidate.tier = grouped.tier
            and candidate.window_id = grouped.window_id
            and candidate.hospital_id = grouped.hospital_id
            and candidate.specialty_code = grouped.specialty_code
    where grouped.level = 'group' and grouped.score is not null
),

weight_factor as (
    select
        grouped.programme_id,
        grouped.tier,
        grouped.group_id,
        draw.draw_no,
        100000 + programme.weight_spread_percent * (
            {{ hashed_integer(
                "concat_ws('|', 'weight', grouped.programme_id, grouped.tier, grouped.group_id, draw.draw_no)", 2001
            ) }} - 1000
        ) as factor
    from (select distinct programme_id, tier, group_id from component) as grouped
    inner join {{ ref('dim_programme') }} as programme
        on grouped.programme_id = programme.programme_id and grouped.tier = programme.tier
    cross join draw
    where draw.draw_no <= programme.draws
),

varied as (
    select
        component.candidate_no,
        draw.draw_no,
        component.share * weight_factor.factor as share,
        least(greatest(
            component.score_units - 3 * component.error_units + component.error_units * (2000 * (
                {% for number in range(1, 4) %}
                    (component.seed * draw.slope{{ number }} + draw.start{{ number }}) % {{ modulus }}{{ ' +' if not loop.last }}
                {% endfor %}
            ) // {{ modulus }}) // 1000, 0
        ), 100000000) as score_units
    from component
    inner join draw on component.draws >= draw.draw_no
    inner join weight_factor
        on
            component.programme_id = weight_factor.programme_id
            and component.tier = weight_factor.tier
            and component.group_id = weight_factor.group_id
            and draw.draw_no = weight_factor.draw_no
),

redrawn as (
    select
        candidate_no,
        draw_no,
        sum(cast(share as hugeint) * score_units) // sum(share) as score_units
    from varied
    group by candidate_no, draw_no
),

reranked as (
    select
        redrawn.candidate_no,
        rank() over (partition by candidate.field_no, redrawn.draw_no order by redrawn.score_units desc) as draw_rank
    from redrawn
    inner join candidate on redrawn.candidate_no = candidate.candidate_no
),

counted as (
    select
        reranked.candidate_no,
        count(*) filter (where reranked.draw_rank <= candidate.cut_rank) as above_cut_count,
        percentile_disc(0.05) within group (order by reranked.draw_rank) as rank_5,
        percentile_disc(0.95) within group (order by reranked.draw_rank) as rank_95
    from reranked
    inner join candidate on reranked.candidate_no = candidate.candidate_no
    group by reranked.candidate_no
)

select
    candidate.programme_id,
    candidate.tier,
    candidate.window_id,
    candidate.hospital_id,
    candidate.specialty_code,
    candidate.score,
    candidate.rank,
    candidate.cut_rank,
    candidate.draws,
    cast(counted.above_cut_count as integer) as above_cut_count,
    {{ exact_ratio(['counted.above_cut_count'], ['candidate.draws'], 4, 5) }} as above_cut_share,
    cast(counted.rank_5 as integer) as rank_5,
    cast(counted.rank_95 as integer) as rank_95
from candidate
inner join counted on candidate.candidate_no = counted.candidate_no
