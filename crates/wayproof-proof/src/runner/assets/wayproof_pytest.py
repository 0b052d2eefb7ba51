"""A pytest plugin that writes what was planned and what happened, one JSON object a line.

It changes no outcome. A run without its last line did not finish.
"""
import json
import os
import random
import signal

import pytest

if os.environ.get("WAYPROOF_COVERAGE"):
    import wayproof_coverage

_events = os.environ.pop("WAYPROOF_EVENTS", None)
_shuffle = os.environ.pop("WAYPROOF_SHUFFLE", None)
_seconds = float(os.environ.pop("WAYPROOF_TEST_SECONDS", "0") or 0)
_only = os.environ.pop("WAYPROOF_ONLY", None)
_stream = open(_events, "w", buffering=1, encoding="utf-8", errors="replace") if _events else None
_open = {}


class _TooLong(BaseException):
    pass


def _emit(**event):
    if _stream is not None:
        _stream.write(json.dumps(event) + "\n")


def _crash(report):
    crash = getattr(getattr(report, "longrepr", None), "reprcrash", None)
    if crash is not None:
        return crash.message, str(crash.path), crash.lineno
    text = str(getattr(report, "longrepr", "") or "").strip()
    return text[-2000:], None, None


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config, items):
    if _only:
        with open(_only, encoding="utf-8") as stream:
            wanted = set(json.load(stream))
        kept = [item for item in items if item.nodeid in wanted]
        dropped = [item for item in items if item.nodeid not in wanted]
        if dropped:
            config.hook.pytest_deselected(items=dropped)
        items[:] = kept
    if _shuffle:
        random.Random(int(_shuffle)).shuffle(items)


def pytest_collection_finish(session):
    _emit(event="planned", ids=[item.nodeid for item in session.items])


def pytest_collectreport(report):
    if report.failed:
        message, path, line = _crash(report)
        _emit(event="broken", scope=report.nodeid.split("::")[0], message=message, file=path, line=line)


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_runtest_protocol(item, nextitem):
    def late(signum, frame):
        raise _TooLong("the test ran longer than %g seconds" % _seconds)

    armed = _seconds > 0 and signal.getsignal(signal.SIGALRM) == signal.SIG_DFL
    if armed:
        signal.signal(signal.SIGALRM, late)
        signal.setitimer(signal.ITIMER_REAL, _seconds)
    try:
        yield
    finally:
        if armed:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, signal.SIG_DFL)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    if call.excinfo is not None:
        kind = call.excinfo.type
        if issubclass(kind, _TooLong):
            report.wayproof_reason = "timeout"
        elif kind.__name__ == "FixtureLookupError":
            report.wayproof_reason = "build"
        elif issubclass(kind, (AssertionError, pytest.fail.Exception)):
            report.wayproof_reason = "assertion"
        else:
            report.wayproof_reason = "exception"


def pytest_runtest_logreport(report):
    seen = _open.setdefault(report.nodeid, {"status": "passed", "message": "", "reason": None, "file": None, "line": None})
    if report.failed and seen["status"] not in ("failed", "error"):
        message, path, line = _crash(report)
        reason = getattr(report, "wayproof_reason", "assertion")
        seen.update(status="failed" if report.when == "call" else "error", message=message, file=path, line=line, reason=reason)
    elif report.skipped and seen["status"] == "passed":
        seen["status"] = "xfail" if hasattr(report, "wasxfail") else "skipped"
        seen["message"] = str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr)[-500:]
    elif report.passed and report.when == "call" and hasattr(report, "wasxfail"):
        seen["status"] = "xfail"
    if report.when == "teardown":
        _emit(event="result", id=report.nodeid, **_open.pop(report.nodeid))


def pytest_sessionfinish(session, exitstatus):
    _emit(event="complete", exit=int(exitstatus))
