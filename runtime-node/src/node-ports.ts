// What Node gives a driver: its clocks, its entropy, its SHA-256, its warnings.
import { createHash, hash, randomBytes } from "node:crypto";
import type { Clock, Ports } from "../../bindings/js/src/ports.ts";

export const nodeClock: Clock = {
  nowUs: () => Math.floor(performance.now() * 1000),
  wallMs: () => Date.now(),
  timer(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};

// `crypto.hash` (Node 20.12, 21.7) makes no object per call: a third of the time.
const sha256: NonNullable<Ports["sha256"]> =
  typeof hash === "function"
    ? (text) => hash("sha256", text, "buffer")
    : (text) => createHash("sha256").update(text).digest();

export const nodeBasics: Pick<Ports, "clock" | "random" | "sha256" | "warn"> = {
  clock: nodeClock,
  random: (bytes) => new Uint8Array(randomBytes(bytes)),
  sha256,
  warn: (message) => process.emitWarning(message, "HoldfastWarning"),
};
