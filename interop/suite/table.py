"""Cells, their outcomes, and the list of faults that peers are known to have."""

import json
import re
import sys
import threading


class Table:
    """Collects cells. Each has an account kind (or another setting), a subject, and what it does."""

    def __init__(self, known_faults, only=None):
        self.only = only
        self.passed = self.failed = self.known = 0
        self.rows = {}
        self.matrix = {}
        self.faults = {}
        self.met = set()
        self.lock = threading.Lock()
        for fault in json.loads(known_faults.read_text(encoding="utf-8")):
            for cell in fault["cells"]:
                self.faults[cell] = fault

    def cell(self, setting, subject, item, problem, column=None):
        """Notes one outcome: `problem` is None where all is well. With a column it is part of the matrix."""
        # A setting is a kind of account, for which a peer's faults are the same, or a server.
        name = f"{subject}: {item}"
        if self.only and self.only not in f"{setting} {name}":
            return
        with self.lock:
            outcome, text = self._judge(name, problem)
            self.known += outcome == "known"
            self.failed += outcome == "FAIL"
            self.passed += outcome != "FAIL"
            print(f"{outcome:5} {setting} {name}" + (f": {text}" if text else ""), flush=True)
            counts = self.rows.setdefault(f"{setting} {subject}", {"ok": 0, "known": 0, "FAIL": 0})
            counts[outcome] += 1
            if column:
                self.matrix.setdefault(item, {}).setdefault(column, {})[setting] = outcome

    def _judge(self, name, problem):
        fault = self.faults.get(name)
        if fault:
            self.met.add(name)
        if fault and problem and re.search(fault["symptom"], problem):
            return "known", f"known fault: {fault['evidence']} [{problem}]"
        if fault and problem:
            return "FAIL", f"fails otherwise than known: {problem}"
        if fault:
            return "FAIL", "listed in known_faults.json, but it works: take it out"
        return ("FAIL", problem) if problem else ("ok", None)

    def attempt(self, setting, subject, item, work, column=None):
        """Runs `work` as a cell, and tells whether it went well."""
        try:
            work()
            problem = None
        except Exception as error:  # whatever a peer does is an outcome
            problem = f"{type(error).__name__}: {error}".replace("\n", " | ")
        self.cell(setting, subject, item, problem, column)
        return problem is None

    def end(self):
        """Prints the tables and gives the exit code."""
        for name in sorted(self.faults.keys() - self.met):
            if not self.only:
                self.failed += 1
                print(f"FAIL  known_faults.json names a cell that there is not: {name}")
        self._print_matrix()
        width = max((len(row) for row in self.rows), default=0)
        print(f"\n{'':{width}}  {'ok':>5} {'known':>5} {'FAIL':>5}")
        for row, counts in sorted(self.rows.items()):
            print(f"{row:{width}}  " + " ".join(f"{count:>5}" for count in counts.values()))
        print(f"\n{self.known} cells fail as known faults of peers do, and count as passed")
        print(f"{self.passed} passed, {self.failed} failed")
        sys.stdout.flush()
        return 1 if self.failed else 0

    def _print_matrix(self):
        """Operations by clients; in each place the outcomes by kinds of account."""
        columns = list(dict.fromkeys(column for row in self.matrix.values() for column in row))
        width = max((len(item) for item in self.matrix), default=0)
        print(f"\n{'':{width}}  " + " ".join(f"{column:>13}" for column in columns))
        for item, row in self.matrix.items():
            places = []
            for column in columns:
                kinds = sorted(row.get(column, {}).items())
                places.append(" ".join(f"{kind} {outcome}" for kind, outcome in kinds) or "-")
            print(f"{item:{width}}  " + " ".join(f"{place:>13}" for place in places))


def expect(condition, text):
    """Fails the cell unless the condition holds."""
    if not condition:
        raise AssertionError(text)
