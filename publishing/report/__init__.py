"""The report: what a list of candidates looks like, in Chinese, as pages that need nothing but themselves.

Belongs here: the view that templates show, the charts, the pages and their printing. Does not belong here: numbers
that are not in the marts; anything that a page would fetch.
"""

from publishing.report.pages import write_report
from publishing.report.printing import PrintingError, write_pdf

__all__ = ["PrintingError", "write_pdf", "write_report"]
