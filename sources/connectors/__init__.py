"""Carriers: whatever container and encoding a file comes in, it leaves as one UTF-8 CSV with a header.

Belongs here: zip, gz, plain CSV, DBF pairs, XLSX, character encodings.  Does not belong here: what a column means.
"""

from sources.connectors.carrier import Carrier, CsvFacts, open_carrier
from sources.connectors.problems import FileRefused

__all__ = ["Carrier", "CsvFacts", "FileRefused", "open_carrier"]
