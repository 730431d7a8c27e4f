"""Builds the optional C kernel; without a compiler the install goes on with the numpy twin."""

from setuptools import Extension, setup

setup(
    ext_modules=[
        Extension(
            "logwright._kernel",
            sources=["src/logwright/_kernel.c"],
            define_macros=[("Py_LIMITED_API", "0x030B0000")],
            py_limited_api=True,
            # Loops of a few instructions each: measured, where they start matters more than -O3.
            extra_compile_args=["-O2", "-falign-functions=64", "-falign-loops=64"],
            optional=True,
        )
    ],
    options={"bdist_wheel": {"py_limited_api": "cp311"}},
)
