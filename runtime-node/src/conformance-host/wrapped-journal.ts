// A journal around another one, so that a fault may change what it hears or says of one thing and leave the rest.
import type { Entry, Journal, OpenedRun, PruneOptions } from "../index.ts";

export class WrappedJournal implements Journal {
  readonly durable: boolean;
  readonly name: string;
  readonly inner: Journal;

  constructor(inner: Journal) {
    this.inner = inner;
    this.durable = inner.durable;
    this.name = inner.name;
  }

  open(run: string): Promise<OpenedRun> {
    return this.inner.open(run);
  }

  append(run: string, fence: number, entries: readonly Entry[]): Promise<void> {
    return this.inner.append(run, fence, entries);
  }

  release(run: string, fence: number): Promise<void> {
    return this.inner.release(run, fence);
  }

  read(run: string): Promise<readonly Entry[] | undefined> {
    return this.inner.read(run);
  }

  runs(): ReturnType<Journal["runs"]> {
    return this.inner.runs();
  }

  prune(options: PruneOptions): Promise<readonly string[]> {
    return this.inner.prune(options);
  }

  close(): Promise<void> {
    return this.inner.close();
  }
}

/** A journal that gives its entries in another form than they are on disk. */
export function readingAs(change: (entries: readonly Entry[]) => readonly Entry[]): (inner: Journal) => Journal {
  return (inner) =>
    new (class extends WrappedJournal {
      override async open(run: string): Promise<OpenedRun> {
        const opened = await this.inner.open(run);
        return { ...opened, entries: change(opened.entries) };
      }
    })(inner);
}

/** A journal that appends in another way. */
export function appendingAs(
  append: (inner: Journal, run: string, fence: number, entries: readonly Entry[]) => Promise<void>,
): (inner: Journal) => Journal {
  return (inner) =>
    new (class extends WrappedJournal {
      override append(run: string, fence: number, entries: readonly Entry[]): Promise<void> {
        return append(this.inner, run, fence, entries);
      }
    })(inner);
}
