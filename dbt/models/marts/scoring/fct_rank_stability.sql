-- How often a ranked candidate stays above the programme's cut when two things vary that nobody knows exactly: the
-- weights and the values.
--
-- In each draw every first-level group's share of the total is multiplied by a factor spread evenly over 1 ± the
-- programme's percentage, the same for all candidates; every total then moves by its own standard error times a number
-- that is nearly normal, twice the sum of three even ones less three; and candidates are ranked anew. All is
-- whole-number arithmetic on hashes of the keys, so equal inputs give equal results, and neither the order of rows nor
-- another candidate changes anybody's draws. Peers' places are not redrawn.
{% set modulus = 2147483647 %}
-- depends_on: {{ ref('programme_items') }}
{% set most_groups = 1 %}
{% if execute %}
    {% set counted = run_query(
        'select max(group_count) from (select count(distinct group_id) as group_count from '
        ~ ref('programme_items') ~ ' group by programme_id) as programme'
    ) %}
    {% set most_groups = (counted.rows[0][0] or 1) | int %}
{% endif %}
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
        programme.draws,
        programme.data_share,
        programme.reputation_share,
        cast({{ scaled_integer('total.score_error', 6) }} as bigint) as error_units,
        {{ hashed_integer(
            "concat_ws('|', total.programme_id, total.tier, total.hospital_id, total.specialty_code)", modulus
        ) }} as seed,
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

-- every first-level group of a programme has a place of its own, the same for all candidates
group_place as (
    select
        programme_id,
        tier,
        group_id,
        row_number() over (partition by programme_id, tier order by group_id) as place
    from {{ ref('fct_score') }}
    where level = 'group'
    group by programme_id, tier, group_id
),

grouped as (
    select
        candidate.candidate_no,
        group_place.place,
        score.part,
        score.scored_weight,
        score.score,
        case score.part when 'data' then candidate.data_share else candidate.reputation_share end as part_share
    from candidate
    inner join {{ ref('fct_score') }} as score
        on
            candidate.programme_id = score.programme_id
            and candidate.tier = score.tier
            and candidate.window_id = score.window_id
            and candidate.hospital_id = score.hospital_id
            and candidate.specialty_code = score.specialty_code
    inner join group_place
        on
            score.programme_id = group_place.programme_id
            and score.tier = group_place.tier
            and score.group_id = group_place.group_id
    where score.level = 'group' and score.score is not null
),

-- a group's share of the total in millionths, before it varies; scores in millionths, too
component as (
    select
        candidate_no,
        place,
        cast({{ scaled_integer('score', 6) }} as bigint) as score_units,
        cast(
            cast(scored_weight as bigint) * part_share * 1000000
            // (100 * sum(scored_weight) over (partition by candidate_no, part)) as bigint
        ) as share
    from grouped
),

-- one row a candidate and one row a draw, a column a group: a draw is arithmetic, and nothing is added up over rows
component_row as (
    select
        candidate_no,
        {% for place in range(1, most_groups + 1) %}
            coalesce(max(share) filter (where place = {{ place }}), 0) as share{{ place }},
            coalesce(max(share * score_units) filter (where place = {{ place }}), 0) as product{{ place }}{{ ',' if not loop.last }}
        {% endfor %}
    from component
    group by candidate_no
),

-- in thousandths
weight_factor as (
    select
        group_place.programme_id,
        group_place.tier,
        group_place.place,
        draw.draw_no,
        1000 - 10 * programme.weight_spread_percent + {{ hashed_integer(
            "concat_ws('|', group_place.programme_id, group_place.tier, group_place.group_id, draw.draw_no)",
            "(20 * programme.weight_spread_percent + 1)"
        ) }} as factor
    from group_place
    inner join {{ ref('dim_programme') }} as programme
        on group_place.programme_id = programme.programme_id and group_place.tier = programme.tier
    inner join draw on programme.draws >= draw.draw_no
),

factor_row as (
    select
        weight_factor.programme_id,
        weight_factor.tier,
        draw.*,
        {% for place in range(1, most_groups + 1) %}
            coalesce(max(weight_factor.factor) filter (where weight_factor.place = {{ place }}), 0) as factor{{ place }}{{ ',' if not loop.last }}
        {% endfor %}
    from weight_factor
    inner join draw on weight_factor.draw_no = draw.draw_no
    group by all
),

redrawn as (
    select
        candidate.candidate_no,
        candidate.cut_rank,
        -- one number for all who are ranked together: two would take twice as long to sort by
        candidate.field_no * {{ modulus }} + factor_row.draw_no as contest_no,
        -- at most 10^6 * 2 * 10^3 * 10^8: 64 bits hold it, and divide much faster than 128
        ({% for place in range(1, most_groups + 1) %}product{{ place }} * factor{{ place }}{{ ' + ' if not loop.last }}{% endfor %})
        // ({% for place in range(1, most_groups + 1) %}share{{ place }} * factor{{ place }}{{ ' + ' if not loop.last }}{% endfor %})
        - 3 * candidate.error_units + candidate.error_units * (2000 * (
            {% for number in range(1, 4) %}
                (candidate.seed * factor_row.slope{{ number }} + factor_row.start{{ number }}) % {{ modulus }}{{ ' +' if not loop.last }}
            {% endfor %}
        ) // {{ modulus }}) // 1000 as score_units
    from component_row
    inner join candidate on component_row.candidate_no = candidate.candidate_no
    inner join factor_row on candidate.programme_id = factor_row.programme_id and candidate.tier = factor_row.tier
),

reranked as (
    select
        candidate_no,
        cut_rank,
        cast(rank() over (partition by contest_no order by score_units desc) as integer) as draw_rank
    from redrawn
),

counted as (
    select
        candidate_no,
        count(*) filter (where draw_rank <= cut_rank) as above_cut_count,
        percentile_disc(0.05) within group (order by draw_rank) as rank_5,
        percentile_disc(0.95) within group (order by draw_rank) as rank_95
    from reranked
    group by candidate_no
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
