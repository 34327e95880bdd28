"""The command line: the only place that prints, exits and maps errors to exit codes.

Data goes to standard output, progress and messages to standard error. Exit codes: 0 done, 2 wrong
use, 3 faults found (or, under ``--strict``, something to review), 4 a file cannot be read, 5 a
network is missing or altered, 1 anything unexpected, 130 stopped with Ctrl-C.
"""
