"""What must hold before a number is published, and the verdict whether it holds.

Belongs here: row rules and mart checks as data, the thin layer over Great Expectations that judges them, the
verdict and its store. Does not belong here: how a number is computed (dbt), how it is published (publishing),
any Dagster code.
"""
