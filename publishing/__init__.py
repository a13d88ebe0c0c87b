"""From a judged candidate to a release that readers use.

Belongs here: export of the marts, the data package that describes them, provenance, the release and its
atomic publication.
Does not belong here: computing numbers (dbt), judging them (expectations), any Dagster code.
"""
