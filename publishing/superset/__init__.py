"""A ready Superset dashboard over the mirrored views.

Belongs here: which datasets there are (`datasets`), which charts on which pages (`pages`), and the zip that Superset
imports (`package`).  Does not belong here: numbers, and the mirror itself (:mod:`publishing.targets`).
"""
