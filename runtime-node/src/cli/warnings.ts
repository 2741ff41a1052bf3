// Node 22 warns that its SQLite is experimental, which is no news to somebody who looks at a journal.
// Every other warning is printed as ever.

/** Drops that one warning, in this process only. */
export function quietSqliteWarning(): void {
  const emit = process.emitWarning.bind(process) as (...given: unknown[]) => void;
  process.emitWarning = ((warning: string | Error, ...rest: unknown[]): void => {
    const text = typeof warning === "string" ? warning : warning.message;
    if (/^SQLite is an experimental feature/.test(text)) return;
    emit(warning, ...rest);
  }) as typeof process.emitWarning;
}
