import * as tf from "@tensorflow/tfjs";
import { ndArray, selectEngine } from "aspectlens";

const engine = await selectEngine();
const squares = await engine.compile(({ inputs }) => ({ outputs: { y: tf.square(inputs.x) } }), {
  inputs: { x: [3] },
});
const { y } = await squares.run({ x: ndArray([3], Float32Array.of(1, 2, 3)) });
console.log(y.data); // 1, 4, 9
await engine.dispose();
