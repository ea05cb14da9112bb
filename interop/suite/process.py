"""Starts other programs, and leaves none behind."""

import os
import subprocess
import tempfile

TIMEOUT = 180


class Failed(Exception):
    """A program ended with an exit code other than 0."""

    def __init__(self, code, stdout, stderr):
        told = [line for line in (stderr or stdout).splitlines() if line.strip()]
        if len(told) > 4:
            told = told[:2] + ["…"] + told[-2:]
        super().__init__(f"exit {code}: {' | '.join(told)}")
        self.code = code


def sh(*command, env=None, input=None, cwd=None, with_stderr=False):
    """Runs a program to its end and gives what it printed."""
    done = subprocess.run(
        [str(part) for part in command],
        env={**os.environ, **(env or {})},
        input=input,
        stdin=subprocess.DEVNULL if input is None else None,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=TIMEOUT,
        cwd=cwd,
    )
    if done.returncode != 0:
        raise Failed(done.returncode, done.stdout, done.stderr)
    return (done.stdout, done.stderr) if with_stderr else done.stdout


class Background:
    """A program that runs as long as the block lasts; its standard error is kept in `errors`."""

    def __init__(self, *command, env=None):
        self.command = [str(part) for part in command]
        self.env = {**os.environ, **(env or {})}
        self.log = tempfile.NamedTemporaryFile(prefix="supermega-interop-")

    def __enter__(self):
        self.process = subprocess.Popen(
            self.command,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
            encoding="utf-8",
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
