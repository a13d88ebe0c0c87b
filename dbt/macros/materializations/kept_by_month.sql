{# A table whose rows of a discharge month follow from the landed rows of that month and from what belongs to no month.
   What it computes of a month is kept as a file, and the model is a view of those files: a month is computed again when
   anything that it is made of has changed, and never otherwise.

   Schema `kept` of the candidate says where files are kept, what all code is (kept.basis), and the landed rows of every
   month (kept.input); dagster_project/kept_months.py writes it. Without it the model is a plain table.

   The model tells the month by a column `month` or `discharge_month`, or has a row for a page: `source_id` and
   `source_row`. No row of it may rest on front pages, results or reports of another month than its own; models that do,
   such as repeated pages, stay tables. #}
{% materialization kept_by_month, adapter='duckdb' %}
    {% set sources = [] %}
    {% set models = [] %}
    {% do collect_ancestors(model.unique_id, sources, models) %}
    {% set months = kept_files(sources) %}
    {% if not months %}
        {{ return(materialization_table_duckdb()) }}
    {% endif %}

    {% set target = this.incorporate(type='view') %}
    {% set existing = load_cached_relation(this) %}
    {{ run_hooks(pre_hooks) }}
    {% set missing = months | rejectattr('is_kept') | list %}
    {% if missing %}
        {% do keep_months(months, missing, sources, models) %}
    {% endif %}
    {% if existing is not none and existing.type != 'view' %}
        {% do adapter.drop_relation(existing) %}
    {% endif %}
    {% call statement('main') -%}
        create or replace view {{ target }} as {{ rows_kept_in(months | map(attribute='path')) }}
    {%- endcall %}
    {% do run_query("delete from kept.used where model = '" ~ model.name ~ "'") %}
    {% do run_query(
        "insert into kept.used select '" ~ model.name ~ "', unnest([" ~ quoted_list(months | map(attribute='month'))
        ~ "]), unnest([" ~ quoted_list(months | map(attribute='path')) ~ "])"
    ) %}
    {{ run_hooks(post_hooks) }}
    {{ adapter.commit() }}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}

{# Compute the missing months in one pass and write a file for each. Landed datasets and kept models show only those
   months meanwhile, in a transaction that is rolled back: nobody else ever sees them so. #}
{% macro keep_months(months, missing, sources, models) %}
    {% call statement('restrict') -%} select 1 {%- endcall %}
    {% if missing | length < months | length %}
        {% do restrict_to(missing | map(attribute='month') | list, sources, models) %}
    {% endif %}
    {% set columns = adapter.get_column_schema_from_query(compiled_code) | map(attribute='name') | list %}
    {% do run_query('create temporary table computed as ' ~ with_month(columns)) %}
    {% set astray = run_query(
        'select count(*) from computed where (kept_month in (' ~ quoted_list(missing | map(attribute='month'))
        ~ ')) is not true'
    ).rows[0][0] %}
    {% if astray %}
        {% do exceptions.raise_compiler_error(model.name ~ ' 有 ' ~ astray ~ ' 行不属于所计算的月份，不能按月保留') %}
    {% endif %}
    {% do stop_unless_parquet_keeps_columns(missing[0].path ~ '.columns') %}
    {% for each in missing %}
        {# under another name until it is whole #}
        {% do run_query(
            "copy (select * exclude (kept_month) from computed where kept_month = '" ~ each.month ~ "') to "
            ~ quoted(each.path) ~ ' (format parquet, compression snappy, use_tmp_file true)'
        ) %}
    {% endfor %}
    {% do run_query('rollback') %}
    {% do run_query('begin transaction') %}
{% endmacro %}

{# Parquet has no type for some columns and quietly takes the next best: a sum of whole numbers becomes a floating one. #}
{% macro stop_unless_parquet_keeps_columns(probe) %}
    {% do run_query('copy (from computed limit 0) to ' ~ quoted(probe) ~ ' (format parquet)') %}
    {% set computed = run_query('select column_name, column_type from (describe computed)').rows %}
    {% set kept = run_query('select column_name, column_type from (describe ' ~ rows_kept_in([probe]) ~ ')').rows %}
    {% if computed | map('list') | list != kept | map('list') | list %}
        {% do exceptions.raise_compiler_error(model.name ~ ' 有 Parquet 不能原样保存的列类型，不能按月保留') %}
    {% endif %}
{% endmacro %}

{% macro with_month(columns) -%}
    {% if 'month' in columns or 'discharge_month' in columns -%}
        select
            model.*,
            {{ 'model.month' if 'month' in columns else "strftime(model.discharge_month, '%Y-%m')" }} as kept_month
        from ({{ compiled_code }}) as model
    {%- else -%}
        select
            model.*,
            strftime(page.discharge_time, '%Y-%m') as kept_month
        from ({{ compiled_code }}) as model
        left join landing.hqms_front_page as page
            on model.source_id = page.source_id and model.source_row = page.source_row
    {%- endif %}
{%- endmacro %}

{# Each month that there are rows of, the file for it, and whether it is there. The name of a file holds a digest of
   everything that the model is made of: code, variables, what belongs to no month, and the rows of the month. #}
{% macro kept_files(sources) %}
    {% if not run_query("from duckdb_tables() where schema_name = 'kept' and table_name = 'input'").rows %}
        {{ return([]) }}
    {% endif %}
    {% set known = run_query('select distinct relation from kept.input').columns[0].values() %}
    {% for source in sources if source not in known %}
        {% do exceptions.raise_compiler_error(model.name ~ ' 依赖 ' ~ source ~ '，其变化无从得知，不能按月保留') %}
    {% endfor %}
    {% set folder, code = run_query('select folder, digest from kept.basis').rows[0] %}
    {% set made_of = local_md5(tojson([code, model.name, invocation_args_dict['vars']], sort_keys=true)) %}
    {% set files = run_query(
        "with made_of as (from kept.input where relation in (" ~ quoted_list(sources) ~ ")),
        monthly as (
            select month, string_agg(relation || digest, ' ' order by relation) as digest
            from made_of where month <> '' group by month
        ),
        always as (
            select string_agg(relation || digest, ' ' order by relation) as digest from made_of where month = ''
        ),
        named as (
            select
                monthly.month,
                " ~ quoted(folder ~ '/' ~ model.name ~ '-') ~ " || monthly.month || '-'
                || left(md5(concat_ws(' ', '" ~ made_of ~ "', always.digest, monthly.digest)), 16)
                || '.parquet' as path
            from monthly cross join always
        )
        select month, path, path in (select file from glob(" ~ quoted(folder ~ '/*.parquet') ~ "))
        from named order by month"
    ).rows %}
    {% set found = [] %}
    {% for month, path, is_kept in files %}
        {% do found.append({'month': month, 'path': path, 'is_kept': is_kept}) %}
    {% endfor %}
    {{ return(found) }}
{% endmacro %}

{# Everything that a model is made of, as far as it goes: sources by name, and models that are kept themselves. #}
{% macro collect_ancestors(name, sources, models) %}
    {% for above in graph.nodes[name].depends_on.nodes %}
        {% if above in graph.sources %}
            {% set source = graph.sources[above].schema ~ '.' ~ graph.sources[above].identifier %}
            {% if source not in sources %}
                {% do sources.append(source) %}
            {% endif %}
        {% elif graph.nodes[above].resource_type == 'model' and above not in models %}
            {% do models.append(above) %}
            {% do collect_ancestors(above, sources, models) %}
        {% endif %}
    {% endfor %}
{% endmacro %}

{# Show only some months of the datasets, and of the kept models, that a model is made of. #}
{% macro restrict_to(months, sources, models) %}
    {% for source in sources %}
        {% set parts = run_query(
            "select query from kept.input where relation = '" ~ source ~ "' and query is not null
            and (month = '' or month in (" ~ quoted_list(months) ~ ")) order by month"
        ).columns[0].values() %}
        {% if parts %}
            {% do run_query('create or replace view ' ~ source ~ ' as ' ~ parts | join(' union all ')) %}
        {% endif %}
    {% endfor %}
    {% for above in models if graph.nodes[above].config.materialized == 'kept_by_month' %}
        {% set paths = run_query(
            "select path from kept.used where model = '" ~ graph.nodes[above].name ~ "' and month in ("
            ~ quoted_list(months) ~ ") order by month"
        ).columns[0].values() %}
        {% if paths %}
            {% do run_query(
                'create or replace view ' ~ graph.nodes[above].relation_name ~ ' as ' ~ rows_kept_in(paths)
            ) %}
        {% endif %}
    {% endfor %}
{% endmacro %}

{% macro rows_kept_in(paths) -%}
    select * from read_parquet([{{ quoted_list(paths) }}], hive_partitioning = false, union_by_name = false)
{%- endmacro %}

{% macro quoted(text) -%}
    '{{ text | replace("'", "''") }}'
{%- endmacro %}

{% macro quoted_list(texts) -%}
    {% for text in texts %}{{ quoted(text) }}{{ ', ' if not loop.last }}{% endfor %}
{%- endmacro %}
