"""Properties are checked on the same examples every time, however busy the machine is."""

from hypothesis import settings

settings.register_profile("course", deadline=None, derandomize=True)
settings.load_profile("course")
