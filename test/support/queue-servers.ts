/** Starts the servers that a job queue can be on, each on a port and in a folder of its own, and stops them as a crash would. */

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { chownSync, existsSync, readdirSync } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

export interface TestServer {
  readonly url: string;
  /** Kill -9, as by a power cut, then the same data again. */
  crash(): Promise<void>;
  stop(): Promise<void>;
}

/** Why a server cannot be started here. */
export function missing(kind: "redis" | "postgres"): string | undefined {
  if (kind === "redis")
    return which("redis-server") ? undefined : "redis-server is not installed (Debian: redis-server)";
  return postgresFolder() ? undefined : "PostgreSQL is not installed (Debian: postgresql-15)";
}

export async function startServer(kind: "redis" | "postgres"): Promise<TestServer> {
  return kind === "redis" ? startRedis() : startPostgres();
}

async function startRedis(): Promise<TestServer> {
  const [folder, port] = [await mkdtemp(join(tmpdir(), "aspectlens-redis-")), await freePort()];
  const options = ["--port", `${port}`, "--dir", folder, "--bind", "127.0.0.1", "--save", ""];
  // Nothing that was said to be stored may be lost.
  const start = () => spawn("redis-server", [...options, "--appendonly", "yes", "--appendfsync", "always"]);
  return running(start, { url: `redis://127.0.0.1:${port}`, port, folder });
}

async function startPostgres(): Promise<TestServer> {
  const [folder, port, programs] = [await mkdtemp("/tmp/aspectlens-pg-"), await freePort(), postgresFolder()];
  // PostgreSQL refuses to run as root.
  const user = process.getuid?.() === 0 ? idsOf("postgres") : undefined;
  const data = join(folder, "data");
  await mkdir(data, { mode: 0o700 });
  if (user) for (const path of [folder, data]) chownSync(path, user.uid, user.gid);
  const how = { ...user, cwd: folder, env: { ...process.env, LC_ALL: "C" } };
  const initdb = ["-D", data, "-U", "aspectlens", "--auth", "trust", "--no-sync", "-E", "UTF8"];
  execFileSync(join(programs ?? "", "initdb"), initdb, { ...how, stdio: "ignore" });
  const options = ["-D", data, "-p", `${port}`, "-k", folder, "-c", "listen_addresses=127.0.0.1"];
  const start = () => spawn(join(programs ?? "", "postgres"), options, how);
  return running(start, { url: `postgres://aspectlens@127.0.0.1:${port}/postgres`, port, folder, isPostgres: true });
}

async function running(
  start: () => ChildProcess,
  { url, port, folder, isPostgres = false }: { url: string; port: number; folder: string; isPostgres?: boolean },
): Promise<TestServer> {
  let child: ChildProcess;
  const up = async () => {
    child = start();
    const said: string[] = [];
    for (const stream of [child.stdout, child.stderr]) stream?.on("data", (data: Buffer) => said.push(`${data}`));
    for (let tries = 0; tries < 200; tries++) {
      if (child.exitCode !== null) break;
      const isReady = isPostgres ? said.join("").includes("ready to accept connections") : await answers(port);
      if (isReady) return;
      await sleep(100);
    }
    throw new Error(`the server does not start:\n${said.join("")}`);
  };
  const down = async (signal: NodeJS.Signals) => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill(signal);
    await ended;
  };
  await up();
  return {
    url,
    async crash() {
      await down("SIGKILL");
      await sleep(1000); // PostgreSQL's other processes end by themselves
      await up();
    },
    async stop() {
      await down(isPostgres ? "SIGINT" : "SIGTERM");
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.end();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
}

function which(program: string): boolean {
  return (process.env.PATH ?? "").split(":").some((folder) => existsSync(join(folder, program)));
}

function postgresFolder(): string | undefined {
  const root = "/usr/lib/postgresql";
  if (!existsSync(root)) return undefined;
  const [folder] = readdirSync(root)
    .map((version) => join(root, version, "bin"))
    .filter((bin) => existsSync(join(bin, "postgres")) && existsSync(join(bin, "initdb")));
  return folder;
}

function idsOf(user: string): { uid: number; gid: number } {
  const [uid, gid] = ["-u", "-g"].map((flag) => Number(execFileSync("id", [flag, user], { encoding: "utf8" })));
  return { uid, gid };
}
