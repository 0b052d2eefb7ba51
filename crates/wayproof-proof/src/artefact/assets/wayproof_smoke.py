"""Loads the modules of an unpacked package from where it lies and resolves what it installs as commands. Prints TAP."""
import importlib
import os
import sys

out = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
site = os.path.realpath(sys.argv[1])
sys.path.insert(0, site)
sys.dont_write_bytecode = True


def record():
    for name in sorted(os.listdir(site)):
        if name.endswith(".dist-info"):
            return os.path.join(site, name)
    return None


def modules(info):
    if len(sys.argv) > 2:
        return sys.argv[2:]
    found = set()
    with open(os.path.join(info, "RECORD"), encoding="utf-8") as lines:
        for line in lines:
            path = line.rsplit(",", 2)[0].strip('"')
            first = path.split("/")[0]
            if first.endswith((".dist-info", ".data")) or not path.endswith((".py", ".so", ".pyd")):
                continue
            found.add(first.split(".")[0])
    return sorted(found - {"tests", "test", "docs", "examples", "conftest", "setup", "__pycache__"})


def commands(info):
    path = os.path.join(info, "entry_points.txt") if info else ""
    group = None
    if os.path.exists(path):
        with open(path, encoding="utf-8") as lines:
            for line in lines:
                line = line.strip()
                if line.startswith("["):
                    group = line.strip("[]")
                elif "=" in line and group in ("console_scripts", "gui_scripts"):
                    name, where = line.split("=", 1)
                    yield name.strip(), where.split("[")[0].strip()


def loads(name):
    module = importlib.import_module(name)
    places = [getattr(module, "__file__", None) or ""] + list(getattr(module, "__path__", []))
    if not any(os.path.realpath(place).startswith(site + os.sep) for place in places if place):
        raise AssertionError(f"{name} was loaded from {places}, not from what was built")


def resolves(where):
    name, _, attributes = where.partition(":")
    value = importlib.import_module(name)
    for attribute in filter(None, attributes.split(".")):
        value = getattr(value, attribute)
    if not callable(value):
        raise AssertionError(f"{where} cannot be called")


info = record()
tries = [(f"{name} loads from what was built", loads, name) for name in modules(info)]
tries += [(f"the command {name} resolves", resolves, where) for name, where in commands(info)]
out.write(f"TAP version 13\n1..{len(tries)}\n")
bad = 0
for number, (what, check, argument) in enumerate(tries, 1):
    try:
        check(argument)
        out.write(f"ok {number} - {what}\n")
    except BaseException as error:  # what a module raises, it raises
        bad += 1
        why = " ".join(f"{type(error).__name__}: {error}".split())
        out.write(f"not ok {number} - {what}\n  ---\n  message: {why!r}\n  ...\n")
    out.flush()
os._exit(1 if bad else 0)
