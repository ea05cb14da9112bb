"""Cells, their outcomes, and the list of faults that peers are known to have."""

import json
import re
import sys


class Table:
    """Collects cells. Each has an account kind (or another setting), a subject, and what it does."""

    def __init__(self, known_faults, only=None):
        self.only = only
        self.passed = self.failed = self.known = 0
        self.rows = {}
        self.faults = {}
        self.met = set()
        for fault in json.loads(known_faults.read_text(encoding="utf-8")):
            for cell in fault["cells"]:
                self.faults[cell] = fault

    def cell(self, setting, subject, item, problem, column=None):
        """Notes one outcome: `problem` is None where all is well."""
        # A setting is a kind of account, for which a peer's faults are the same, or a server.
        name = f"{subject}: {item}"
        if self.only and self.only not in f"{setting} {name}":
            return
        fault = self.faults.get(name)
        if fault:
            self.met.add(name)
        if fault and problem and re.search(fault["symptom"], problem):
            self.known += 1
            outcome, text = "known", f"known fault: {fault['evidence']} [{problem}]"
        elif fault and problem:
            outcome, text = "FAIL", f"fails otherwise than known: {problem}"
        elif fault:
            outcome, text = "FAIL", "listed in known_faults.json, but it works: take it out"
        elif problem:
            outcome, text = "FAIL", problem
        else:
            outcome, text = "ok", None
        failed = outcome == "FAIL"
        self.failed += failed
        self.passed += not failed
        print(f"{outcome:5} {setting} {name}" + (f": {text}" if text else ""))
        sys.stdout.flush()
        counts = self.rows.setdefault(f"{setting} {subject}", {"ok": 0, "known": 0, "FAIL": 0})
        counts[outcome] += 1

    def attempt(self, setting, subject, item, work):
        """Runs `work` as a cell, and tells whether it went well."""
        try:
            work()
            problem = None
        except Exception as error:  # whatever a peer does is an outcome
            problem = f"{type(error).__name__}: {error}".replace("\n", " | ")
        self.cell(setting, subject, item, problem)
        return problem is None

    def end(self):
        """Prints the table and gives the exit code."""
        for name in sorted(self.faults.keys() - self.met):
            if not self.only:
                self.failed += 1
                print(f"FAIL  known_faults.json names a cell that there is not: {name}")
        width = max((len(row) for row in self.rows), default=0)
        print(f"\n{'':{width}}  {'ok':>5} {'known':>5} {'FAIL':>5}")
        for row, counts in self.rows.items():
            print(f"{row:{width}}  " + " ".join(f"{count:>5}" for count in counts.values()))
        print(f"\n{self.known} cells fail as known faults of peers do, and count as passed")
        print(f"{self.passed} passed, {self.failed} failed")
        return 1 if self.failed else 0


def expect(condition, text):
    """Fails the cell unless the condition holds."""
    if not condition:
        raise AssertionError(text)
