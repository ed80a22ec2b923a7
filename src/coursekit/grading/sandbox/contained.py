"""The worker as the first process of a container: requests on 0, replies on 1, prints on 2."""

import json
import os
import sys

from coursekit.grading.sandbox import worker
from coursekit.grading.sandbox.confine import confine, limit_resources
from coursekit.grading.sandbox.launcher import LAST_FD, REPLIES, REQUESTS
from coursekit.grading.sandbox.limits import Limits


def main(limits: Limits) -> None:
    """Put the streams where the worker expects them, give up rights, and serve."""
    requests, replies = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for fd, place in ((nothing, 0), (2, 1), (requests, REQUESTS), (replies, REPLIES)):
        os.dup2(fd, place)
    os.closerange(REPLIES + 1, LAST_FD)
    limit_resources(limits, own_user=False)
    confine(None, sockets=False, dumpable=True)
    worker.serve(REQUESTS, REPLIES)


if __name__ == "__main__":
    main(Limits(**json.loads(sys.argv[1])))
