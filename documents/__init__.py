"""Documents made from data: source pages, a page per indicator and programme, and the requirements matrix.

Belongs here: rendering what contracts and registries say.  Does not belong here: prose, which is written by hand in
``docs``, and any figure that nobody computed.  Nothing that runs at night imports this package.
"""
