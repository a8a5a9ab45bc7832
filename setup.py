"""The one part that is compiled, where there is a C compiler; everything else stands in pyproject.toml."""

from setuptools import Extension, setup

setup(ext_modules=[Extension("rmq.server.store._fast", ["rmq/server/store/_fast.pyx"], optional=True)])
