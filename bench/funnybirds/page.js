// @ts-nocheck Runs in a browser, whose types the project does not load.
/** Draws birds in a page that is kept open: `renderer.js` calls `window.prepare` once, then `window.draw`. */

import * as three from "three";
import { GLTFLoader } from "three/addons/loaders/GLTFLoader.js";

// Colours reach the picture as they are written, so that a map's values are exact.
three.ColorManagement.enabled = false;

const BACKGROUND = 0x9c9ccb;
const BODY = 0xd8d8d8;
const YELLOW = 0xffff00;
const COLOURS = { red: 0xff0000, green: 0x00bb00, blue: 0x0000ff, yellow: YELLOW };
/** A part of the light that reaches all sides, and the three levels of the rest (toon shading). */
const AMBIENT = 0.6;
const LEVELS = [0, 0.2, 0.4];
/** Vertices. The models above it (both of the body, one of an eye) are spheres, which look the same with few. */
const HEAVY = 20_000;

/** Where a model sits on the bird, and its mirror image beside it; as in the public set's renderer. */
const PLACES = {
  beak: [{ position: [0, 35, 60], rotation: [0, Math.PI, 0], scale: [8, 8, 8] }],
  eye: [-1, 1].map((side) => ({ position: [10 * side, 45, 50], rotation: [0, 0.2 * side, 0], scale: [5, 5, 5] })),
  foot: [-1, 1].map((side) => ({
    position: [15 * side, -10, 0],
    rotation: [0, Math.PI, -0.01 * side],
    scale: [8, 8, 8],
  })),
  tail: [{ position: [0, -2, -47], rotation: [0, 0, 0], scale: [15, 15, 15] }],
  wing: [-1, 1].map((side) => ({
    position: [20 * side, 5, 10],
    rotation: [-0.3, 0, 0],
    scale: [-35 * side, -35, 35],
  })),
};

const renderer = new three.WebGLRenderer();
renderer.outputColorSpace = three.LinearSRGBColorSpace;
const camera = new three.PerspectiveCamera(40, 1, 1, 2500);
const light = new three.PointLight(0xffffff, Math.PI, 0, 0);
const world = new three.Scene();
world.add(light, new three.AmbientLight(0xffffff, Math.PI * AMBIENT));
const gradientMap = new three.DataTexture(
  Uint8Array.from(LEVELS, (level) => level * 255),
  3,
  1,
  three.RedFormat,
);
gradientMap.needsUpdate = true;

const sphere = new three.SphereGeometry(1, 48, 24);
/** By file, the model; by part and variant, what shows it. */
const models = new Map();
const parts = new Map();
let size = 0;
let targets;

window.prepare = async ({ variants, side }) => {
  size = side;
  targets = {
    image: new three.WebGLRenderTarget(size, size, { samples: 4 }),
    map: new three.WebGLRenderTarget(size, size),
  };
  const files = new Set(Object.values(variants).flatMap((all) => all.map(({ model }) => model)));
  const loader = new GLTFLoader();
  for (const file of ["bird01.glb", ...files]) models.set(file, (await loader.loadAsync(`/models/${file}`)).scene);
  const body = coloured(models.get("bird01.glb"), { colour: BODY, value: 0 });
  body.scale.set(20, 20, 20);
  world.add(body);
  for (const [index, [part, all]] of Object.entries(variants).entries()) {
    for (const [variant, { model, colour }] of all.entries()) {
      const base = part === "eye" ? 0xffffff : (COLOURS[colour] ?? YELLOW);
      const group = new three.Group();
      for (const place of PLACES[part]) {
        const copy = coloured(models.get(model), { colour: base, value: index + 1 });
        copy.position.set(...place.position);
        copy.rotation.set(...place.rotation);
        copy.scale.set(...place.scale);
        group.add(copy);
      }
      // The pupil of every eye model bears this name.
      if (part === "eye") group.traverse((mesh) => mesh.name === "Sphere001" && mesh.material.color.set(0));
      group.visible = false;
      parts.set(`${part}/${variant}`, group);
      world.add(group);
    }
  }
};

let shownScene;
let objects = new three.Group();

/**
 * One picture: of the scene, of the bird's parts that are given, and of all background objects but one.
 *
 * @returns RGB `[size, size, 3]` of an image, or `[size, size]` of a map, from the top, as base64.
 */
window.draw = ({ scene, bird, without = -1, kind }) => {
  const key = JSON.stringify(scene);
  if (key !== shownScene) {
    shownScene = key;
    objects.traverse(({ geometry }) => geometry?.dispose());
    world.remove(objects);
    objects = new three.Group();
    objects.add(...scene.objects.map(backgroundObject));
    world.add(objects);
    camera.position.set(...scene.camera);
    camera.lookAt(0, 0, 0);
    light.position.set(...scene.light);
  }
  for (const [name, group] of parts) {
    const [part, variant] = name.split("/");
    group.visible = bird[part] === Number(variant);
  }
  for (const [index, object] of objects.children.entries()) object.visible = index !== without;
  const isMap = kind === "map";
  world.background = new three.Color(isMap ? 0 : BACKGROUND);
  world.traverse((mesh) => {
    if (mesh.isMesh) mesh.material = isMap ? mesh.userData.flat : mesh.userData.toon;
  });
  renderer.setRenderTarget(targets[kind]);
  renderer.render(world, camera);
  const pixels = new Uint8Array(size * size * 4);
  renderer.readRenderTargetPixels(targets[kind], 0, 0, size, size, pixels);
  return base64(fromTop(pixels, isMap ? 1 : 3));
};

/** A copy of a model of one colour, and of one value on a map. */
function coloured(model, { colour, value }) {
  const copy = model.clone();
  copy.traverse((mesh) => mesh.isMesh && paint(mesh, { colour, value }));
  return copy;
}

function paint(mesh, { colour, value }) {
  if (mesh.geometry.attributes.position.count > HEAVY) mesh.geometry = sphere;
  // Mirrored models have their inside out.
  const side = three.DoubleSide;
  mesh.userData.toon = new three.MeshToonMaterial({ color: colour, gradientMap, side });
  mesh.userData.flat = new three.MeshBasicMaterial({ color: value << 16, side });
  mesh.material = mesh.userData.toon;
}

/** Values of background objects on a map begin after those of the parts, at 10. */
function backgroundObject({ kind, colour, sides: [a, b, c], position, rotation }, index) {
  const geometry = {
    box: () => new three.BoxGeometry(a, b, c),
    cone: () => new three.ConeGeometry(a, b, c),
    sphere: () => new three.SphereGeometry(a, b, c),
    cylinder: () => new three.CylinderGeometry(a, b, c),
    capsule: () => new three.CapsuleGeometry(a, b, c),
  }[kind]();
  const mesh = new three.Mesh(geometry);
  paint(mesh, { colour: COLOURS[colour], value: 10 + index });
  mesh.position.set(...position);
  mesh.rotation.set(...rotation);
  return mesh;
}

/** The first channels, rows from the top. */
function fromTop(pixels, channels) {
  const out = new Uint8Array(size * size * channels);
  for (let row = 0, at = 0; row < size; row++)
    for (let from = (size - 1 - row) * size * 4, end = from + size * 4; from < end; from += 4)
      for (let channel = 0; channel < channels; channel++) out[at++] = pixels[from + channel];
  return out;
}

function base64(bytes) {
  let text = "";
  for (let start = 0; start < bytes.length; start += 8192)
    text += String.fromCharCode(...bytes.subarray(start, start + 8192));
  return btoa(text);
}

window.isLoaded = true;
