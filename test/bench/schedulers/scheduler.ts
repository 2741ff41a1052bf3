// What is measured: a way of running very many tasks, so many at once, in the order of a priority where it
// knows one. Types only; each scheduler has a file of its own.

/** A task that is over in the same turn of the loop; it counts itself. */
export type Task = () => Promise<void>;

export interface Load {
  readonly tasks: number;
  readonly concurrency: number;
  /** Of a task by its index, 0 to 9, larger is sooner; the same for all is a plain queue. */
  readonly priority: (index: number) => number;
}

export interface Scheduler {
  readonly name: string;
  /** Does it know priorities? What does not is left out of mixed loads. */
  readonly priorities: boolean;
  /** It gets no more tasks than this: with all of them a round would take minutes. */
  readonly tasksMax?: number;
  /** Queues every task and waits until all are over. */
  drain(load: Load, task: Task): Promise<void>;
  close?(): Promise<void>;
}

/** What nothing else explains: a promise per task. */
export function allOf(count: number, begin: (index: number) => Promise<unknown>): Promise<unknown> {
  const begun: Promise<unknown>[] = new Array(count);
  for (let i = 0; i < count; i++) begun[i] = begin(i);
  return Promise.all(begun);
}
