"""The demo province 云岫省: an inbox in the genuine interface formats, filled with invented hospitals and
patients, and the invented scheme that groups them.

Belongs here: everything that makes up and writes the demo data. Does not belong here: anything that reads
data in production; nothing but tests reads what this package says about itself.
"""

from sources.synthetic.identity import identity_values
from sources.synthetic.province import ProvinceSummary, write_province
from sources.synthetic.scheme import write_demo_schemes

__all__ = ["ProvinceSummary", "identity_values", "write_demo_schemes", "write_province"]
