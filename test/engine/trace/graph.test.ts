import { expect, test } from "vitest";
import { addConstant, addNode, createGraph, permuteData, reshape, transpose } from "../../../src/engine/trace/graph.js";
import { NCHW } from "../../../src/engine/trace/layout.js";
import { form, full, reshaped, splat, traced } from "../../../src/engine/trace/traced-tensor.js";

function graphWithInput(shape: readonly number[]) {
  const graph = createGraph();
  graph.shapes.set("x", shape);
  return graph;
}

test("records equal nodes once, and nodes that differ in an attribute apart", () => {
  const graph = createGraph();
  const first = addNode(graph, "Softmax", ["x"], { axis: 1 });
  expect(addNode(graph, "Softmax", ["x"], { axis: 1 })).toBe(first);
  expect(addNode(graph, "Softmax", ["x"], { axis: 2 })).not.toBe(first);
  expect(graph.nodes.length).toBe(2);
});

test("stores equal small constants once, but zero and minus zero apart", () => {
  const graph = createGraph();
  const one = addConstant(graph, "float32", [1], Float32Array.of(1));
  expect(addConstant(graph, "float32", [1], Float32Array.of(1))).toBe(one);
  expect(addConstant(graph, "float32", [], Float32Array.of(1))).not.toBe(one);
  const zero = addConstant(graph, "float32", [], Float32Array.of(0));
  expect(addConstant(graph, "float32", [], Float32Array.of(-0))).not.toBe(zero);
});

test("a reshape of a reshape reads the first source, and one back to the start is none", () => {
  const graph = graphWithInput([2, 6]);
  const middle = reshape(graph, "x", [12]);
  const end = reshape(graph, middle, [3, 4]);
  expect(graph.producers.get(end)?.inputs[0]).toBe("x");
  expect(reshape(graph, end, [2, 6])).toBe("x");
});

test("transposes at the lowest rank: unit axes dropped, neighbours merged", () => {
  const graph = graphWithInput([1, 5, 6, 4]);
  const value = transpose(graph, "x", [1, 5, 6, 4], [0, 3, 1, 2]); // as [30, 4] -> [4, 30]
  const [, node] = graph.nodes;
  expect(node.operator).toBe("Transpose");
  expect(node.attributes).toEqual({ perm: [0, 2, 1] }); // two axes keep a unit axis before them
  expect(graph.shapes.get(value)).toEqual([1, 4, 5, 6]);
});

test("permutes data by hand: [[0, 1, 2], [3, 4, 5]] becomes [[0, 3], [1, 4], [2, 5]]", () => {
  expect([...permuteData(Float32Array.of(0, 1, 2, 3, 4, 5), [2, 3], [1, 0])]).toEqual([0, 3, 1, 4, 2, 5]);
});

test("a form is made once, and a view of other extent shares none", () => {
  const graph = graphWithInput([2, 5, 6, 4]);
  const tensor = traced(graph, "x", [2, 5, 6, 4]);
  const channelsFirst = form(graph, tensor, NCHW);
  expect(form(graph, tensor, NCHW)).toBe(channelsFirst);
  const view = reshaped(graph, tensor, [2, 5, 1, 6, 4]);
  expect([...view.forms.values()]).not.toContain(channelsFirst);
  expect(graph.shapes.get(form(graph, view, "01234"))).toEqual([2, 5, 1, 6, 4]);
});

test("a repeated number stays one number until all are asked for", () => {
  const three = splat([2, 2], "float32", 3);
  expect(three.values).toEqual(Float32Array.of(3));
  expect(full(createGraph(), three).values).toEqual(Float32Array.of(3, 3, 3, 3));
});
