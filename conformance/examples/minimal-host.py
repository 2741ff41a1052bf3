#!/usr/bin/env python3
"""A host for the conformance suite: level recovery, the standard library, no line of Holdfast's.

One batch = one entry `planned` for all its slots; one entry `started` before each attempt; one `settled`
when its outcome is known. The journal is a file of JSON lines: a line is a group of entries, written with
one write and one fsync, so a torn group is a line that does not end and does not count.

    npx holdfast conformance --level recovery -- python3 minimal-host.py
"""
import hashlib
import json
import os
import sys
import time

CAPABILITIES = ["points", "attempts", "keys", "sources", "reconcile", "mismatch", "reuse"]


class Refused(Exception):
    """The host itself refuses; `code` says why."""

    def __init__(self, code, message, **more):
        super().__init__(message)
        self.wire = {"name": "HostError", "message": message, "code": code, **more}


class Thrown(Exception):
    """The program ended with this error."""


class Session:
    def __init__(self, begin):
        self.id, self.tools = begin["session"], begin["tools"]
        self.path = begin["journal"] + ".jsonl"
        self.most = begin["limits"].get("concurrency", 16)
        self.n, self.answers, self.runs = 0, {}, []

    # -- the wire: everything we say carries the session, everything that is answered a number ----------
    def say(self, kind, **fields):
        print(json.dumps({"type": kind, "session": self.id, **fields}), flush=True)

    def request(self, kind, **fields):
        self.n += 1
        self.say(kind, n=self.n, **fields)
        return self.n

    def hear(self):
        """Takes one message. Answers are kept by their number until somebody looks."""
        message = read_line()
        if "n" in message:
            self.answers[message["n"]] = message
        elif message["type"] == "run":
            self.runs.append(message)
        return message["type"]

    def answer(self, n):
        while n not in self.answers:
            self.hear()
        return self.answers.pop(n)

    # -- the journal ------------------------------------------------------------------------------------
    def load(self, run):
        """Whole lines only: what was torn by a crash is cut off, so that the next group begins a line."""
        data = open(self.path, "rb").read() if os.path.exists(self.path) else b""
        whole = data[: data.rfind(b"\n") + 1]
        if len(whole) < len(data):
            os.truncate(self.path, len(whole))
        groups = [json.loads(line) for line in whole.splitlines()]
        return [entry for group in groups if group["run"] == run for entry in group["entries"]]

    def append(self, run, *entries):
        """All or nothing, and durable before anybody acts on it."""
        points = [{k: v for k, v in e.items() if k in ("kind", "ids", "attempt")} for e in entries]
        if self.answer(self.request("append", run=run, when="before", entries=points)).get("fail"):
            raise Refused("journal-append", "the journal cannot be written")
        with open(self.path, "ab") as file:
            file.write((json.dumps({"run": run, "entries": entries}) + "\n").encode())
            file.flush()
            os.fsync(file.fileno())
        self.answer(self.request("append", run=run, when="after", entries=points))


class Run:
    """One run: what its journal holds of it, slot by slot, and the program that meets it."""

    def __init__(self, session, message):
        self.session, self.id = session, message["run"]
        self.slots, self.claimed, self.closed, self.created = {}, set(), None, 0
        for entry in session.load(self.id):
            for id in entry.get("ids", []):
                if entry["kind"] == "planned":
                    self.slots[id] = {**entry["calls"][id], "state": "planned", "attempt": 0}
                else:
                    self.slots[id].update(entry, state=entry["kind"], replayed=True)
            if entry["kind"] == "run-closed":
                self.closed = entry["end"]
        self.planned_before = set(self.slots)

    def match(self, calls):
        """The same ids are the same slots, in any order. What else differs is refused, and changes nothing."""
        wrong, fresh, names = [], {}, []
        for call in calls:
            names.append(call.get("id", "#%d" % self.created))
            self.created += 1
        if len(set(names)) < len(names):
            raise Refused("duplicate-call-id", "a batch names one id twice: %s" % names)
        left = self.planned_before - self.claimed - set(names)
        for id, call in zip(names, calls):
            text = json.dumps([call["tool"], call["input"]], sort_keys=True)
            new = {"tool": call["tool"], "input": call["input"], "digest": hashlib.sha256(text.encode()).hexdigest()}
            old = self.slots.get(id)
            if old is None:
                fresh[id] = new
                wrong += [{"kind": "unexpected-call", "id": id}] if left else []
            elif id in self.claimed:
                raise Refused("duplicate-call-id", "the id %s was used before" % id)
            elif old["tool"] != new["tool"] or old["digest"] != new["digest"]:
                wrong.append({"kind": "tool-changed" if old["tool"] != new["tool"] else "input-changed", "id": id})
        if wrong:
            raise Refused("journal-mismatch", "the program made other calls before", differences=wrong)
        if fresh:  # before anything of it starts: one entry for all
            self.session.append(self.id, {"kind": "planned", "ids": list(fresh), "calls": fresh})
            self.slots.update({id: {**call, "state": "planned", "attempt": 0} for id, call in fresh.items()})
        self.claimed |= set(names)
        return names

    def batch(self, calls, concurrency=None):
        names = self.match(calls)
        waiting, active = [id for id in names if self.slots[id]["state"] != "settled"], {}
        while waiting or active:
            while waiting and len(active) < min(concurrency or self.session.most, self.session.most):
                self.start(waiting.pop(0), active)
            for n in [n for n in active if n in self.session.answers]:
                self.heard(active.pop(n), self.session.answers.pop(n), waiting)
            if active and not any(n in self.session.answers for n in active):
                self.session.hear()
        return [self.outcome(id) for id in names]

    def start(self, id, active):
        """The decision after a crash is the same as before one: it depends on what the journal says."""
        slot = self.slots[id]
        tool = self.session.tools.get(slot["tool"])
        fields = {"run": self.id, "id": id, "tool": slot["tool"], "input": slot["input"]}
        fields["key"] = hashlib.sha256(json.dumps([self.id, id]).encode()).hexdigest()[:32]
        if tool is None:
            self.settle(id, "error", error={"name": "UnknownTool", "message": "there is no " + slot["tool"]})
        elif slot["state"] == "started" and tool["effect"] == "once" and not tool.get("reconciler"):
            self.settle(id, "unknown", source="surfaced")
        elif slot["state"] == "started" and tool["effect"] == "once":
            active[self.session.request("ask", attempt=slot["attempt"], **fields)] = id
        else:
            slot["again"] = slot["state"] == "started" or slot.get("again", False)
            slot["attempt"] += 1
            self.session.append(self.id, {"kind": "started", "ids": [id], "attempt": slot["attempt"]})
            active[self.session.request("call", attempt=slot["attempt"], **fields)] = id

    def heard(self, id, answer, waiting):
        slot, verdict = self.slots[id], answer.get("verdict")
        if answer["type"] == "answer":
            source = "re-executed" if slot.get("again") else "executed"
            detail = {"value": answer.get("value")} if answer["outcome"] == "ok" else {"error": answer["error"]}
            self.settle(id, answer["outcome"], source=source, **detail)
        elif verdict == "done":
            self.settle(id, "ok", source="reconciled", value=answer.get("value"))
        elif verdict == "failed":
            self.settle(id, "error", source="reconciled", error=answer["error"])
        elif verdict == "not-done":  # only now it may run once more
            slot.update(state="planned", again=True)
            waiting.insert(0, id)
        else:  # unknown, or it threw: no verdict. Ask again, a little later, up to a bound.
            slot["asked"] = slot.get("asked", 0) + 1
            tool = self.session.tools[slot["tool"]]
            if slot["asked"] >= tool.get("asks", 5):
                self.settle(id, "unknown", source="surfaced")
            else:
                time.sleep(tool.get("askBackoffMs", 100) * 2 ** (slot["asked"] - 1) / 1000)
                waiting.insert(0, id)

    def settle(self, id, kind, source="executed", **detail):
        slot = self.slots[id]
        facts = {"outcome": kind, "source": source, "attempt": slot["attempt"], **detail}
        self.session.append(self.id, {"kind": "settled", "ids": [id], **facts})
        slot.update(facts, state="settled", replayed=False)

    def outcome(self, id):
        slot = self.slots[id]
        shown = {key: slot[key] for key in ("tool", "source", "replayed", "value", "error") if key in slot}
        return {"id": id, "kind": slot["outcome"], "attempts": slot["attempt"], **shown}

    # -- the program ------------------------------------------------------------------------------------
    def carry_out(self, program):
        if self.closed is None:
            variables = {}
            try:
                end = {"type": "returned", "result": self.steps(program, variables)}
            except Thrown as thrown:
                end = {"type": "threw", "error": thrown.args[0]}
            left = sorted(self.planned_before - self.claimed)
            if left:
                differences = [{"kind": "unused-slot", "id": id} for id in left]
                raise Refused("journal-mismatch", "the program left calls out", differences=differences)
            self.session.append(self.id, {"kind": "run-closed", "end": end})
            self.closed = end
        return self.closed

    def steps(self, steps, variables):
        for step in steps:
            if "batch" in step:
                variables[step.get("into", "")] = self.batch(step["batch"], step.get("concurrency"))
            elif "call" in step:
                outcome = self.batch([step["call"]])[0]
                if outcome["kind"] != "ok":
                    raise Thrown({"name": "CallFailed", "message": outcome["kind"], "code": "call-failed"})
                variables[step.get("into", "")] = outcome["value"]
            elif "if" in step:
                branch = "do" if variables[step["if"]][0]["kind"] == step["is"] else "else"
                result = self.steps(step.get(branch, []), variables)
                if result is not None:
                    return result
            elif "say" in step:
                self.session.say("said", run=self.id, value=fill(step["say"], variables))
            elif "return" in step:
                return fill(step["return"], variables)
            elif "throw" in step:
                raise Thrown(step["throw"])
        return None


def fill(value, variables):
    """A JSON value in which {"$": name} stands for a variable."""
    if isinstance(value, dict):
        if list(value) == ["$"]:
            return variables[value["$"]]
        return {key: fill(inner, variables) for key, inner in value.items()}
    return [fill(inner, variables) for inner in value] if isinstance(value, list) else value


def read_line():
    line = sys.stdin.readline(1 << 20)
    if not line.endswith("\n"):
        sys.exit(0)  # whoever started us is gone
    return json.loads(line)


def main():
    about = {"protocol": 1, "name": "minimal-python", "version": "1", "levels": ["recovery"]}
    print(json.dumps({"type": "hello", **about, "capabilities": CAPABILITIES}), flush=True)
    while True:
        session = Session(read_line())
        while session.runs or session.hear() != "end":
            if not session.runs:
                continue
            message = session.runs.pop(0)
            try:
                end = Run(session, message).carry_out(message["program"])
            except Refused as refused:
                end = {"type": "threw", "error": refused.wire}
            session.say(end["type"], run=message["run"], **{k: v for k, v in end.items() if k != "type"})
        session.say("ended")


main()
