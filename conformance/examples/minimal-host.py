#!/usr/bin/env python3
"""A host for the conformance suite: level recovery, the standard library, no line of Holdfast's.

    npx holdfast conformance --level recovery -- python3 minimal-host.py

One entry `planned` for a whole batch, `started` before each attempt, `settled` when an outcome is known. The
journal is a file of JSON lines. A line is a group: one write, one fsync; one that does not end does not count.
"""
import hashlib, json, os, sys, time

# It never has threads: it may claim that it does without, and "threads": false in a `begin` asks nothing of it.
CAPABILITIES = ["points", "attempts", "keys", "sources", "reconcile", "mismatch", "no-threads", "reuse"]


class Ended(Exception):
    """The run ends with an error: the program's own, or a refusal of this host."""

    def __init__(self, message, code=None, **more):
        self.error = {"name": "HostError", "message": message, **({"code": code} if code else {}), **more}


class Session:
    """The wire and the journal. What we say carries the session; what is answered carries a number."""

    def __init__(self, begin):
        self.id, self.tools = begin["session"], begin["tools"]
        self.path, self.most = begin["journal"] + ".jsonl", begin["limits"].get("concurrency", 16)
        self.n, self.answers, self.runs = 0, {}, []

    def say(self, kind, **fields):
        print(json.dumps({"type": kind, "session": self.id, **fields}), flush=True)

    def request(self, kind, **fields):
        self.n += 1
        self.say(kind, n=self.n, **fields)
        return self.n

    def hear(self):
        """Takes one message. An answer is kept by its number until somebody looks."""
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

    def load(self, run):
        """Whole lines only: what a crash has torn is cut off, so that the next group begins a line."""
        data = open(self.path, "rb").read() if os.path.exists(self.path) else b""
        whole = data[: data.rfind(b"\n") + 1]
        if len(whole) < len(data):
            os.truncate(self.path, len(whole))
        groups = map(json.loads, whole.splitlines())
        return [entry for group in groups if group["run"] == run for entry in group["entries"]]

    def append(self, run, entry):
        """Durable when it returns. The runner may want to stop us just before, or just after."""
        shown = [{key: entry[key] for key in ("kind", "ids", "attempt") if key in entry}]
        if self.answer(self.request("append", run=run, when="before", entries=shown)).get("fail"):
            raise Ended("the journal cannot be written", "journal-append")
        with open(self.path, "ab") as file:
            file.write((json.dumps({"run": run, "entries": [entry]}) + "\n").encode())
            file.flush()
            os.fsync(file.fileno())
        self.answer(self.request("append", run=run, when="after", entries=shown))


class Run:
    """What the journal holds of a run, slot by slot, and the program that meets it."""

    def __init__(self, session, id):
        self.session, self.id, self.slots, self.claimed, self.end, self.made = session, id, {}, set(), None, 0
        for entry in session.load(id):
            if entry["kind"] == "planned":
                self.slots.update({call: {**entry["calls"][call], "state": "planned"} for call in entry["ids"]})
            elif entry["kind"] == "run-closed":
                self.end = entry["end"]
            else:
                self.slots[entry["ids"][0]].update(entry, state=entry["kind"], replayed=True)
        self.before = set(self.slots)

    def match(self, calls):
        """The same ids are the same slots, in any order. What differs is refused, and changes nothing."""
        names = [call.get("id", "#%d" % (self.made + i)) for i, call in enumerate(calls)]
        self.made += len(calls)
        if len(set(names)) < len(names) or self.claimed & set(names):
            raise Ended("an id is used twice: %s" % names, "duplicate-call-id")
        wrong, fresh, left = [], {}, self.before - self.claimed - set(names)
        for id, call in zip(names, calls):
            new = {"tool": call["tool"], "input": call["input"], "attempt": 0}
            old = self.slots.get(id)
            if old is None:
                fresh[id] = new
            if old is None and left:
                wrong.append({"kind": "unexpected-call", "id": id})
            elif old and old["tool"] != new["tool"]:
                wrong.append({"kind": "tool-changed", "id": id})
            elif old and old["input"] != new["input"]:
                wrong.append({"kind": "input-changed", "id": id})
        if wrong:
            raise Ended("the program made other calls before", "journal-mismatch", differences=wrong)
        if fresh:  # one entry for all of them, before anything of them starts
            self.session.append(self.id, {"kind": "planned", "ids": list(fresh), "calls": fresh})
            self.slots.update({id: {**call, "state": "planned"} for id, call in fresh.items()})
        self.claimed |= set(names)
        return names

    def batch(self, calls, concurrency=None):
        names = self.match(calls)
        waiting, active = [id for id in names if self.slots[id]["state"] != "settled"], {}
        while waiting or active:
            while waiting and len(active) < min(concurrency or self.session.most, self.session.most):
                self.start(waiting.pop(0), active)
            if active and not active.keys() & self.session.answers.keys():
                self.session.hear()
            for n in [n for n in active if n in self.session.answers]:
                self.answered(active.pop(n), self.session.answers.pop(n), waiting)
        return [self.outcome(id) for id in names]

    def start(self, id, active):
        """What is done with a slot depends on what the journal says of it, and on what its tool may."""
        slot, tool = self.slots[id], self.session.tools.get(self.slots[id]["tool"])
        doubt = slot["state"] == "started"
        if tool is None:
            return self.settle(id, "error", error={"name": "UnknownTool", "message": "there is no " + slot["tool"]})
        if doubt and tool["effect"] == "once" and not tool.get("reconciler"):
            return self.settle(id, "unknown", source="surfaced")
        key = hashlib.sha256(json.dumps([self.id, id]).encode()).hexdigest()[:32]
        fields = {"run": self.id, "id": id, "tool": slot["tool"], "input": slot["input"], "key": key}
        if doubt and tool["effect"] == "once":
            active[self.session.request("ask", attempt=slot["attempt"], **fields)] = id
        else:
            slot["attempt"] += 1
            self.session.append(self.id, {"kind": "started", "ids": [id], "attempt": slot["attempt"]})
            active[self.session.request("call", attempt=slot["attempt"], **fields)] = id

    def answered(self, id, answer, waiting):
        slot, verdict = self.slots[id], answer.get("verdict")
        detail = {key: answer[key] for key in ("value", "error") if key in answer}
        if answer["type"] == "answer":
            source = "re-executed" if slot["attempt"] > 1 else "executed"
            self.settle(id, answer["outcome"], source=source, **detail)
        elif verdict in ("done", "failed"):
            self.settle(id, "ok" if verdict == "done" else "error", source="reconciled", **detail)
        elif verdict == "not-done":  # only now it may run once more
            slot["state"] = "planned"
            waiting.insert(0, id)
        else:  # unknown, or it threw: no verdict. Ask again a little later, up to a bound.
            tool, slot["asked"] = self.session.tools[slot["tool"]], slot.get("asked", 0) + 1
            if slot["asked"] >= tool.get("asks", 5):
                return self.settle(id, "unknown", source="surfaced")
            time.sleep(tool.get("askBackoffMs", 100) * 2 ** (slot["asked"] - 1) / 1000)
            waiting.insert(0, id)

    def settle(self, id, kind, source="executed", **detail):
        facts = {"outcome": kind, "source": source, "attempt": self.slots[id]["attempt"], **detail}
        self.session.append(self.id, {"kind": "settled", "ids": [id], **facts})
        self.slots[id].update(facts, state="settled", replayed=False)

    def outcome(self, id):
        slot = self.slots[id]
        shown = {key: slot[key] for key in ("tool", "source", "replayed", "value", "error") if key in slot}
        return {"id": id, "kind": slot["outcome"], "attempts": slot["attempt"], **shown}

    def finish(self, program):
        """Runs the program, unless it has ended before; its end is an entry like any other."""
        if self.end is None:
            try:
                self.end = {"type": "returned", "result": self.steps(program, {})}
            except Ended as ended:
                if ended.error["name"] == "HostError":
                    raise  # not what the program came to: it can be opened again
                self.end = {"type": "threw", "error": ended.error}
            left = [{"kind": "unused-slot", "id": id} for id in sorted(self.before - self.claimed)]
            if left:
                raise Ended("the program left calls out", "journal-mismatch", differences=left)
            self.session.append(self.id, {"kind": "run-closed", "end": self.end})
        return self.end

    def steps(self, steps, variables):
        for step in steps:
            if "batch" in step:
                variables[step.get("into")] = self.batch(step["batch"], step.get("concurrency"))
            elif "call" in step:
                [outcome] = self.batch([step["call"]])
                if outcome["kind"] != "ok":
                    raise Ended(outcome["kind"], "call-failed", name="CallFailed")
                variables[step.get("into")] = outcome.get("value")
            elif "if" in step:
                branch = "do" if variables[step["if"]][0]["kind"] == step["is"] else "else"
                result = self.steps(step.get(branch, []), variables)
                if result is not None:
                    return result
            elif "say" in step:
                self.session.say("said", run=self.id, value=fill(step["say"], variables))
            elif "throw" in step:
                raise Ended(**step["throw"])
            else:
                return fill(step["return"], variables)


def fill(value, variables):
    """A JSON value in which {"$": name} stands for a variable."""
    if isinstance(value, dict):
        inner = {key: fill(each, variables) for key, each in value.items()}
        return variables[inner["$"]] if list(inner) == ["$"] else inner
    return [fill(each, variables) for each in value] if isinstance(value, list) else value


def read_line():
    line = sys.stdin.readline(1 << 20)
    return json.loads(line) if line.endswith("\n") else sys.exit(0)  # whoever started us is gone


def main():
    about = {"protocol": 1, "name": "minimal-python", "version": "1", "levels": ["recovery"]}
    print(json.dumps({"type": "hello", **about, "capabilities": CAPABILITIES}), flush=True)
    while True:
        session = Session(read_line())
        while session.runs or session.hear() != "end":
            for message in [session.runs.pop(0)] if session.runs else []:
                try:
                    end = Run(session, message["run"]).finish(message["program"])
                except Ended as ended:
                    end = {"type": "threw", "error": ended.error}
                session.say(end["type"], run=message["run"], **{key: end[key] for key in end if key != "type"})
        session.say("ended")


main()
