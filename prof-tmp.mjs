import * as tf from "@tensorflow/tfjs";
import { readFile, readdir, rm, mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os"; import { join } from "node:path";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { compileGraph } from "./dist/engine/compile.js";
import { openRuntime } from "./dist/engine/session.js";
import { probeBlock } from "./dist/engine/probe-block.js";
export async function profile(fn, { inputs, constants = {}, values }, runs = 30, top = 25) {
  const rt = openRuntime(); const block = await probeBlock(rt); await rt.dispose();
  const graph = compileGraph(fn, { inputs, constants, state: { shapes: {} }, block, name: "x" });
  const folder = await mkdtemp(join(tmpdir(), "prof-"));
  const session = await InferenceSession.create(graph.model, { intraOpNumThreads: 2, enableProfiling: true, profileFilePrefix: join(folder, "p") });
  const feeds = {}; for (const [n, port] of Object.entries(graph.inputs)) feeds[port] = new Tensor("float32", values[n], inputs[n]);
  const times = []; for (let i = 0; i < runs; i++) { const t = performance.now(); await session.run(feeds); times.push(performance.now() - t); }
  session.endProfiling(); await session.release();
  const ev = JSON.parse(await readFile(join(folder, (await readdir(folder))[0]), "utf8")); await rm(folder, { recursive: true });
  const k = ev.filter((e) => e.cat === "Node" && e.name.endsWith("_kernel_time"));
  const per = k.length / runs; const warm = k.slice(Math.floor(per * 10));
  const by = new Map(); const n = runs - 10;
  for (const e of warm) { const key = e.args.op_name + (top < 0 ? " " + e.name.replace("_kernel_time", "") + JSON.stringify(e.args.input_type_shape).replaceAll(/"float":|[{}"]/g, "").slice(0, 120) : ""); const s = by.get(key) ?? [0, 0]; s[0] += e.dur; s[1]++; by.set(key, s); }
  const total = warm.reduce((a, e) => a + e.dur, 0);
  times.sort((a, b) => a - b); console.log("nodes", per, "sum ms", (total / n / 1000).toFixed(2), "median run ms", times[runs >> 1].toFixed(2));
  for (const [key, [t, c]] of [...by].sort((a, b) => b[1][0] - a[1][0]).slice(0, Math.abs(top))) console.log("  ", key.padEnd(30), (t / n / 1000).toFixed(3), "ms x", c / n);
}
if (process.argv[2] === "pow") {
  const N = [14 * 14, 512 * 3]; const v = Float32Array.from({ length: N[0] * N[1] }, () => Math.random() - 0.5);
  for (const [name, f] of Object.entries({
    pow: (x) => tf.mul(x, tf.pow(tf.add(tf.abs(x), 1e-30), -0.3)),
    pow7: (x) => tf.mul(tf.sign(x), tf.pow(tf.abs(x), 0.7)),
    explog: (x) => tf.mul(x, tf.exp(tf.mul(tf.log(tf.add(tf.abs(x), 1e-30)), -0.3))),
    sqrt75: (x) => tf.div(x, tf.add(tf.sqrt(tf.sqrt(tf.abs(x))), 1e-30)),
    sqrt6875: (x) => { const r = tf.sqrt(tf.sqrt(tf.abs(x))); return tf.div(x, tf.add(tf.mul(r, tf.sqrt(tf.sqrt(r))), 1e-30)); },
  })) { console.log(name); await profile(({ inputs }) => tf.tidy(() => ({ outputs: { y: f(inputs.x) } })), { inputs: { x: N }, values: { x: v } }); }
}
if (process.argv[2] === "explain" || process.argv[2] === "predict") {
  const { networkOf, freshParameters, normal, pixels } = await import("./bench/models.js");
  const { explainFunction } = await import("./dist/explain/explain.js"); const { explainedTaps } = await import("./dist/explain/taps.js");
  const { evaluationStep, modelInputShapes } = await import("./bench/built.js");
  const alpha = Number(process.argv[3] ?? 1), inputSize = Number(process.argv[4] ?? 224), masks = 2, classes = 1000;
  const model = networkOf({ alpha, inputSize, classes, masks });
  const refs = explainedTaps(model).map((tap) => { const channels = model.trunk.taps.find(({ name }) => name === tap)?.channels ?? 0; const { shape, data } = normal([classes + 1, channels], tap); return [`reference/${tap}`, { shape, data: data.map(Math.abs) }]; });
  const constants = { ...freshParameters(model, { isFolded: true }), ...(process.argv[2] === "explain" ? Object.fromEntries(refs) : {}) };
  const image = pixels([1, inputSize, inputSize, 3]).data;
  if (process.argv[2] === "explain") await profile(explainFunction(model), { inputs: { image: [1, inputSize, inputSize, 3], target: [1, classes] }, constants, values: { image, target: new Float32Array(classes) } }, 60, Number(process.argv[5] ?? 25));
  else { const inputs = modelInputShapes(model, { kind: "image" }, 1); await profile(evaluationStep(model, { input: { kind: "image" } }), { inputs, constants, values: { image } }, 60, Number(process.argv[5] ?? 25)); }
}
