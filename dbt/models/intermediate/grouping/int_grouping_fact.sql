-- What holds of a signature, in the words of the conditions: role and list. One row each.
with in_set as (
    select
        signature_id,
        edition_no,
        'diagnosis' as kind,
        {{ set_members('diagnosis_set') }} as class_id
    from {{ ref('int_grouping_signature') }}
    where diagnosis_set <> ''
    union all
    select
        signature_id,
        edition_no,
        'procedure' as kind,
        {{ set_members('procedure_set') }} as class_id
    from {{ ref('int_grouping_signature') }}
    where procedure_set <> ''
),

meant as (
    select
        signature.signature_id,
        case feature.role when 'valid' then 'first_valid_procedure' else 'principal_procedure' end as role,
        feature.subject,
        feature.body_region
    from {{ ref('int_grouping_signature') }} as signature
    inner join {{ ref('int_scheme_class_feature') }} as feature
        on signature.edition_no = feature.edition_no and signature.first_procedure_class = feature.class_id
    where feature.kind = 'procedure'
    union all
    select
        signature.signature_id,
        feature.role,
        feature.subject,
        feature.body_region
    from {{ ref('int_grouping_signature') }} as signature
    inner join {{ ref('int_scheme_class_feature') }} as feature
        on signature.edition_no = feature.edition_no and signature.principal_class = feature.class_id
    where feature.kind = 'principal'
    union
    select
        in_set.signature_id,
        case feature.role when 'valid' then 'any_valid_procedure' else feature.role end as role,
        feature.subject,
        feature.body_region
    from in_set
    inner join {{ ref('int_scheme_class_feature') }} as feature
        on
            in_set.edition_no = feature.edition_no
            and in_set.kind = feature.kind
            and in_set.class_id = feature.class_id
)

select * from meant
union all
select
    signature_id,
    'none' as role,
    '' as subject,
    '' as body_region
from {{ ref('int_grouping_signature') }}
union all
select
    signature_id,
    'no_valid_procedure' as role,
    '' as subject,
    '' as body_region
from {{ ref('int_grouping_signature') }}
where signature_id not in (select signature_id from meant where role = 'any_valid_procedure')
