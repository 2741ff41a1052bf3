// Which processes live that have to do with a folder: those whose command line or environment names it, and
// all of their groups, since a server may be told neither. Linux: elsewhere it sees none.
import { readdirSync, readFileSync } from "node:fs";

function read(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    // It has gone meanwhile, or is another user's.
    return "";
  }
}

interface Living {
  readonly id: number;
  readonly group: number;
  readonly named: boolean;
}

function all(folder: string): readonly Living[] {
  const ids = process.platform === "linux" ? readdirSync("/proc").filter((name) => /^\d+$/.test(name)) : [];
  return ids.map(Number).flatMap((id): Living[] => {
    const stat = read(`/proc/${id}/stat`);
    // After the name in brackets, which may contain anything: state, parent, group (proc(5)).
    const [state, , group] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    // A zombie does nothing any more.
    if (id === process.pid || state === undefined || state === "" || state === "Z") return [];
    const named = `${read(`/proc/${id}/cmdline`)}\0${read(`/proc/${id}/environ`)}`.includes(folder);
    return [{ id, group: Number(group), named }];
  });
}

/** Groups of those that name the folder, but for this process's own. */
export function groupsIn(folder: string): ReadonlySet<number> {
  const own = Number(read("/proc/self/stat").split(") ").at(-1)?.split(" ")[2]);
  return new Set(all(folder).flatMap(({ named, group }) => (named && group !== own ? [group] : [])));
}

/** Ids of those that name it or are in one of these groups. */
export function livingIn(folder: string, groups: ReadonlySet<number> = new Set()): readonly number[] {
  return all(folder).flatMap(({ id, named, group }) => (named || groups.has(group) ? [id] : []));
}
