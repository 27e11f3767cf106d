/** The drawing of the layers in docs/architecture.md, made of the table in test/layers.ts. */

import { ALLOWED } from "../layers.js";

const top = (room: string) => room.split("/")[0];
const rooms = [...new Set(Object.keys(ALLOWED).map(top))];
const inside = (room: string) => Object.keys(ALLOWED).filter((name) => top(name) === room);

/** By room, with its inner rooms taken together: what it may import. */
const direct = new Map(
  rooms.map((room) => [
    room,
    new Set(
      inside(room)
        .flatMap((name) => ALLOWED[name].map(top))
        .filter((to) => to !== room),
    ),
  ]),
);

/** All that a room builds on, through others too. @throws Error where two rooms build on one another. */
function below(room: string, path: readonly string[] = []): Set<string> {
  if (path.includes(room)) throw new Error(`rooms build on one another: ${[...path, room].join(" -> ")}`);
  const all = new Set<string>();
  for (const to of direct.get(room) ?? []) for (const each of [to, ...below(to, [...path, room])]) all.add(each);
  return all;
}

/** A mermaid flow chart: an arrow for each import that no longer way through other rooms implies. */
export function layersDrawing(): string {
  const lines = ["flowchart TD"];
  for (const room of [...rooms].reverse()) {
    const inner = inside(room)
      .filter((name) => name !== room)
      .map((name) => name.slice(room.length + 1));
    lines.push(`  ${idOf(room)}["${room}${inner.length > 0 ? `<br/>${inner.join(", ")}` : ""}"]`);
  }
  for (const room of [...rooms].reverse()) {
    const own = [...(direct.get(room) ?? [])];
    const arrows = own.filter((to) => !own.some((other) => other !== to && below(other).has(to)));
    if (arrows.length > 0) lines.push(`  ${idOf(room)} --> ${arrows.map(idOf).join(" & ")}`);
  }
  return lines.join("\n");
}

/** Mermaid's ids have no dots. */
function idOf(room: string): string {
  return room.replace(/\W/g, "_");
}
