"""Databases that get a copy of every release, for tools that do not read files.

Belongs here: which tables, keys, types, comments and views a release becomes (`layout`), what differs between
database engines (`engines`), loading, verifying, swapping, rolling back (`sql`), and who may see which rows
(`access`).
Does not belong here: making or judging a release; where a database is and its password (settings).
"""
