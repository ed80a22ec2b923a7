"""The grader: submissions in, verdicts, a gradebook and feedback out.

A submission is data. Its code runs in a sandbox (:mod:`coursekit.grading.sandbox`) that knows
neither questions nor points; the verdict is computed here, from what comes back, on inputs that are
drawn anew for every submission. Teachers meet this package as the command ``coursekit grade``.
"""
