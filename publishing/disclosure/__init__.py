"""The public edition: what everybody may read, with small cells suppressed.

Belongs here: which marts are public at all (``marts.yaml``), which cells are suppressed and why (rules), and the folder
that is written. Does not belong here: the full edition, who may read it, and any number that is not in the marts.
"""

from publishing.disclosure.edition import given_away, write_public_edition
from publishing.disclosure.rules import DisclosureError, Policy

__all__ = ["DisclosureError", "Policy", "given_away", "write_public_edition"]
