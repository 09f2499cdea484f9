"""What the command line leaves with."""

from enum import IntEnum


class Exit(IntEnum):
    """Exit codes; scripts and schedulers build on them."""

    DONE = 0
    TROUBLE = 1  # it failed, or a task is open
    CHANGES = 2  # only `plan`: there are changes
    UNKNOWNS = 3  # an unanswered write is not resolved yet
    PAUSED = 4  # a company or pair is paused
    USAGE = 64  # the command was not understood (EX_USAGE)
    INTERRUPTED = 130  # Ctrl-C
