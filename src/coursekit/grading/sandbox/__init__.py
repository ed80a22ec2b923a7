"""Where a submission's code runs. Nothing here knows of questions or points.

>>> from coursekit.grading.sandbox import choose, open_session, SandboxDied, Limits, Pool

**What is trusted.** The grader's process, the question files that it reads, the kernel, bubblewrap
(or the container engine), the Python installation, and the code of this package as long as no
submission runs in the same process: the launcher and the reaper, but not the worker.

**What is not.** The submission, and with it the worker, whose memory it shares. Everything that the
worker sends (values, errors, which names are defined) is the submission's claim. It is parsed as
JSON of a known form with its size, depth and types checked, compared outside with what a reference
gives there, and never executed. So a submission that takes over its worker entirely has gained the
right to answer what it likes, which it had before. It cannot answer before it is asked, does not
know the inputs of the next call, and has no other way to the score.

**What each layer stops**, with bubblewrap. Each holds when the one before it fails:

========================== ========================================================================
namespaces                 no network, no other process to see or signal, no shared memory or
                           queues, a root with only Python and its packages, read-only;
                           ``/tmp``, ``/dev/shm`` and ``/proc`` new for each submission, and small
a user of its own          files and processes of others, should one be visible; the kernel's
                           per-user counts (where the grader is root; else a user namespace)
no capabilities, ever      mounting, changing users, devices, tracing; no new ones by ``execve``
list of system calls       what of the kernel can be asked at all (:mod:`.seccomp`)
resource limits            one process: memory, CPU, files, their size; one user: processes
watch from outside         all processes together: memory (page tables, swap and shared pages
                           included), number, CPU time, open files, printed bytes
deadlines                  each call, the start, everything together
the first process's end    processes left behind, however they hide: the kernel ends them
========================== ========================================================================

The tier "container" replaces the first rows by an engine's. The tier "user" has no namespaces, so
the machine's readable files and processes can be seen, and is for a machine that is thrown away.
The tier "unsafe" has limits only.

**Cold and warm.** A launcher (:mod:`.launcher`) imports libraries and forks a worker for each
submission into everything above. A cold session has a launcher of its own; warm sessions of a
:class:`Pool` share one. The launcher never runs or reads a submission's code, so that there is
nothing of one submission that a fork could hand to another.

**What remains.** A fault in the kernel, within the calls that are on the list. Bubblewrap mounts
the host's own files, so ``/proc/self/mountinfo`` names the folders they came from, and ``/proc``
shows the machine's load and memory: two submissions that run at the same time and want to can talk
through how busy they keep it. Kernel memory that belongs to no page of a process (socket buffers,
memory maps) is bounded by the counts above, to about a gigabyte in the worst case, not by
``memory_mb``. The watch looks 50 times a second: memory may exceed its limit for as long, within
the limit of each process. In the tier "user", mappings of ``/dev/zero`` escape the watch, so give
that container a memory limit. An answer may take longer on a machine that a neighbour keeps busy.
"""

from coursekit.grading.sandbox.limits import Limits, NoSandboxError, Reply, SandboxDied
from coursekit.grading.sandbox.session import Session
from coursekit.grading.sandbox.tiers import TIERS, available, choose, open_session
from coursekit.grading.sandbox.warm import Pool

__all__ = [
    "TIERS",
    "Limits",
    "NoSandboxError",
    "Pool",
    "Reply",
    "SandboxDied",
    "Session",
    "available",
    "choose",
    "open_session",
]
