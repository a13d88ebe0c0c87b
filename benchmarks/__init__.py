"""How fast, how large, how it grows: ``make bench`` measures the product on invented data of realistic width.

Belongs here: generators of wide data, the contenders, the harness, and the rendering of ``docs/performance.md``.
Does not belong here: what must be right (``tests/``), and anything that the product itself imports.
"""
