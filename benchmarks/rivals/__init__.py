"""What somebody without the product would write for the measures of a hospital's specialty and year.

Belongs here: the long tables that rivals start from (:mod:`benchmarks.rivals.tables`) and one module per rival, each
with ``run(long, output)`` or a server of its own.  Does not belong here: who runs when and what is promised
(:mod:`benchmarks.indicators`).
"""
