"""What a hostile rule would try: each attack a whole source, with what success would look like.

Two suites read this list. The language's gate must refuse every source. The sandbox, with the gate
switched off, must keep the *effect* from happening: `test_sandbox.py` runs every source as it
stands, and again below `FENCE_DOWN`, which gives it all of Python's builtins back, so that the
process and the kernel are all that stands in the way.

`wants`, the effect:

- `read`: learn the text of the file @CANARY@; the rule returns True only if it did;
- `write`: alter @CANARY@, or make, rename or remove something in its folder @FOLDER@;
- `connect`: reach the TCP port @PORT@ or the UDP port @UDP@ of this machine;
- `fork`: start another process or program; True only if it did;
- `signal`: stop or trace the process @PARENT@, or alter its limits; True only if the call worked;
- `forever`: keep the child busy for good;
- `memory`: make the child grow without bound;
- `crash`: bring the child down;
- `forge`: spoil the answers that other windows and other rules get.
"""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import indent

__all__ = ["ATTACKS", "FENCE_DOWN", "Attack"]


@dataclass(frozen=True)
class Attack:
    """A hostile source; `@NAME@` in it stands for something of the test's.

    >>> Attack("peek", "read", "def rule(w): return open('@CANARY@')").aimed(CANARY="/x")
    "def rule(w): return open('/x')"
    """

    name: str
    wants: str
    source: str

    def aimed(self, **targets: object) -> str:
        """The source with its targets filled in."""
        text = self.source
        for name, value in targets.items():
            text = text.replace(f"@{name}@", str(value))
        return text


# The oldest way out: any object leads to every class, and one of them was defined in `os`.
_WALK = (
    "[c for c in ().__class__.__base__.__subclasses__() "
    "if c.__name__ == '_wrap_close'][0].__init__.__globals__"
)
FENCE_DOWN = f"__builtins__.update({_WALK}['__builtins__'])\n"


def _read(text: str) -> list[Attack]:
    """The attacks of the list: `-- name: wants`, then the body of `rule` or a whole source."""
    attacks = []
    for part in text.replace("@WALK@", _WALK).split("\n-- ")[1:]:
        head, source = part.rstrip().split("\n", 1)
        name, wants = head.split(": ")
        if "def rule(" not in source and "rule = " not in source:
            source = "def rule(w):\n" + indent(source, "    ")
        attacks.append(Attack(name, wants, source + "\n"))
    return attacks


_LIST = r"""
-- open_read: read
return 'canary' in open('@CANARY@').read()
-- open_write: write
open('@CANARY@', 'w').write('x')
return True
-- open_append: write
open('@CANARY@', 'a').write('x')
return True
-- open_new: write
open('@FOLDER@/new', 'w').write('x')
return True
-- import_os_read: read
import os
return b'canary' in os.read(os.open('@CANARY@', 0), 99)
-- import_on_top: read
import pathlib
def rule(w):
    return "canary" in pathlib.Path("@CANARY@").read_text()
-- dunder_import: read
return 'canary' in __import__('io').open('@CANARY@').read()
-- importlib_loader: read
import importlib.util
s = importlib.util.spec_from_file_location('x', '@CANARY@')
return b'canary' in s.loader.get_data('@CANARY@')
-- unlink: write
g = @WALK@
g['unlink']('@CANARY@')
return True
-- rename: write
g = @WALK@
g['rename']('@CANARY@', '@FOLDER@/moved')
return True
-- make_folder: write
g = @WALK@
g['mkdir']('@FOLDER@/made')
return True
-- symbolic_link: write
g = @WALK@
g['symlink']('/', '@FOLDER@/root')
return True
-- list_folder: read
g = @WALK@
return 'canary' in str(g['listdir']('@FOLDER@'))
-- look_at_environment: read
g = @WALK@
return 'canary' in str(dict(g['environ']))
-- parent_environment: read
g = @WALK@
return b'=' in g['read'](g['open']('/proc/@PARENT@/environ', 0), 9999)
-- parent_memory: signal
g = @WALK@
g['open']('/proc/@PARENT@/mem', 2)
return True
-- inherited_descriptors: read
g = @WALK@
got = b""
for fd in range(3, 64):
    try:
        g["lseek"](fd, 0, 0)
        got = got + g["read"](fd, 99)
    except OSError:
        pass
return b"canary" in got
-- tcp: connect
import socket
socket.create_connection(('127.0.0.1', int('@PORT@')), 1)
return True
-- udp: connect
import socket
s = socket.socket(2, 2)
s.sendto(b'x', ('127.0.0.1', int('@UDP@')))
return True
-- tcp_below_socket: connect
import _socket
s = _socket.socket(2, 1)
s.connect(('127.0.0.1', int('@PORT@')))
return True
-- tcp_by_libc: connect
import ctypes
c = ctypes.CDLL(None)
s = c.socket(2, 1, 0)
where = bytes([2, 0]) + int("@PORT@").to_bytes(2, "big") + bytes([127, 0, 0, 1]) + bytes(8)
return c.connect(s, where, 16) == 0
-- socket_already_loaded: connect
m = @WALK@['sys'].modules
m['socket'].create_connection(('127.0.0.1', int('@PORT@')), 1)
return True
-- fork: fork
g = @WALK@
pid = g['fork']()
return pid > 0
-- fork_bomb: fork
g = @WALK@
while True:
    g['fork']()
-- system: fork
g = @WALK@
return g['system']('echo x > @FOLDER@/ran') == 0
-- subprocess: fork
import subprocess
return b'hi' in subprocess.run(['echo', 'hi'], capture_output=True).stdout
-- exec_program: fork
g = @WALK@
g['execv']('/bin/touch', ['touch', '@FOLDER@/ran'])
-- fork_by_number: fork
import ctypes
return ctypes.CDLL(None).syscall(56, 17, 0, 0, 0, 0) > 0
-- thread: fork
import _thread
_thread.start_new_thread(print, ())
return True
-- kill_parent: signal
g = @WALK@
g['kill'](int('@PARENT@'), 9)
return True
-- kill_all: signal
g = @WALK@
g['kill'](-1, 0)
return True
-- slow_parent: signal
g = @WALK@
g['setpriority'](0, int('@PARENT@'), 19)
return True
-- trace_parent: signal
import ctypes
return ctypes.CDLL(None).ptrace(16, int('@PARENT@'), 0, 0) == 0
-- become_root: signal
g = @WALK@
g['setuid'](0)
return g['getuid']() == 99999
-- raise_limits: signal
import resource
resource.prlimit(int('@PARENT@'), resource.RLIMIT_CORE, (0, 0))
return True
-- loop: forever
while True:
    pass
-- loop_that_catches: forever
while True:
    try:
        while True:
            pass
    except BaseException:
        pass
-- sum_of_all: forever
return sum(range(10 ** 15)) > 0
-- power: forever
return (7 ** (10 ** 8)) % 2 == 0
-- regex_blow_up: forever
import re
return bool(re.search('(a+)+$', 'a' * 64 + 'b'))
-- regex_of_builtin: forever
return search('(a|aa)+$', 'a' * 80 + 'b')
-- regex_nested_counts: forever
return search('(?:(?:x{0,40}){0,40}){0,40}y', 'x' * 4000)
-- sleep: forever
import time
time.sleep(999)
return True
-- number_to_text: forever
return len(str(1 << (1 << 27))) > 0
-- timer_off: forever
import signal
signal.setitimer(signal.ITIMER_REAL, 0)
while True:
    pass
-- alarm_ignored: forever
import signal
signal.signal(signal.SIGALRM, signal.SIG_IGN)
while True:
    pass
-- signals_blocked: forever
import signal
signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
while True:
    pass
-- loop_while_loading: forever
while True:
    pass
def rule(w):
    return True
-- endless_default: forever
def rule(w, n=sum(range(10 ** 15))):
    return True
-- big_list: memory
return len([0] * (10 ** 10)) > 0
-- big_text: memory
return len('x' * (1 << 40)) > 0
-- doubling: memory
t = 'x'
while True:
    t = t + t
-- shift: memory
return (1 << (1 << 36)) > 0
-- format_width: memory
return len('{:>99999999999}'.format(1)) > 0
-- many_small: memory
kept = []
while True:
    kept.append([len(kept)])
-- kept_and_caught: memory
kept = []
while True:
    try:
        kept.append(bytearray(1 << 20))
    except MemoryError:
        pass
-- replace_grows: memory
return len(('a' * 99999).replace('a', 'b' * 9999999)) > 0
-- map_memory: memory
import mmap
m = mmap.mmap(-1, 1 << 33)
m[:] = b'x' * (1 << 33)
return True
-- huge_answer: memory
return 'x' * (200 << 20)
-- recursion: crash
return rule(w)
-- deep_recursion: crash
g = @WALK@
g['sys'].setrecursionlimit(1 << 30)
return rule(w)
-- null_pointer: crash
import ctypes
return ctypes.string_at(0) == b''
-- exit: crash
raise SystemExit(0)
-- exit_at_once: crash
g = @WALK@
g['_exit'](0)
-- deep_text: crash
return eval('-' * 9999999 + '1') > 0
-- bad_code_object: crash
c = rule.__code__.replace(co_code=b'\x64\xff' * 99, co_consts=())
rule.__code__ = c
return rule(w)
-- class_walk: read
g = @WALK@
return 'canary' in g['sys'].modules['io'].open('@CANARY@').read()
-- builtins_of_function: read
return 'canary' in rule.__globals__['__builtins__']['open']('@CANARY@').read()
-- builtins_of_helper: read
return 'canary' in search.__globals__['__builtins__']['open']('@CANARY@').read()
-- builtin_self: read
return 'canary' in len.__self__.open('@CANARY@').read()
-- globals_of_window: read
return 'canary' in w.__init__.__globals__['__builtins__']['open']('@CANARY@').read()
-- generator_frame: read
def steps():
    yield g.gi_frame.f_back
g = steps()
frame = next(g)
while frame.f_back is not None:
    frame = frame.f_back
return "canary" in frame.f_builtins["open"]("@CANARY@").read()
-- frame_of_exception: read
try:
    1 / 0
except ZeroDivisionError as e:
    frame = e.__traceback__.tb_frame.f_back
return "canary" in frame.f_builtins["open"]("@CANARY@").read()
-- format_string: read
return 'canary' in '{0.__init__.__globals__}'.format(w)
-- f_string: read
return 'canary' in f'{open("@CANARY@").read()}'
-- eval_text: read
return eval("'canary' in open('@CANARY@').read()")
-- compile_text: read
return eval(compile("'canary' in open('@CANARY@').read()", 'x', 'eval'))
-- getattr_in_pieces: read
o = getattr(getattr(len, '__se' + 'lf__'), 'op' + 'en')
return 'canary' in o('@CANARY@').read()
-- pickle: fork
import pickle
pickle.loads(b"cposix\nsystem\n(S'echo x > @FOLDER@/ran'\ntR.")
return True
-- read_input: read
return len(input()) >= 0
-- decorator: read
@(lambda f: lambda w: "canary" in open("@CANARY@").read())
def rule(w):
    return False
-- default_argument: read
def rule(w, text=open('@CANARY@').read()):
    return 'canary' in text
-- poison_builtin: forge
b = @WALK@['__builtins__']
b['len'] = lambda x: 10 ** 9
b['any'] = lambda x: True
return True
-- poison_json: forge
m = @WALK@['sys'].modules['json']
m.dumps = lambda *a, **k: '[true]'
return True
-- write_on_every_descriptor: forge
g = @WALK@
for fd in range(64):
    try:
        g["write"](fd, b"\x00\x00\x00\x06[true]" * 3)
    except OSError:
        pass
return True
-- huge_frame: forge
g = @WALK@
for fd in range(64):
    try:
        g["write"](fd, b"\xff" * 4096)
    except OSError:
        pass
return True
-- close_every_descriptor: forge
g = @WALK@
g['closerange'](0, 64)
return True
-- answer_that_lies: forge
class Liar:
    def __bool__(self): raise SystemExit
    def __eq__(self, other): return True
    def __class__(self): return bool
return Liar()
-- text_for_an_answer: forge
return 'yes'
"""

ATTACKS = _read(_LIST)
_BRACKETS = "def rule(w):\n    return " + "(" * 5000 + "1" + ")" * 5000 + "\n"
ATTACKS.append(Attack("deep_brackets", "crash", _BRACKETS))
