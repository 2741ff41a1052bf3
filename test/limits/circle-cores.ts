// Cores that are not the one that ships: one counts what the search for circles looks at, one does not search, or badly.
import { compileEdited, type Edit } from "../../core/test/edited-core.ts";

const FILE = "assembly/circles.ts";
const edit = (from: string, to: string, file = FILE): Edit => ({ file, from, to });
const CODES = 'import { State } from "./codes";\n';

/** At each of these places something is looked at: a run, a slot, a ticket, somebody who waits for units. */
const LOOKS = [
  "    const parent = waitingFor(changetype<Run>(at));\n    if (parent === null || parent.look == look) continue;\n",
  "    if (parent === null || !parent.stuck) continue;\n    judgeRun(changetype<Run>(at), parent);\n",
  "    const parent = waitingFor(run);\n    if (parent === null || !parent.stuck || (!resuming && nestsNow(run))) continue;\n",
  "    if (parent === null || !parent.holds) continue;\n    lookAt(parent);\n",
  "    if (isOpen(slot) && slot.state == State.suspended) return true;\n",
  "    if (isAmong(slot, resuming) && (found === null || slot.turn > found.turn == last)) found = slot;\n",
  "    if (!isOpen(slot)) continue;\n    lookAt(slot);\n",
  "  if (slot.look == look) return;\n",
  "      if (isOpen(one)) lookAt(one);\n",
  "    const slot = waiterAt(n).slot;\n",
  "    const conditions = changetype<Ticket>(at).conditions;\n",
  "  const parent = waitingFor(slot.run);\n",
];

/** Its `comparisons` are also what it has looked at. */
export const countingCore = (): Promise<WebAssembly.Module> =>
  compileEdited([
    edit(
      "export let comparisons: u64 = 0;\n",
      "export let comparisons: u64 = 0;\nexport function looks(): void { comparisons++; }\n",
      "assembly/heap.ts",
    ),
    edit(CODES, `${CODES}import { looks } from "./heap";\n`),
    ...LOOKS.map((line) => edit(line, `looks();\n${line}`)),
  ]);

/** What one core does wrong at a time, by its seed from 1 on. */
export const FAULTS = {
  /** Nobody is told that it waits for ever. */
  blind: edit("!mayHaveClosed()", "!mayHaveClosed() || fault == 1"),
  /** What is kept counts as stuck even when its holder moves. */
  suspicious: edit("  scope.stuck -= units;\n", "  if (fault != 2) scope.stuck -= units;\n"),
  /** Who waits behind others on a key hears nothing when those move. */
  deaf: edit("--conditions.ticketsStuck == 0", "--conditions.ticketsStuck == 0 && fault != 3"),
  /** The run that came first is told, not the last. */
  unfair: edit("first.turn < newest.turn", "(first.turn < newest.turn) != (fault == 4)"),
  /** Whatever is kept, nobody goes before his turn. */
  strict: edit("!isHeldBack()", "!isHeldBack() || fault == 5"),
  /** A run that comes to a standstill is nothing new. */
  forgetful: edit("isHeldUp(slot.run) ||", "(isHeldUp(slot.run) && fault != 6) ||", "assembly/nesting.ts"),
} as const;

/** Which of them it has is the seed that it is configured with; 0: none. */
export const faultyCore = (): Promise<WebAssembly.Module> =>
  compileEdited([
    ...Object.values(FAULTS),
    edit(
      "export let comparisons: u64 = 0;\n",
      "export let comparisons: u64 = 0;\nexport let fault: u64 = 0;\nexport function setFault(n: u64): void { fault = n; }\n",
      "assembly/heap.ts",
    ),
    edit(CODES, `${CODES}import { fault } from "./heap";\n`),
    edit(CODES, `${CODES}import { fault } from "./heap";\n`, "assembly/nesting.ts"),
    edit(
      'import { comparisons } from "./heap";\n',
      'import { comparisons, setFault } from "./heap";\n',
      "assembly/index.ts",
    ),
    edit('  assert(!isConfigured, "configured twice");\n', "  setFault(seed);\n", "assembly/index.ts"),
  ]);
