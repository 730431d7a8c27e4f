"""Builds the optional C kernel; without a compiler the install goes on with the numpy twin."""

from setuptools import Extension, setup

setup(
    ext_modules=[
        Extension(
            "logwright._kernel",
            sources=["src/logwright/_kernel.c"],
            define_macros=[("Py_LIMITED_API", "0x030B0000")],
            py_limited_api=True,
            extra_compile_args=["-O3"],
            optional=True,
        )
    ],
    options={"bdist_wheel": {"py_limited_api": "cp311"}},
)
