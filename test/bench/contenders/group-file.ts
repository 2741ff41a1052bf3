// An append-only file with group commit: what comes in one turn of the loop, or while a write is under
// way, goes out as one write and one fdatasync. Callbacks, not promises, of `fs`: they cost less.
import { close, constants, fdatasync, open, write } from "node:fs";

export class GroupFile {
  readonly #fd: number;
  /** Opened with O_DSYNC: the write itself is durable, one trip to the thread pool instead of two. */
  readonly #dsync: boolean;
  #lines: string[] = [];
  #durable: Settlement | undefined;
  #flushing = false;

  private constructor(fd: number, dsync: boolean) {
    this.#fd = fd;
    this.#dsync = dsync;
  }

  static open(path: string, options: { readonly dsync?: boolean } = {}): Promise<GroupFile> {
    const { O_APPEND, O_CREAT, O_DSYNC, O_WRONLY } = constants;
    const dsync = options.dsync ?? false;
    const flags = O_APPEND | O_CREAT | O_WRONLY | (dsync ? O_DSYNC : 0);
    return new Promise((resolve, reject) => {
      open(path, flags, (error, fd) => (error ? reject(error) : resolve(new GroupFile(fd, dsync))));
    });
  }

  /** Appends a line. Resolves when it is on the disk; lines are there in the order of their appends. */
  append(line: string): Promise<void> {
    this.#lines.push(line);
    if (this.#durable === undefined) {
      this.#durable = settlement();
      if (!this.#flushing) this.#flushSoon();
    }
    return this.#durable.promise;
  }

  close(): Promise<void> {
    return new Promise((resolve, reject) => close(this.#fd, (error) => (error ? reject(error) : resolve())));
  }

  /** At the end of this turn, so that all that is appended in it shares the sync. */
  #flushSoon(): void {
    this.#flushing = true;
    setImmediate(() => this.#flush());
  }

  #flush(): void {
    const group = this.#durable!;
    const bytes = Buffer.from(`${this.#lines.join("\n")}\n`);
    this.#lines = [];
    this.#durable = undefined;
    this.#write(bytes, (error) => {
      if (error) group.reject(error);
      else group.resolve();
      this.#flushing = false;
      // What came meanwhile waits for one more turn: those who were just told may have something to add.
      if (this.#durable !== undefined) this.#flushSoon();
    });
  }

  #write(bytes: Buffer, done: (error: Error | null) => void): void {
    write(this.#fd, bytes, 0, bytes.length, null, (error, written) => {
      if (error) done(error);
      else if (written < bytes.length) this.#write(bytes.subarray(written), done);
      else if (this.#dsync) done(null);
      else fdatasync(this.#fd, done);
    });
  }
}

interface Settlement {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

function settlement(): Settlement {
  let resolve!: () => void;
  let reject!: (error: Error) => void;
  const promise = new Promise<void>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}
