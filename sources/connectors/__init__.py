"""Carriers: whatever container and encoding a file comes in, it leaves as a header and cells of text.

Belongs here: zip, gz, plain CSV, DBF pairs, XLSX, character encodings.  Does not belong here: what a column means.
"""

from sources.connectors.carrier import Carrier, open_carrier
from sources.connectors.problems import FileRefused

__all__ = ["Carrier", "FileRefused", "open_carrier"]
