// @ts-nocheck Until every checkout has installed playwright-core: its types are missed elsewhere.
/** A headless browser with one page that draws birds; it needs Debian's chromium, no graphics card and no network. */

import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { VARIANTS } from "./birds.js";

/** @import { Bird } from "./birds.js" */
/** @import { Scene } from "./scene.js" */

/** Side of every picture, pixels. */
export const SIDE = 256;
const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
/** Requests to this host never leave the browser. */
const HOST = "http://funnybirds.invalid";
const ARGUMENTS = ["--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist"];

/**
 * What one picture shows.
 *
 * @typedef {object} Picture
 * @property {Scene} scene
 * @property {Partial<Bird>} bird the parts that are there, with their variants.
 * @property {number} [without] index of a background object that is left out.
 * @property {"image" | "map"} kind
 */

/**
 * @param {string} models the unpacked folder `funnybirds-parts`.
 * @returns whoever opened it closes it. `draw` gives `[SIDE, SIDE, 3]` RGB of an image, or `[SIDE, SIDE]` of a map: 0
 *   the rest, 1 to 5 the parts in order, from 10 on the background objects.
 */
export async function openRenderer(models) {
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: ARGUMENTS,
    chromiumSandbox: false,
    // Signals end this process at once, and the browser with it.
    ...{ handleSIGINT: false, handleSIGTERM: false, handleSIGHUP: false },
  });
  const page = await browser.newPage();
  page.on("pageerror", (error) => console.error(error));
  await page.route(`${HOST}/**`, (route) => route.fulfill({ path: fileOf(new URL(route.request().url()), models) }));
  await page.goto(`${HOST}/page.html`);
  await page.waitForFunction("window.isLoaded");
  await page.evaluate(`prepare(${JSON.stringify({ variants: VARIANTS, side: SIDE })})`);
  return {
    /** @param {readonly Picture[]} pictures @returns {Promise<Uint8Array[]>} */
    async draw(pictures) {
      /** @type {string[]} */
      const drawn = await page.evaluate(`${JSON.stringify(pictures)}.map(draw)`);
      return drawn.map((text) => Buffer.from(text, "base64"));
    },
    close: () => browser.close(),
  };
}

/** @param {URL} url @param {string} models */
function fileOf({ pathname }, models) {
  if (pathname.startsWith("/models/")) return `${models}/${pathname.slice("/models/".length)}`;
  if (pathname.startsWith("/three/")) return fileURLToPath(new URL(`../../node_modules${pathname}`, import.meta.url));
  return fileURLToPath(new URL(`.${pathname}`, import.meta.url));
}
