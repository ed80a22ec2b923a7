"""Where a submission's code runs. Nothing here knows of questions or points."""

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
