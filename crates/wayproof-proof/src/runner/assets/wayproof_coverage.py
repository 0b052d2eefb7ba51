"""Puts down which lines of the tree were run. Importing it starts it; it writes when the process ends."""
import atexit
import dis
import json
import os
import sys
import threading

_file = os.environ.pop("WAYPROOF_COVERAGE")
_root = os.path.realpath(os.getcwd()) + os.sep
_hits = {}
_pid = os.getpid()


def _lines_of(name):
    if name in _hits:
        return _hits[name]
    path = os.path.realpath(name)
    inside = path.startswith(_root) and os.sep + "site-packages" + os.sep not in path and path.endswith(".py")
    _hits[name] = set() if inside else None
    return _hits[name]


def _local(frame, event, arg):
    if event == "line":
        _hits[frame.f_code.co_filename].add(frame.f_lineno)
    return _local


def _call(frame, event, arg):
    lines = _lines_of(frame.f_code.co_filename)
    if lines is None:
        return None
    lines.add(frame.f_lineno)
    return _local


def _executable(path):
    found, todo = set(), []
    try:
        with open(path, "rb") as stream:
            todo.append(compile(stream.read(), path, "exec"))
    except (OSError, SyntaxError, ValueError):
        return found
    while todo:
        code = todo.pop()
        found.update(line for _, line in dis.findlinestarts(code) if line)
        todo.extend(const for const in code.co_consts if hasattr(const, "co_code"))
    return found


def _write():
    sys.settrace(None)
    if os.getpid() != _pid:
        return
    files = {}
    for name, lines in list(_hits.items()):
        if lines is not None:
            path = os.path.realpath(name)
            entry = files.setdefault(path[len(_root):], {"known": set(), "hit": set()})
            entry["known"] |= _executable(path)
            entry["hit"] |= lines
    rows = {path: {key: sorted(lines) for key, lines in entry.items()} for path, entry in files.items()}
    with open(_file, "w", encoding="utf-8") as stream:
        json.dump(rows, stream)


atexit.register(_write)
threading.settrace(_call)
sys.settrace(_call)
