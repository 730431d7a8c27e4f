"""Confine: what a process gives up before it runs a rule. Linux in full, elsewhere in part.

`confine` locks in the process that calls it, for good, and says in words what it could do:

- *user*: root becomes user and group 65534 (nobody) without further groups; others stay;
- *Landlock*: no file or folder may be opened, made, renamed or removed; from kernel 6.7 on no TCP,
  from 6.12 on no signal to a process outside;
- *limits* (`resource`): address space, no new process or descriptor, no file may grow, no core;
- *seccomp*: only the calls below, reading and writing only on the one descriptor given, no memory
  that can be executed. All other calls fail with EPERM; those of another architecture kill.

None of it needs a package: the kernel is called by `ctypes`. Landlock alone still allows UDP, forks
and `stat`, and the limit on processes does not bind root: hence all of them together.
Sources: kernel documentation, userspace-api/landlock and userspace-api/seccomp_filter.
"""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import signal
import struct
import sys
from collections.abc import Callable

__all__ = ["CALLS", "confine", "drop_user", "filter_calls", "forbid_files", "limit_resources"]

_NOBODY = 65534

_PR_SET_PDEATHSIG, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 1, 22, 38
_LANDLOCK_CREATE, _LANDLOCK_RESTRICT = 444, 446  # the same numbers on every architecture

_X86_64, _AARCH64 = 0xC000003E, 0xC00000B7
_PROT_EXEC = 4

CALLS: dict[str, tuple[int, int]] = {
    # what CPython needs once it runs: x86_64, aarch64
    "brk": (12, 214),
    "clock_gettime": (228, 113),
    "exit": (60, 93),
    "exit_group": (231, 94),
    "futex": (202, 98),
    "getrandom": (318, 278),
    "getrusage": (98, 165),
    "gettimeofday": (96, 169),
    "madvise": (28, 233),
    "mremap": (25, 216),
    "munmap": (11, 215),
    "restart_syscall": (219, 128),
    "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "sched_yield": (24, 124),
    "setitimer": (38, 103),
    "sigaltstack": (131, 132),
}
"""The system calls that are allowed whatever their arguments."""

_READ, _WRITE = (0, 63), (1, 64)
_MMAP, _MPROTECT = (9, 222), (10, 226)


def confine(memory: int, channel: int) -> tuple[list[str], list[str]]:
    """Lock this process in, but for `memory` bytes of address space and the descriptor `channel`.

    Returns what is active and what is missing, in words for a report.
    """
    active: list[str] = []
    missing: list[str] = []
    steps: list[tuple[str, Callable[[], str]]] = [
        ("unprivileged user", drop_user),
        ("Landlock", forbid_files),
        ("resource limits", lambda: limit_resources(memory)),
        ("seccomp", lambda: filter_calls(channel)),
    ]
    for name, step in steps:
        try:
            active.append(f"{name}: {step()}")
        except (OSError, ValueError) as error:
            missing.append(f"{name}: {error}")
    return active, missing


def drop_user() -> str:
    """Become nobody, and end when the process that started this one ends."""
    if os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(_NOBODY, _NOBODY, _NOBODY)
        os.setresuid(_NOBODY, _NOBODY, _NOBODY)
    if sys.platform == "linux":
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)  # a change of user clears it, hence after
    if os.getuid() != _NOBODY:
        raise OSError(f"not started as root, so it stays user {os.getuid()}")
    return f"user {_NOBODY}"


def limit_resources(memory: int) -> str:
    """Bound the address space, and forbid new processes, new descriptors, files and cores."""
    limits = {"AS": memory, "NPROC": 0, "NOFILE": 0, "FSIZE": 0, "CORE": 0, "MEMLOCK": 0}
    refused = []
    for name, value in limits.items():
        try:
            resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (value, value))
        except (AttributeError, OSError, ValueError):
            refused.append(name)
    if refused:
        raise OSError(f"this system refuses {', '.join(refused)}; the others are set")
    return f"{memory >> 20} MiB, no process, no descriptor, no file, no core"


def forbid_files() -> str:
    """Landlock with an empty list of exceptions: all that this kernel's version can forbid."""
    _linux()
    version = _syscall(_LANDLOCK_CREATE, None, ctypes.c_size_t(0), ctypes.c_uint32(1))
    rights = 13 if version == 1 else 14 if version == 2 else 15 if version < 5 else 16
    words = [(1 << rights) - 1]  # reading, writing, making, removing, ...: all rights to files
    what = "no files"
    if version >= 4:
        words.append(0b11)  # binding and connecting TCP
        what += ", no TCP"
    if version >= 6:
        words.append(0b11)  # abstract sockets and signals of processes outside
        what += ", no signals"
    asked = struct.pack(f"={len(words)}Q", *words)
    rules = _syscall(_LANDLOCK_CREATE, asked, ctypes.c_size_t(len(asked)), ctypes.c_uint32(0))
    try:
        _prctl(_PR_SET_NO_NEW_PRIVS, 1)
        _syscall(_LANDLOCK_RESTRICT, ctypes.c_int(rules), ctypes.c_uint32(0))
    finally:
        os.close(rules)
    return f"{what} (version {version})"


def filter_calls(channel: int) -> str:
    """The filter of system calls, with reading and writing on `channel` only."""
    _linux()
    machine = platform.machine()
    if machine not in ("x86_64", "aarch64"):
        raise OSError(f"no table of system calls for {machine}")
    program = _program(machine, channel)
    held = ctypes.create_string_buffer(program, len(program))
    head = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(held))
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    _prctl(_PR_SET_SECCOMP, 2, head)
    return f"{len(CALLS) + 4} system calls"


def _program(machine: str, channel: int) -> bytes:
    """The filter as classic BPF: 8 bytes an instruction, jumps relative to the next one.

    >>> len(_program("x86_64", 3)) % 8
    0
    """
    column = 0 if machine == "x86_64" else 1
    load, equal, at_least, bits, give = 0x20, 0x15, 0x35, 0x45, 0x06
    allow, refuse, kill = 0x7FFF0000, 0x00050000 | 1, 0x80000000  # 1: EPERM

    def step(code: int, value: int, then: int = 0, otherwise: int = 0) -> bytes:
        return struct.pack("=HBBI", code, then, otherwise, value)

    def argument(number: int) -> bytes:
        return step(load, 16 + 8 * number)  # the low half, on machines with the low byte first

    out = step(load, 4) + step(equal, (_X86_64, _AARCH64)[column], 1) + step(give, kill)
    out += step(load, 0)
    # x86_64 has a second set of numbers (x32) from 2^30 on.
    out += step(at_least, 1 << 30, 0, 1) + step(give, kill)
    for numbers in CALLS.values():
        out += step(equal, numbers[column], 0, 1) + step(give, allow)
    for numbers in (_READ, _WRITE):
        out += step(equal, numbers[column], 0, 4) + argument(0)
        out += step(equal, channel, 0, 1) + step(give, allow) + step(give, refuse)
    for numbers in (_MMAP, _MPROTECT):
        out += step(equal, numbers[column], 0, 4) + argument(2)
        out += step(bits, _PROT_EXEC, 1, 0) + step(give, allow) + step(give, refuse)
    return out + step(give, refuse)


def _linux() -> None:
    if sys.platform != "linux":
        raise OSError(f"not on {sys.platform}")


def _prctl(option: int, value: int, pointer: bytes | None = None) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    rest = ctypes.c_char_p(pointer), ctypes.c_ulong(0), ctypes.c_ulong(0)
    if libc.prctl(ctypes.c_int(option), ctypes.c_ulong(value), *rest) != 0:
        raise _failure()


def _syscall(number: int, *arguments: object) -> int:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    got = int(libc.syscall(ctypes.c_long(number), *arguments))
    if got < 0:
        raise _failure()
    return got


def _failure() -> OSError:
    number = ctypes.get_errno()
    return OSError(number, os.strerror(number))
