"""The official forms: each programme's printed annex, filled cell by cell as a workbook.

Belongs here: the annexes' layouts (``layouts/``, one file per programme) and how a filled annex looks on a sheet.
Does not belong here: what an entry is worth, which the marts say; wording that the registry of items already holds.
"""

from publishing.forms.workbook import write_forms

__all__ = ["write_forms"]
