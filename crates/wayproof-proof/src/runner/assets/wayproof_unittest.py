"""Runs the standard library's unittest and writes what was planned and what happened, one JSON object a line."""
import json
import os
import random
import sys
import traceback
import unittest

if os.environ.get("WAYPROOF_COVERAGE"):
    import wayproof_coverage

events = os.environ.pop("WAYPROOF_EVENTS")
shuffle = os.environ.pop("WAYPROOF_SHUFFLE", None)
only = os.environ.pop("WAYPROOF_ONLY", None)
stream = open(events, "w", buffering=1, encoding="utf-8", errors="replace")
wanted = None
if only:
    with open(only, encoding="utf-8") as names:
        wanted = set(json.load(names))


def emit(**event):
    stream.write(json.dumps(event) + "\n")


def flat(suite):
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from flat(test)
        else:
            yield test


def where(err):
    frames = traceback.extract_tb(err[2])
    own = [frame for frame in frames if "unittest" + os.sep not in frame.filename]
    last = (own or frames or [None])[-1]
    return (last.filename, last.lineno) if last else (None, None)


class Loader(unittest.TestLoader):
    """Does not walk in a circle where a link leads back to a folder that it stands in."""

    _open = ()

    def _find_tests(self, start_dir, *rest):
        place = os.path.realpath(start_dir)
        if place in self._open:
            return
        self._open += (place,)
        try:
            yield from super()._find_tests(start_dir, *rest)
        finally:
            self._open = self._open[:-1]


class Recorder(unittest.TestResult):
    def startTest(self, test):
        super().startTest(test)
        self.current = {"status": "passed", "message": "", "reason": None, "file": None, "line": None}

    def stopTest(self, test):
        super().stopTest(test)
        emit(event="result", id=test.id(), **self.current)

    def red(self, status, reason, err):
        file, line = where(err)
        message = "".join(traceback.format_exception_only(err[0], err[1])).strip()
        self.current.update(status=status, reason=reason, message=message[-2000:], file=file, line=line)

    def addFailure(self, test, err):
        self.red("failed", "assertion", err)

    def addError(self, test, err):
        if hasattr(test, "id") and not hasattr(self, "current"):
            emit(event="broken", scope=test.id(), message=str(err[1]), file=None, line=None)
            return
        self.red("error", "assertion" if issubclass(err[0], AssertionError) else "exception", err)

    def addSkip(self, test, reason):
        if not hasattr(self, "current"):
            return
        self.current.update(status="skipped", message=str(reason))

    def addExpectedFailure(self, test, err):
        self.current.update(status="xfail")

    def addUnexpectedSuccess(self, test):
        self.current.update(status="failed", reason="assertion", message="unexpected success")

    def addSubTest(self, test, subtest, err):
        if err is not None:
            self.red("failed", "assertion" if issubclass(err[0], AssertionError) else "exception", err)


sys.path.insert(0, os.getcwd())
loader = Loader()
tests = {}
starts = ["."] + [name for name in ("tests", "test") if os.path.isdir(name) and not os.path.exists(os.path.join(name, "__init__.py"))]
for start in starts:
    for test in flat(loader.discover(start, top_level_dir="." if start == "." else start)):
        tests.setdefault(test.id(), test)
chosen = []
for name, test in tests.items():
    if type(test).__name__ in ("_FailedTest", "ModuleImportFailure"):
        module = name.split("_FailedTest.", 1)[-1]
        error = str(getattr(test, "_exception", "could not be imported"))
        emit(event="broken", scope=module, message=error.strip()[-2000:], file=None, line=None)
    elif wanted is None or name in wanted:
        chosen.append(test)
if shuffle:
    random.Random(int(shuffle)).shuffle(chosen)
emit(event="planned", ids=[test.id() for test in chosen])
result = Recorder()
unittest.TestSuite(chosen).run(result)
emit(event="complete", exit=0)
stream.close()
