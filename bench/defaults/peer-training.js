/** The peer's side of a training beside ours: its stages, its epochs, and which of them was its best. */

import { batches, createModel, imageBatch } from "aspectlens";
import { architectureOf, evaluateSplit, scoreOfMetrics } from "../internals.js";

/** Until the threads of the other side, which spin when idle, have stopped. */
const PAUSE_MS = 250;

/** @typedef {import("aspectlens").NdArrays} NdArrays */
/** @typedef {{ losses: Record<string, number>, seconds: number }} Step */
/**
 * @typedef {object} Stage
 * @property {Step[]} ours
 * @property {Step[]} theirs
 * @property {{ losses: Record<string, number>, gradients: NdArrays }} [first] what the peer makes of the first batch at
 *   the very numbers that ours begins with.
 * @property {NdArrays} [firstMoments] of ours after that batch.
 * @property {string} [layout] that the peer found to be faster.
 */
/** @typedef {{ stage: number, epoch: number, loss: number, score: number | null }} Epoch */

/** @param {import("./training-peer.js").TrainingPeer} peer */
export function peerTraining(peer) {
  /** @type {Stage[]} */
  const stages = [];
  /** @type {Epoch[]} */
  const epochs = [];
  /** @type {Uint8Array[]} */
  let waiting = [];
  /** @type {Epoch | null} */
  let best = null;

  const takeSteps = async () => {
    const stage = stages[stages.length - 1];
    await pause();
    for (const bytes of waiting) {
      const { message } = await peer.ask({ kind: "step" }, bytes);
      const { layout, ...step } = /** @type {Step & { layout: string }} */ (/** @type {unknown} */ (message));
      stage.theirs.push(step);
      stage.layout = layout;
    }
    waiting = [];
    await pause();
  };

  return {
    /**
     * @param {import("aspectlens").TrainPlan} plan
     * @param {{ parameters: NdArrays, trainable: readonly string[] }} stage as ours begins it.
     */
    async begin(plan, { parameters, trainable }) {
      if (stages.length === 0) await peer.ask({ kind: "model", model: modelOf(plan) });
      await peer.ask({ kind: "stage", trainable }, parameters);
      /** @type {Stage} */
      const stage = { ours: [], theirs: [] };
      stages.push(stage);
      return stage;
    },

    /** @param {Uint8Array} bytes a batch. */
    async compareFirst(bytes) {
      const { message, arrays } = await peer.ask({ kind: "gradients" }, bytes);
      return { losses: /** @type {Record<string, number>} */ (message), gradients: arrays };
    },

    /**
     * Steps wait until there are `turn` of them, or the epoch ends.
     *
     * @param {Uint8Array} bytes a batch. @param {{ turn: number }} options
     */
    async step(bytes, { turn }) {
      waiting.push(bytes);
      if (waiting.length === turn) await takeSteps();
    },

    /**
     * Its own validation, and what it keeps, by the rule of `src/train/stage.ts`.
     *
     * @param {import("aspectlens").EpochRecord} record of ours.
     * @param {import("aspectlens").TrainPlan} plan
     */
    async endEpoch({ stage, epoch }, plan) {
      await takeSteps();
      const { theirs } = stages[stages.length - 1];
      const steps = theirs.slice(Math.round((theirs.length * (epoch - 1)) / epoch));
      const loss = steps.reduce((sum, { losses }) => sum + losses.total, 0) / steps.length;
      const reached = { stage, epoch, loss, score: await scoreOf(peer, plan) };
      epochs.push(reached);
      if (best !== null && best.score !== null && reached.score !== null && reached.score <= best.score) return;
      best = reached;
      await peer.ask({ kind: "keep" });
    },

    /** With the parameters that it kept. */
    async result() {
      return { stages, epochs, best, parameters: (await peer.ask({ kind: "weights" })).arrays };
    },
  };
}

/** What the peer must know of a model, as plain data. @param {import("aspectlens").TrainPlan} plan */
function modelOf({ spec, config }) {
  const { layers, scaling, padding } = architectureOf(spec.trunk);
  if (scaling !== "unit" || padding !== "same") throw new Error("the peer knows Keras' MobileNets alone.");
  return {
    layers,
    heads: spec.heads,
    inputSize: spec.trunk.inputSize,
    strides: Object.fromEntries(createModel(spec).trunk.taps.map(({ name, stride }) => [name, stride])),
    weights: Object.fromEntries(Object.entries(config.heads).map(([name, { weight }]) => [name, weight])),
    isBalanced: config.balance,
  };
}

/**
 * From the peer's answers on the validation images.
 *
 * @param {import("./training-peer.js").TrainingPeer} peer
 * @param {import("aspectlens").TrainPlan} plan
 */
async function scoreOf(peer, { spec, config: { batchSize, score }, dataset }) {
  const size = spec.trunk.inputSize;
  const validation = async function* () {
    for await (const samples of batches(dataset, { split: "validation", batchSize, inputSize: size }))
      yield { inputs: { image: imageBatch(samples, { size, batchSize }) }, samples };
  };
  const run = async (/** @type {NdArrays} */ inputs) => (await peer.ask({ kind: "predict" }, inputs)).arrays;
  return scoreOfMetrics(await evaluateSplit(createModel(spec), validation(), { run }), score);
}

function pause() {
  return new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
}
