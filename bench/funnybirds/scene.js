/** Scenes: where camera, light and background objects are, drawn from a seed. Lengths as in the part models' world. */

/** @import { Random } from "../../examples/support/random.js" */

/**
 * @typedef {object} BackgroundObject
 * @property {"box" | "cone" | "sphere" | "cylinder" | "capsule"} kind
 * @property {"red" | "green" | "blue" | "yellow"} colour
 * @property {readonly [number, number, number]} sides
 * @property {readonly [number, number, number]} position
 * @property {readonly [number, number, number]} rotation Euler angles.
 */

/**
 * @typedef {object} Scene
 * @property {readonly [number, number, number]} camera it looks at the origin, where the bird is.
 * @property {readonly [number, number, number]} light
 * @property {readonly BackgroundObject[]} objects
 */

/** @type {readonly BackgroundObject["kind"][]} */
const KINDS = ["box", "cone", "sphere", "cylinder", "capsule"];
/** @type {readonly BackgroundObject["colour"][]} */
const COLOURS = ["red", "green", "blue", "yellow"];
const MOST_OBJECTS = 34;
const LIGHT_DISTANCE = 300;

/**
 * Camera and light are anywhere by pitch and roll. As in the public set's renderer the camera's height over the
 * bird's front (z) is the distance whatever the angles, so that it sees every bird from its front half.
 *
 * @param {Random} source
 * @returns {Scene}
 */
export function drawScene(source) {
  const distance = 200 + source.integer(201);
  const [x, y] = onSphere(source, distance);
  const light = onSphere(source, LIGHT_DISTANCE);
  const objects = Array.from({ length: source.integer(MOST_OBJECTS + 1) }, () => drawObject(source));
  return { camera: [x, y, distance], light, objects };
}

/** @param {Random} source @returns {BackgroundObject} */
function drawObject(source) {
  const kind = KINDS[source.integer(KINDS.length)];
  const colour = COLOURS[source.integer(COLOURS.length)];
  const position = onSphere(source, 100 + source.integer(101));
  const side = () => 5 + source.integer(16);
  const angle = () => source.uniform(0, 2 * Math.PI);
  return { kind, colour, sides: [side(), side(), side()], position, rotation: [angle(), angle(), angle()] };
}

/** @param {Random} source @param {number} radius @returns {[number, number, number]} */
function onSphere(source, radius) {
  const [pitch, roll] = [source.uniform(0, 2 * Math.PI), source.uniform(0, 2 * Math.PI)];
  const level = Math.cos(roll) * radius;
  return [Math.sin(pitch) * level, -Math.sin(roll) * radius, Math.cos(pitch) * level];
}
