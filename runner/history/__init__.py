"""Keeps judged runs in one SQLite file, and gives back what a report shows of them.

``data`` has the classes, ``entry`` makes figures of samples, ``schema`` has the tables, ``files`` opens the file and
names what is wrong with it, ``database`` adds and reads, ``words`` has dates and reasons in words.
"""
