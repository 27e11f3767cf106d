/**
 * An engine that has PyTorch take every training step too. `runTraining` compiles and runs its functions as always; each
 * batch that its step reads goes to the peer, which starts from the same numbers and never sees ours again.
 */

import { encodeSafetensors } from "aspectlens";
import { firstMoment } from "../internals.js";
import { peerTraining } from "./peer-training.js";

/** So many steps of one side, then of the other. */
const TURN = 8;

/** @typedef {import("aspectlens").NdArrays} NdArrays */
/** @typedef {import("aspectlens").CompileOptions} CompileOptions */

/**
 * @param {import("aspectlens").Engine} engine
 * @param {import("./training-peer.js").TrainingPeer} peer
 * @param {{ onFirstStep: (stage: import("./peer-training.js").Stage) => void }} options may throw, which ends both.
 */
export function trainBeside(engine, peer, { onFirstStep }) {
  const theirs = peerTraining(peer);
  /** @type {import("aspectlens").TrainPlan | undefined} */
  let plan;
  /** What must be done before ours goes on. @type {Promise<unknown>} */
  let busy = Promise.resolve();

  /** @template Result @param {() => Promise<Result>} work @returns {Promise<Result>} in its turn. */
  const inTurn = (work) => {
    const done = busy.then(work);
    busy = done;
    done.catch(() => {}); // whoever comes next gets it too
    return done;
  };
  const planned = () => {
    if (!plan) throw new Error("compiled before the plan was told.");
    return plan;
  };

  /**
   * @param {import("aspectlens").Compiled} step
   * @param {CompileOptions} options
   * @returns {Promise<import("aspectlens").Compiled>}
   */
  const withPeer = async (step, options) => {
    const begun = await beginningOf(options);
    const stage = await theirs.begin(planned(), begun);
    /** @type {import("aspectlens").Compiled["run"]} */
    const run = async (inputs, how) => {
      const bytes = encodeSafetensors(inputs);
      const begin = performance.now();
      const outputs = await step.run(inputs, how);
      stage.ours.push({ losses: lossesOf(outputs), seconds: (performance.now() - begin) / 1000 });
      if (stage.ours.length === 1) {
        stage.first = await theirs.compareFirst(bytes);
        stage.firstMoments = await options.state?.read(begun.trainable.map(firstMoment));
        onFirstStep(stage);
      }
      await theirs.step(bytes, { turn: TURN });
      return outputs;
    };
    return {
      run: (inputs, how) => inTurn(() => run(inputs, how)),
      dispose: () => step.dispose(),
    };
  };

  return {
    engine: /** @type {import("aspectlens").Engine} */ ({
      name: engine.name,
      createState: (values) => engine.createState(values),
      compile: (fn, options) =>
        inTurn(async () => {
          const compiled = await engine.compile(fn, options);
          return options.name === "training step" ? withPeer(compiled, options) : compiled;
        }),
      dispose: () => engine.dispose(),
    }),
    onStart: (/** @type {import("aspectlens").TrainPlan} */ told) => {
      plan = told;
    },
    onEpoch: (/** @type {import("aspectlens").EpochRecord} */ record) => {
      inTurn(() => theirs.endEpoch(record, planned()));
    },
    /** What was seen of both, and the parameters that the peer kept. */
    result: () => inTurn(() => theirs.result()),
  };
}

/** What a stage starts from, and what it learns. @param {CompileOptions} options of its step. */
async function beginningOf({ constants, state, inputs }) {
  const unknown = ["seed", "gradient/share", "average/decay"].find((name) => name in inputs);
  if (unknown) throw new Error(`the peer knows no "${unknown}".`);
  const values = { ...constants, ...(await state?.read()) };
  const parameters = Object.fromEntries(Object.entries(values).filter(([name]) => !name.startsWith("adam/")));
  if (Object.keys(parameters).some((name) => name.endsWith("/moving_mean")))
    throw new Error("the peer knows no batch normalisation that is not folded.");
  return { parameters, trainable: Object.keys(parameters).filter((name) => firstMoment(name) in values) };
}

/** @param {NdArrays} outputs of the step. @returns {Record<string, number>} `total`, and one a head. */
function lossesOf(outputs) {
  return Object.fromEntries(
    Object.entries(outputs).map(([name, { data }]) => [
      name === "loss" ? "total" : name.slice("loss/".length),
      data[0],
    ]),
  );
}
