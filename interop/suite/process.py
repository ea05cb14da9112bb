"""Starts other programs, and leaves none behind."""

import os
import subprocess
import tempfile
import threading

TIMEOUT = 240

_running = set()
_lock = threading.Lock()
_stopping = threading.Event()


class Failed(Exception):
    """A program ended with an exit code other than 0."""

    def __init__(self, code, stdout, stderr):
        told = [line for line in (stderr or stdout).splitlines() if line.strip()]
        if len(told) > 4:
            told = told[:2] + ["…"] + told[-2:]
        super().__init__(f"exit {code}: {' | '.join(told)}")
        self.code = code


class Stopped(BaseException):
    """The run is told to end: no program is started any more."""


def stop_all():
    """Ends every program that runs. Whoever waits for one, or wants to start one, is `Stopped`."""
    _stopping.set()
    with _lock:
        for process in _running:
            process.kill()


def _start(command, env, **options):
    with _lock:
        if _stopping.is_set():
            raise Stopped
        command = [str(part) for part in command]
        env = {**os.environ, **(env or {})}
        options |= {"text": True, "encoding": "utf-8", "errors": "replace"}
        process = subprocess.Popen(command, env=env, **options)
        _running.add(process)
        return process


def _ended(process):
    with _lock:
        _running.discard(process)
    if _stopping.is_set():
        raise Stopped


def sh(*command, env=None, input=None, cwd=None, with_stderr=False, timeout=TIMEOUT):
    """Runs a program to its end and gives what it printed."""
    given = subprocess.DEVNULL if input is None else subprocess.PIPE
    pipe = subprocess.PIPE
    process = _start(command, env, stdin=given, stdout=pipe, stderr=pipe, cwd=cwd)
    try:
        stdout, stderr = process.communicate(input, timeout)
    except BaseException:
        process.kill()
        process.communicate()
        raise
    finally:
        _ended(process)
    if process.returncode != 0:
        raise Failed(process.returncode, stdout, stderr)
    return (stdout, stderr) if with_stderr else stdout


class Background:
    """A program that runs as long as the block lasts; its standard error is kept in `errors`."""

    def __init__(self, *command, env=None):
        self.command = command
        self.env = env
        self.log = tempfile.NamedTemporaryFile(prefix="supermega-interop-")

    def __enter__(self):
        self.process = _start(
            self.command, self.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.log
        )
        return self

    def line(self):
        """The next line that it prints."""
        line = self.process.stdout.readline()
        if not line:
            raise Failed(self.process.wait(20), "", self.errors())
        return line.rstrip("\n")

    def errors(self):
        """What it has written to standard error so far."""
        # Opened anew: the program goes on to write at the place of the file that it shares.
        with open(self.log.name, encoding="utf-8", errors="replace") as log:
            return log.read()

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.log.close()
        _ended(self.process)
