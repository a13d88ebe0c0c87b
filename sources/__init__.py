"""How each upstream system speaks: layouts, landing, de-identification and the demo province.

Belongs here: contracts of the interfaces, decoding of their carriers, the step from a received file to
typed and de-identified Parquet, and the writer of the demo province.  Does not belong here: indicator
arithmetic (``dbt/``), thresholds (``expectations/``), anything of Dagster (``dagster_project/``).
"""
