// What a broken assumption leaves behind: "message (file:line:column)" in a static area that the
// host reads after the trap. The instance is lost then; the runs recover from their journals.

const AREA_BYTES: i32 = 512;
const area: usize = memory.data(AREA_BYTES);

/** Address of the message: UTF-8, ends with a zero byte. */
export function panicArea(): usize {
  return area;
}

function put(at: usize, text: string): usize {
  for (let i = 0; i < text.length && at < area + AREA_BYTES - 1; i++) {
    const unit = text.charCodeAt(i);
    store<u8>(at++, unit < 128 ? <u8>unit : 63);
  }
  return at;
}

function putNumber(at: usize, value: u32): usize {
  let divisor: u32 = 1;
  while (value / divisor >= 10) divisor *= 10;
  while (divisor > 0 && at < area + AREA_BYTES - 1) {
    store<u8>(at++, <u8>(48 + ((value / divisor) % 10)));
    divisor /= 10;
  }
  return at;
}

export function abort(message: string | null, file: string | null, line: u32, column: u32): void {
  let at = area;
  if (message !== null) at = put(at, message);
  at = put(at, " (");
  if (file !== null) at = put(at, file);
  at = put(at, ":");
  at = putNumber(at, line);
  at = put(at, ":");
  at = putNumber(at, column);
  at = put(at, ")");
  store<u8>(at, 0);
  unreachable();
}
