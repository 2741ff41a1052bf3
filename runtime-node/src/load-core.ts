// The core's module, compiled once per process from the bytes in the bundle: no file to find, no fetch.
import base64 from "../../core/dist/wasm.js";

let compiled: WebAssembly.Module | undefined;

export function loadCore(): WebAssembly.Module {
  compiled ??= new WebAssembly.Module(Buffer.from(base64, "base64"));
  return compiled;
}
