"""Certificates: releases frozen for evaluators, signed by people, checked by anybody with the public keys.

Belongs here: keys and keyring, envelopes, the register, what a bundle holds, the life cycle, offline verification.
Does not belong here: the words of a form or page (`publishing.forms`, `publishing.report`), cases behind a number.
What verifies imports neither DuckDB nor pandas: it must start at once on any laptop.
"""
