"""Putting the plugins where editing programs look for them, and taking them away again.

Copies, never links: some programs may read nothing outside their own folders. What is written is
made from the files of ``plugins/`` with the folder of jobs stamped in.
"""
