"""Databases as sources: a month of a table becomes a received file, and is one from then on.

Belongs here: connections, which months are due, streaming their rows, the journal of pulls.  Does not belong here:
anything behind the inbox.  Journal, checks, privacy, quarantine, receipts and replacement are those of files.
"""
