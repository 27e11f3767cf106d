/** The outlines of the drawn objects, as signed distances to their edges. */

import type { Random } from "../../core/random.js";

/** Pixels, x to the right, y down; a pixel's centre is at + 0.5. */
export interface DrawnShape {
  /** Bounds of the shape. */
  readonly bounds: { readonly left: number; readonly top: number; readonly right: number; readonly bottom: number };
  /** Approximate distance to the edge, negative inside; exact enough within a pixel of it to smooth the edge. */
  distance(x: number, y: number): number;
}

interface Centre {
  readonly x: number;
  readonly y: number;
}

/** @param a half axis along `angle`. @param b half axis across. @param angle radians. */
export function ellipse(
  { x: cx, y: cy }: Centre,
  { a, b, angle }: { a: number; b: number; angle: number },
): DrawnShape {
  const cos = Math.cos(angle);
  const sin = Math.sin(angle);
  const distance = (x: number, y: number) => {
    const u = ((x - cx) * cos + (y - cy) * sin) / a;
    const v = ((y - cy) * cos - (x - cx) * sin) / b;
    const scaled = length(u, v);
    // First order: f / |grad f| with f = |(u, v)| - 1.
    const slope = scaled === 0 ? 1 / Math.min(a, b) : length(u / a, v / b) / scaled;
    return (scaled - 1) / slope;
  };
  return { bounds: boundsAround(cx, cy, Math.max(a, b)), distance };
}

/** A closed curve around a centre whose radius varies with the direction. @param outer the largest radius. */
function radial({ x: cx, y: cy }: Centre, outer: number, radius: (angle: number) => number): DrawnShape {
  const distance = (x: number, y: number) => length(x - cx, y - cy) - radius(Math.atan2(y - cy, x - cx));
  return { bounds: boundsAround(cx, cy, outer), distance };
}

/** Round with three irregular waves. */
export function blob(centre: Centre, { radius }: { radius: number }, random: Random): DrawnShape {
  const waves = [2, 3, 5].map((count) => ({
    count,
    phase: random.uniform(0, 2 * Math.PI),
    height: random.uniform(0.05, 0.35 / count),
  }));
  const at = (angle: number) =>
    radius * waves.reduce((sum, { count, phase, height }) => sum + height * Math.sin(count * angle + phase), 1);
  return radial(centre, radius * 1.5, at);
}

/** Arms of different length around a small core. @param radius to the tip of the longest arm. */
export function star(centre: Centre, { radius, arms }: { radius: number; arms: number }, random: Random): DrawnShape {
  const turn = random.uniform(0, 2 * Math.PI);
  const lean = random.uniform(0, 2 * Math.PI);
  const at = (angle: number) =>
    radius * (0.7 + 0.22 * Math.cos(arms * angle + turn) + 0.08 * Math.sin(2 * angle + lean));
  return radial(centre, radius, at);
}

/** A bent tube with round ends. @param points of its centre line. */
export function tube(points: readonly Centre[], { radius }: { radius: number }): DrawnShape {
  const xs = points.map((point) => point.x);
  const ys = points.map((point) => point.y);
  const bounds = {
    left: Math.min(...xs) - radius,
    top: Math.min(...ys) - radius,
    right: Math.max(...xs) + radius,
    bottom: Math.max(...ys) + radius,
  };
  const distance = (x: number, y: number) => {
    let nearest = Number.POSITIVE_INFINITY;
    for (let i = 1; i < points.length; i++) nearest = Math.min(nearest, toSegment(x, y, points[i - 1], points[i]));
    return nearest - radius;
  };
  return { bounds, distance };
}

export function rectangle({ x: cx, y: cy }: Centre, { width, height }: { width: number; height: number }): DrawnShape {
  const distance = (x: number, y: number) => Math.max(Math.abs(x - cx) - width / 2, Math.abs(y - cy) - height / 2);
  const bounds = { left: cx - width / 2, top: cy - height / 2, right: cx + width / 2, bottom: cy + height / 2 };
  return { bounds, distance };
}

function boundsAround(x: number, y: number, reach: number): DrawnShape["bounds"] {
  return { left: x - reach, top: y - reach, right: x + reach, bottom: y + reach };
}

function toSegment(x: number, y: number, from: Centre, to: Centre): number {
  const dx = to.x - from.x;
  const dy = to.y - from.y;
  const along = ((x - from.x) * dx + (y - from.y) * dy) / (dx * dx + dy * dy || 1);
  const t = Math.min(1, Math.max(0, along));
  return length(x - from.x - t * dx, y - from.y - t * dy);
}

/** Math.hypot guards against overflow and takes ten times as long. */
function length(x: number, y: number): number {
  return Math.sqrt(x * x + y * y);
}
