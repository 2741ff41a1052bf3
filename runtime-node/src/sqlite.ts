// The SQLite that this Node has, behind one small surface: `node:sqlite` (Node 22.13 and later), otherwise the
// optional package `libsql`. What the two do differently ends here; it knows nothing of journals.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { JournalError } from "../../bindings/js/src/errors.ts";

/** What is bound to a statement. A number is a safe integer. */
export type SqlValue = number | string | Uint8Array | null;
/** A row by column name. Integers are bigints, so that none is rounded. */
export type SqlRow = Readonly<Record<string, bigint | string | Uint8Array | null>>;

export interface Statement {
  run(values: readonly SqlValue[]): void;
  get(values: readonly SqlValue[]): SqlRow | undefined;
  all(values: readonly SqlValue[]): readonly SqlRow[];
}

/** A connection. Whatever SQLite refuses is thrown as the library throws it; `sqliteCode` reads it. */
export interface Database {
  exec(sql: string): void;
  prepare(sql: string): Statement;
  close(): void;
}

interface NodeStatement {
  run(...values: readonly SqlValue[]): unknown;
  get(...values: readonly SqlValue[]): SqlRow | undefined;
  all(...values: readonly SqlValue[]): readonly SqlRow[];
  setReadBigInts(on: boolean): void;
}

interface LibsqlStatement {
  run(values: readonly SqlValue[]): unknown;
  get(values: readonly SqlValue[]): SqlRow | undefined;
  all(values: readonly SqlValue[]): readonly Readonly<Record<string, unknown>>[];
  safeIntegers(on: boolean): unknown;
}

interface Library<Prepared> {
  new (
    path: string,
    options?: { readonly readOnly?: boolean },
  ): {
    exec(sql: string): unknown;
    prepare(sql: string): Prepared;
    close(): void;
  };
}

/** Opens a connection to a file, which an absolute path names. Throws `journal-unavailable` where there is no SQLite. */
export function openSqlite(path: string, options: { readonly readOnly?: boolean } = {}): Database {
  const readOnly = options.readOnly === true;
  const builtIn = builtInSqlite();
  if (builtIn !== undefined) return overNode(new builtIn(path, { readOnly }));
  // It has no such option; but SQLite itself understands URLs.
  return overLibsql(new (loadLibsql())(readOnly ? `${pathToFileURL(path).href}?mode=ro` : path));
}

function builtInSqlite(): Library<NodeStatement> | undefined {
  const found = process.getBuiltinModule?.("node:sqlite" as "node:fs") as unknown;
  return (found as { readonly DatabaseSync: Library<NodeStatement> } | undefined)?.DatabaseSync;
}

function loadLibsql(): Library<LibsqlStatement> {
  try {
    return createRequire(import.meta.url)("libsql") as Library<LibsqlStatement>;
  } catch (cause) {
    throw new JournalError(
      "journal-unavailable",
      `Node ${process.versions.node} has no SQLite of its own, and the package libsql could not be loaded`,
      "Run `npm install libsql`, or use Node 22.13 or later.",
      { cause },
    );
  }
}

function overNode(connection: InstanceType<Library<NodeStatement>>): Database {
  return {
    exec: (sql) => void connection.exec(sql),
    prepare(sql) {
      const prepared = connection.prepare(sql);
      prepared.setReadBigInts(true);
      return {
        run: (values) => void prepared.run(...values),
        get: (values) => prepared.get(...values),
        all: (values) => prepared.all(...values),
      };
    },
    close: () => connection.close(),
  };
}

function overLibsql(connection: InstanceType<Library<LibsqlStatement>>): Database {
  return {
    exec: (sql) => void connection.exec(sql),
    prepare(sql) {
      const prepared = connection.prepare(sql);
      prepared.safeIntegers(true);
      return {
        run: (values) => void prepared.run(values),
        // `get` adds a field to the row and keeps Buffers, `all` gives ArrayBuffers instead.
        get: (values) => prepared.get(values),
        all: (values) => prepared.all(values).map(withBytes),
      };
    },
    close: () => connection.close(),
  };
}

function withBytes(row: Readonly<Record<string, unknown>>): SqlRow {
  const fields = Object.entries(row).map(([name, value]) => [
    name,
    value instanceof ArrayBuffer ? new Uint8Array(value) : value,
  ]);
  return Object.fromEntries(fields) as SqlRow;
}

/** SQLite's result code of an error that a connection threw; undefined if it is no such error. */
export function sqliteCode(error: unknown, form: "primary" | "extended" = "primary"): number | undefined {
  if (typeof error !== "object" || error === null) return undefined;
  const { errcode, rawCode } = error as { readonly errcode?: unknown; readonly rawCode?: unknown };
  const code = typeof errcode === "number" ? errcode : rawCode;
  if (typeof code !== "number") return undefined;
  return form === "primary" ? code & 0xff : code;
}
