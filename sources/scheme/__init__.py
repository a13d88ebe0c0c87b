"""Grouping schemes: packages that a commission brings, checked, kept for good, and shown to the warehouse.

Belongs here: the package format, its checks, the store of imported editions and their comparison.  Does not belong
here: grouping a record, which is SQL (``dbt/models/intermediate/grouping``).

A scheme is data, never code: whatever edition a commission loads, the same SQL groups by it.
"""
