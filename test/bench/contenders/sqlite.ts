// The SQLite that this Node has, with the settings of a journal: node:sqlite where there is one, libsql
// otherwise. The same choice as Holdfast makes, so that a comparison compares no libraries.
import { createRequire } from "node:module";

export interface Statement {
  run(...values: readonly (string | number | null)[]): unknown;
}

export interface Sqlite {
  readonly library: string;
  exec(sql: string): void;
  prepare(sql: string): Statement;
  close(): void;
}

interface Library {
  new (path: string): Pick<Sqlite, "close" | "prepare"> & { exec(sql: string): unknown };
}

export function openSqlite(path: string): Sqlite {
  const { name, Database } = library();
  const database = new Database(path);
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;");
  return {
    library: name,
    exec: (sql) => {
      database.exec(sql);
    },
    prepare: (sql) => database.prepare(sql) as Statement,
    close: () => {
      database.close();
    },
  };
}

function library(): { readonly name: string; readonly Database: Library } {
  const require = createRequire(import.meta.url);
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  if (major > 22 || (major === 22 && minor >= 13)) {
    return { name: "node:sqlite", Database: require("node:sqlite").DatabaseSync };
  }
  return { name: "libsql", Database: require("libsql") };
}
