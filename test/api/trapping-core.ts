// The core with a broken assumption put into it: it traps when it is told of a claim of slot 0. Made from
// the very core that was built, so that all else about it is real.
import { readFileSync } from "node:fs";
import binaryen from "binaryen";

const CLAIM = 1;
/** Offsets of an event's kind and slot, as core.wit lays them out. */
const SLOT_AT = 8;

function sabotaged(bytes: Uint8Array): Uint8Array {
  const module = binaryen.readBinary(bytes);
  module.setFeatures(binaryen.Features.All);
  const { i32, i64 } = binaryen;
  const whole = binaryen.getExportInfo(module.getExport("handle")).value;
  const events = module.local.get(2, i32);
  const isClaim = module.i32.eq(module.i32.load8_u(0, 1, events), module.i32.const(CLAIM));
  const ofFirst = module.i32.eqz(module.i32.load(SLOT_AT, 4, module.local.get(2, i32)));
  const some = module.i32.ne(module.local.get(3, i32), module.i32.const(0));
  const trap = module.if(module.i32.and(some, module.i32.and(isClaim, ofFirst)), module.unreachable());
  const parameters = [i64, i64, ...Array.from({ length: 10 }, () => i32)]; // now, wall, five lists
  const on = module.call(
    whole,
    parameters.map((type, i) => module.local.get(i, type)),
    i32,
  );
  module.addFunction("sabotaged", binaryen.createType(parameters), i32, [], module.block(null, [trap, on], i32));
  module.removeExport("handle");
  module.addFunctionExport("sabotaged", "handle");
  if (!module.validate()) throw new Error("the sabotaged core is not valid");
  return module.emitBinary();
}

export const trappingCore = new WebAssembly.Module(
  sabotaged(readFileSync(new URL("../../core/dist/core.wasm", import.meta.url))).slice(),
);
