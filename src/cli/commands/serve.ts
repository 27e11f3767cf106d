/** `aspectlens serve`: answers and explains images over HTTP, until it is stopped. */

import { readFile } from "node:fs/promises";
import { type Command, Option } from "commander";
import { InputError } from "../../core/errors.js";
import { defaultThreads } from "../../engine/threads.js";
import { SALIENCY_NAMES, type SaliencyName } from "../../explain/methods.js";
import { type DeviceOptions, deviceOptions, showNotice } from "../engine-options.js";
import { printJson, printLine, printNote } from "../output.js";
import { type CommonOptions, runCommand } from "../run-command.js";

interface ServeOptions extends CommonOptions, DeviceOptions {
  readonly port: string;
  readonly host: string;
  readonly methods: SaliencyName[];
  readonly token?: string;
  readonly tokenFile?: string;
  readonly cors: string[];
  readonly inFlight: string;
  readonly maxBytes: string;
  readonly maxPixels: string;
  readonly timeLimit: string;
  readonly log?: boolean;
}

const EXAMPLES = `
Examples:
  aspectlens serve tissue.aspect
  aspectlens serve tissue.aspect blood.aspect --port 9000
  aspectlens serve tissue.aspect --host 0.0.0.0 --token-file token.txt
  curl --data-binary @slide.png -H 'Content-Type: image/png' http://127.0.0.1:8080/v1/explain`;

export function addServe(program: Command): void {
  const command = program
    .command("serve")
    .description("answer and explain images over HTTP: an API of its own, and the Open Inference Protocol v2")
    .argument("<bundle...>", "one or more .aspect files; SIGHUP opens them anew")
    .option("--port <number>", "where to listen; 0: any that is free", "8080")
    .option("--host <address>", "for whom to listen; 0.0.0.0: everyone on the network", "127.0.0.1")
    .addOption(
      new Option("--methods <names...>", "saliency methods that requests may ask for, besides the models' own")
        .choices(SALIENCY_NAMES)
        .default([], "none"),
    )
    .option("--token <text>", "asked of every request, as Bearer or as the password; --token-file hides it from others")
    .option("--token-file <file>", "file that holds the token")
    .option("--cors <origins...>", "other sites that may ask from a browser, as https://lab.example", [])
    .option("--in-flight <count>", "requests that are here at once; others are told to come again", "64")
    .option("--max-bytes <count>", "of one request", "33554432")
    .option("--max-pixels <count>", "of one image", "50000000")
    .option("--time-limit <seconds>", "after which a request that waits is given up", "60")
    .option("--log", "write a line of JSON to stderr for each request, not for failures of the server alone")
    .option("--json", "print one JSON object when it listens")
    .option("--debug", "print the stack of an error")
    .addHelpText("after", EXAMPLES)
    .action((bundles: string[], options: ServeOptions) =>
      runCommand(options, (signal) => runServe(bundles, options, signal)),
    );
  deviceOptions(command);
}

async function runServe(paths: readonly string[], options: ServeOptions, signal: AbortSignal): Promise<void> {
  const limits = limitsOf(options);
  const token = await tokenOf(options);
  const { host, threads = defaultThreads(), device, methods, cors: origins, json, log } = options;
  const [{ createServer }, { servedModels }] = await Promise.all([
    import("../../serve/server.js"),
    import("../../serve/served-models.js"),
  ]);
  const { version } = JSON.parse(await readFile(new URL("../../../package.json", import.meta.url), "utf8"));
  const isLocal = ["127.0.0.1", "localhost", "::1"].includes(host);
  const models = await servedModels(paths, { threads, device, methods, onNotice: showNotice });
  const reload = async () => {
    for (const error of await models.reload()) printNote(`aspectlens: not reloaded: ${error.message}`);
    printNote("aspectlens: reloaded");
  };
  try {
    const server = await createServer(models, {
      ...limits,
      ...(token !== undefined && { token }),
      origins,
      isLocal,
      version,
      atOnce: threads + 1, // one is decoded while the others are computed
      log: { stream: process.stderr, level: log ? "info" : "error" },
    });
    try {
      await server.listen({ host, port: limits.port }).catch((cause: NodeJS.ErrnoException) => {
        throw new InputError(`--port ${limits.port}: cannot listen on ${host} (${cause.code ?? cause.message}).`, {
          cure: "Choose another --port or --host.",
          cause,
        });
      });
      const address = server.server.address();
      const port = typeof address === "object" && address ? address.port : limits.port;
      const url = `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
      if (json) printJson({ url, models: models.names });
      else printLine(`${models.names.join(", ")}: ${url}  (API: ${url}/openapi.json; Ctrl-C stops it)`);
      if (!isLocal && token === undefined)
        showNotice("everyone who reaches this machine can ask; --token-file FILE asks for a token.");
      process.on("SIGHUP", reload);
      await new Promise<void>((resolve) => {
        if (signal.aborted) resolve();
        signal.addEventListener("abort", () => resolve(), { once: true });
      });
    } finally {
      process.off("SIGHUP", reload);
      await server.close(); // ends when what runs is finished
    }
  } finally {
    await models.dispose();
  }
}

function limitsOf({ port, inFlight, maxBytes, maxPixels, timeLimit }: ServeOptions) {
  const whole = (text: string, option: string, [least, most]: readonly [number, number]) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= least && value <= most) return value;
    throw new InputError(`${option} ${text}: expected a whole number from ${least} to ${most}.`);
  };
  return {
    port: whole(port, "--port", [0, 65_535]),
    inFlight: whole(inFlight, "--in-flight", [1, 10_000]),
    mostBytes: whole(maxBytes, "--max-bytes", [1000, 700_000_000]),
    mostPixels: whole(maxPixels, "--max-pixels", [1000, 100_000_000]),
    timeLimitMs: 1000 * whole(timeLimit, "--time-limit", [1, 3600]),
  };
}

async function tokenOf({ token, tokenFile }: ServeOptions): Promise<string | undefined> {
  if (token !== undefined && tokenFile !== undefined)
    throw new InputError("--token and --token-file cannot be used together.", { cure: "Leave one of them out." });
  const text =
    tokenFile === undefined
      ? token
      : (
          await readFile(tokenFile, "utf8").catch((cause: unknown) => {
            throw new InputError(`--token-file ${tokenFile}: cannot be read.`, { cause, file: tokenFile });
          })
        ).trim();
  if (text !== undefined && text.length < 8)
    throw new InputError("--token: fewer than 8 characters can be guessed.", { cure: "Take a longer one." });
  return text;
}
