// The schedulers that people take today, each as its documentation says: p-queue, fastq, bottleneck,
// cockatiel's bulkhead, and opossum's breaker behind p-limit, since it refuses instead of queueing.
import Bottleneck from "bottleneck";
import { bulkhead } from "cockatiel";
import * as fastq from "fastq";
import CircuitBreaker from "opossum";
import pLimit from "p-limit";
import PQueue from "p-queue";
import { allOf, type Scheduler } from "./scheduler.ts";

const pQueue: Scheduler = {
  name: "p-queue",
  priorities: true,
  async drain({ tasks, concurrency, priority }, task) {
    const queue = new PQueue({ concurrency });
    await allOf(tasks, (i) => queue.add(task, { priority: priority(i) }));
  },
};

const fastQ: Scheduler = {
  name: "fastq",
  priorities: false,
  async drain({ tasks, concurrency }, task) {
    const queue = fastq.promise<unknown, number, void>(task, concurrency);
    await allOf(tasks, (i) => queue.push(i));
  },
};

/** It sets a timer for every task, also for those that need not wait: a millisecond each. */
const bottleneck: Scheduler = {
  name: "bottleneck",
  priorities: true,
  tasksMax: 1_000,
  async drain({ tasks, concurrency, priority }, task) {
    const limiter = new Bottleneck({ maxConcurrent: concurrency });
    // 0 is first there.
    await allOf(tasks, (i) => limiter.schedule({ priority: 9 - priority(i) }, task));
  },
};

const cockatiel: Scheduler = {
  name: "cockatiel",
  priorities: false,
  async drain({ tasks, concurrency }, task) {
    const policy = bulkhead(concurrency, tasks);
    await allOf(tasks, () => policy.execute(task));
  },
};

const opossum: Scheduler = {
  name: "p-limit + opossum",
  priorities: false,
  async drain({ tasks, concurrency }, task) {
    const limited = pLimit(concurrency);
    const breaker = new CircuitBreaker(task, { timeout: false });
    await allOf(tasks, () => limited(() => breaker.fire()));
    breaker.shutdown();
  },
};

/** The first is what the others are compared to. */
export const PEERS: readonly Scheduler[] = [pQueue, fastQ, bottleneck, cockatiel, opossum];
