/** The models that a server answers with: bundles that are open, and are replaced without a request being lost. */

import { type Explainer, openExplainer } from "../bundle/explainer.js";
import { openPredictor, type Predictor } from "../bundle/predictor.js";
import { readBundle } from "../bundle/read-bundle.js";
import { InputError } from "../core/errors.js";
import type { RuntimeOptions } from "../engine/devices.js";
import { DEFAULT_SALIENCY, type SaliencyName } from "../explain/methods.js";

/** One bundle, ready to answer. */
export interface ServedModel {
  readonly name: string;
  /** Path of the bundle, for the log; never sent. */
  readonly path: string;
  readonly description: Explainer["description"];
  readonly predictor: Predictor;
  /** By saliency method; the bundle's own is the first. */
  readonly explainers: ReadonlyMap<SaliencyName, Explainer>;
}

export interface ServedModels {
  /** Names, in the order of the command line. */
  readonly names: readonly string[];
  /**
   * Work with a model, which stays open until the work ends, even where it is replaced meanwhile.
   *
   * @param name the only one where there is one.
   * @throws UnknownModelError
   */
  using<Value>(name: string | undefined, work: (model: ServedModel) => Promise<Value>): Promise<Value>;
  /**
   * Opens every bundle anew; one that cannot be opened leaves the former one in place.
   *
   * @returns the errors.
   */
  reload(): Promise<Error[]>;
  /** Ends when no work is left. */
  dispose(): Promise<void>;
}

/** A request for a model that is not served. */
export class UnknownModelError extends InputError {
  override name = "UnknownModelError";
}

interface Opened {
  readonly model: ServedModel;
  users: number;
  isReplaced: boolean;
  close(): Promise<void>;
}

/**
 * @param paths of bundles.
 * @param options.methods saliency methods that requests may ask for, besides each bundle's own.
 * @throws BundleError where one cannot be opened; InputError where two have the same name.
 */
export async function servedModels(
  paths: readonly string[],
  { methods = [], ...runtime }: { readonly methods?: readonly SaliencyName[] } & RuntimeOptions = {},
): Promise<ServedModels> {
  const open = async (path: string): Promise<Opened> => {
    const bundle = await readBundle(path);
    const { name, saliency = DEFAULT_SALIENCY } = bundle.description;
    const explainers = new Map<SaliencyName, Explainer>();
    const ends: { dispose(): Promise<void> }[] = [];
    const close = async () => {
      await Promise.all(ends.map((end) => end.dispose()));
    };
    try {
      for (const method of [...new Set([saliency, ...methods])]) {
        const explainer = await openExplainer(bundle, {
          ...runtime,
          ...(method !== saliency && { method: { saliency: method } }),
        });
        explainers.set(method, explainer);
        ends.push(explainer);
      }
      const predictor = await openPredictor(bundle, runtime);
      ends.push(predictor);
      const model = { name, path, description: bundle.description, predictor, explainers };
      return { model, users: 0, isReplaced: false, close };
    } catch (error) {
      await close();
      throw error;
    }
  };
  const opened = new Map<string, Opened>();
  const disposeAll = async () => {
    await Promise.all([...opened.values()].map((one) => one.close()));
  };
  try {
    for (const path of paths) {
      const one = await open(path);
      const { name } = one.model;
      const other = opened.get(name);
      if (other) {
        await one.close();
        throw new InputError(`${path}: has the name "${name}", as ${other.model.path} has.`, {
          cure: "Export one of them with another --name.",
          file: path,
        });
      }
      opened.set(name, one);
    }
  } catch (error) {
    await disposeAll();
    throw error;
  }
  let [idle, isEnding] = [() => {}, false];
  const leave = async (one: Opened) => {
    one.users--;
    if (one.users === 0 && one.isReplaced) await one.close();
    if (one.users === 0 && isEnding) idle();
  };
  return {
    get names() {
      return [...opened.keys()];
    },
    async using(name, work) {
      const one = chosen(opened, name);
      one.users++;
      try {
        return await work(one.model);
      } finally {
        await leave(one);
      }
    },
    async reload() {
      const errors: Error[] = [];
      for (const [name, former] of [...opened]) {
        try {
          const one = await open(former.model.path);
          if (one.model.name !== name) {
            await one.close();
            throw new InputError(`${former.model.path}: is named "${one.model.name}" now, and was "${name}".`, {
              cure: "Start the server again.",
            });
          }
          opened.set(name, one);
          former.isReplaced = true;
          if (former.users === 0) await former.close();
        } catch (error) {
          errors.push(error as Error);
        }
      }
      return errors;
    },
    async dispose() {
      isEnding = true;
      const isIdle = () => [...opened.values()].every(({ users }) => users === 0);
      if (!isIdle())
        await new Promise<void>((resolve) => {
          idle = () => {
            if (isIdle()) resolve();
          };
        });
      await disposeAll();
    },
  };
}

function chosen(opened: ReadonlyMap<string, Opened>, name: string | undefined): Opened {
  const [only] = opened.values();
  if (name === undefined && opened.size === 1) return only;
  const found = name === undefined ? undefined : opened.get(name);
  if (found) return found;
  const names = [...opened.keys()].join(", ");
  throw name === undefined
    ? new UnknownModelError(`model: this server has several.`, { cure: `Name one of: ${names}.` })
    : new UnknownModelError(`model: "${name}" is not served.`, { cure: `Served: ${names}.` });
}
