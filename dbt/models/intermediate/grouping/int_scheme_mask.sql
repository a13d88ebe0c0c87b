-- What a code answers of a reach's questions, by the part of the case that it stands in: as principal diagnosis, as
-- any diagnosis, as the first procedure, as any procedure. Codes as the edition writes them.
with question as (
    select
        bit.*,
        {{ one_bit('bit.place', 'bit.width') }} as mask,
        scheme.edition_id
    from {{ ref('int_scheme_bit') }} as bit
    inner join {{ ref('int_scheme') }} as scheme on bit.edition_no = scheme.edition_no
),

answered as (
    select
        question.edition_no,
        question.reach_id,
        case question.role
            when 'principal_diagnosis' then 'principal'
            when 'any_diagnosis' then 'diagnosis'
            when 'principal_procedure' then 'first'
            else 'procedure'
        end as part,
        code_list.code,
        question.mask
    from question
    inner join {{ source('scheme', 'code_list') }} as code_list
        on question.edition_id = code_list.edition_id and question.subject = code_list.list_id
    where question.role in ('principal_diagnosis', 'any_diagnosis', 'principal_procedure', 'any_procedure')
    union all
    select
        question.edition_no,
        question.reach_id,
        'diagnosis' as part,
        mdc_diagnosis.code,
        question.mask
    from question
    inner join {{ source('scheme', 'mdc_diagnosis') }} as mdc_diagnosis
        on
            question.edition_id = mdc_diagnosis.edition_id
            and question.subject = mdc_diagnosis.mdc
            and question.body_region = mdc_diagnosis.body_region
    where question.role = 'body_region'
    union all
    select
        question.edition_no,
        question.reach_id,
        case question.role when 'first_valid_procedure' then 'first' else 'procedure' end as part,
        valid_procedure.code,
        question.mask
    from question
    inner join {{ source('scheme', 'valid_procedure') }} as valid_procedure
        on question.edition_id = valid_procedure.edition_id
    where question.role in ('any_valid_procedure', 'first_valid_procedure')
)

select
    edition_no,
    reach_id,
    part,
    code,
    {{ union_of('mask') }} as mask
from answered
group by edition_no, reach_id, part, code
