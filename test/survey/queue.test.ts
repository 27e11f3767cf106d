/** The queue, with shards that only write a file: what comes of kills, of frozen workers and of a server that crashes. */

import { existsSync } from "node:fs";
import { link, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { InputError } from "../../src/core/errors.js";
import { openQueueServer } from "../../src/survey/queue/open-queue.js";
import { queueAddress } from "../../src/survey/queue/queue-address.js";
import { runOnQueue } from "../../src/survey/queue/run-on-queue.js";
import type { ShardJob } from "../../src/survey/queue/shard-job.js";
import { UnknownRootError } from "../../src/survey/queue/shared-roots.js";
import { workOnQueue } from "../../src/survey/queue/work-on-queue.js";
import { missing, startServer, type TestServer } from "../support/queue-servers.js";

const SHARDS = Array.from({ length: 12 }, (_, shard) => shard);

describe.each(["redis", "postgres"] as const)("a queue on %s", (kind) => {
  const why = missing(kind);
  if (why) {
    test.skip(`not tested: ${why}`, () => {});
    return;
  }
  let server: TestServer;
  let folder: string;
  let plan = "";
  beforeAll(async () => {
    server = await startServer(kind);
    folder = await mkdtemp(join(tmpdir(), "aspectlens-queue-"));
  }, 60_000);
  afterAll(async () => {
    await server?.stop();
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  const fileOf = (shard: number) => join(folder, `${plan}-${shard}`);
  const finished = async () => new Set(SHARDS.filter((shard) => existsSync(fileOf(shard))));
  const jobOf = (shard: number): ShardJob => ({ report: folder, bundle: "", images: folder, plan, shard, roots: {} });
  /** As a shard is written: never twice. */
  const put = async (shard: number, by: string) => {
    const own = `${fileOf(shard)}.${by}.${Math.random()}`;
    await writeFile(own, by);
    await link(own, fileOf(shard)).catch(() => {});
    await rm(own);
  };
  const submit = async (more: Partial<Parameters<typeof runOnQueue>[1]> = {}) =>
    runOnQueue(await openQueueServer(queueAddress(server.url)), {
      shards: SHARDS,
      jobOf,
      finished,
      pollMs: 50,
      checkMs: 1000,
      ...more,
    });
  const worker = (run: (shard: number, signal: AbortSignal) => Promise<void>) => {
    const stop = new AbortController();
    const opening = openQueueServer(queueAddress(server.url));
    const ended = opening.then((opened) =>
      workOnQueue(opened, { run: (job, { signal }) => run(job.shard, signal), signal: stop.signal, lockMs: 2000 }),
    );
    ended.catch(() => {});
    return { stop: () => stop.abort(), ended };
  };

  test("three workers do every shard once", async () => {
    plan = "three";
    const done: number[] = [];
    const workers = [0, 1, 2].map((own) =>
      worker(async (shard) => {
        await sleep(20);
        done.push(shard);
        await put(shard, `${own}`);
      }),
    );
    expect(await submit()).toEqual([]);
    for (const { stop } of workers) stop();
    await Promise.all(workers.map(({ ended }) => ended));
    expect(done.sort((a, b) => a - b)).toEqual(SHARDS);
  }, 60_000);

  test("a shard that fails three times is reported, the others are done, and a second call tries it anew", async () => {
    plan = "poisoned";
    let tries = 0;
    let isPoisoned = true;
    const one = worker(async (shard) => {
      if (shard === 5) {
        tries++;
        if (isPoisoned) throw new Error("cannot be done");
      }
      await put(shard, "one");
    });
    expect(await submit()).toEqual([{ shard: 5, reason: "cannot be done" }]);
    expect(tries).toBe(3);
    expect([...(await finished())]).toEqual(SHARDS.filter((shard) => shard !== 5));
    isPoisoned = false;
    expect(await submit()).toEqual([]);
    one.stop();
    await one.ended;
  }, 60_000);

  test("a stopped worker puts its shard back at once, with no attempt used up", async () => {
    plan = "stopped";
    let started = 0;
    const slow = worker(async (_, signal) => {
      started++;
      await sleep(60_000, undefined, { signal });
    });
    const submitted = submit();
    while (started === 0) await sleep(20);
    slow.stop();
    await slow.ended;
    const [begun, other] = [performance.now(), worker((shard) => put(shard, "other"))];
    expect(await submitted).toEqual([]);
    expect(performance.now() - begun).toBeLessThan(30_000);
    other.stop();
    await other.ended;
  }, 60_000);

  test("a job that the server lost is put back, since its file is missing", async () => {
    plan = "lost";
    const submitted = submit();
    const opened = await openQueueServer(queueAddress(server.url));
    const queue = await opened.queue();
    while ((await queue.getWaitingCount()) < SHARDS.length) await sleep(50);
    await queue.drain();
    await queue.close();
    const one = worker((shard) => put(shard, "one"));
    expect(await submitted).toEqual([]);
    one.stop();
    await one.ended;
  }, 60_000);

  test("the server crashes and comes back: the work goes on", async () => {
    plan = "crash";
    const done: number[] = [];
    const notices: string[] = [];
    const one = worker(async (shard) => {
      await sleep(150);
      done.push(shard);
      await put(shard, "one");
    });
    const submitted = submit({ onNotice: (text) => notices.push(text) });
    while (done.length < 3) await sleep(20);
    await server.crash();
    expect(await submitted).toEqual([]);
    one.stop();
    await one.ended;
    expect(new Set(done).size).toBe(SHARDS.length);
  }, 90_000);

  test("a worker that knows no such root ends, and the shard goes to another", async () => {
    plan = "roots";
    const lost = worker(async () => {
      throw new UnknownRootError('/data/x: this worker knows no shared folder "data".');
    });
    const submitted = submit();
    await expect(lost.ended).rejects.toThrow('no shared folder "data"');
    const one = worker((shard) => put(shard, "one"));
    expect(await submitted).toEqual([]);
    one.stop();
    await one.ended;
    expect((await readdir(folder)).filter((name) => name.startsWith("roots-"))).toHaveLength(SHARDS.length);
  }, 60_000);

  test("a wrong password, or nothing that listens, is one line", async () => {
    const away = new URL(server.url);
    away.port = "1";
    await expect(openQueueServer(queueAddress(away.href))).rejects.toThrow(
      /^--queue: \w+:\/\/127\.0\.0\.1:1.*cannot be reached \(ECONNREFUSED\)\. Start the server there/,
    );
  });
});

test("an address is shown without its password", () => {
  expect(queueAddress("postgres://ann:secret@db.example:5433/jobs").shown).toBe("postgres://db.example:5433/jobs");
  expect(queueAddress("redis://:secret@cache").shown).toBe("redis://cache:6379");
});

test.each(["", "cache:6379", "http://cache", "redis:", "redis://", "postgres:///jobs"])(
  "%j is no address, and is not repeated",
  (text) => {
    expect(() => queueAddress(text)).toThrow(InputError);
    expect(() => queueAddress(text)).toThrow("--queue: is no address of a Redis or PostgreSQL server. Write redis://");
  },
);
