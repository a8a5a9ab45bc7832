"""Property tests of the codecs: no deadline for one example, because a busy machine is no failure."""

from hypothesis import settings

settings.register_profile("rmq", deadline=None)
settings.load_profile("rmq")
