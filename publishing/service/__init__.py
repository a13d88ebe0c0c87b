"""The evaluators' read-only web service over issued certificates.

Belongs here: who may read what (tokens, the one guard), what was read (audit log), reading bundles, JSON and HTML.
Does not belong here: computing, charts' drawing (publishing.report), signatures (publishing.certificates), writing
anything but the audit log and the list of tokens.
"""
