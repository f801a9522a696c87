"use strict";
// Draws a model's layers from top to bottom, coloured by their devices: { devices, layers: [{ name, kind, device, floatOperations,
// weightBytes }], edges: [[from, to, bytes]] }.
function drawGraph(parent, model, colourOf = colour) {
  const layers = model.layers, edges = model.edges;
  const depth = new Array(layers.length).fill(0), readers = layers.map(() => []), makers = layers.map(() => []);
  for (const [from, to] of edges) { readers[from].push(to); makers[to].push(from); }
  for (let layer = 0; layer < layers.length; layer++) for (const maker of makers[layer]) depth[layer] = Math.max(depth[layer], depth[maker] + 1);
  // A layer that waits for nothing stands just before its first reader, not at the very start.
  for (let layer = layers.length - 1; layer >= 0; layer--) if (makers[layer].length === 0 && readers[layer].length > 0) depth[layer] = Math.min(...readers[layer].map(reader => depth[reader])) - 1;
  const least = Math.min(...depth), rows = [];
  depth.forEach((value, layer) => (rows[value - least] ??= []).push(layer));
  const place = new Array(layers.length).fill(0);
  for (const row of rows) {
    const wish = layer => makers[layer].length ? makers[layer].reduce((sum, maker) => sum + place[maker], 0) / makers[layer].length : 0;
    const wishes = new Map(row.map(layer => [layer, wish(layer)]));
    row.sort((a, b) => wishes.get(a) - wishes.get(b) || a - b);
    row.forEach((layer, index) => place[layer] = index - (row.length - 1) / 2);
  }
  const nodeWidth = 190, nodeHeight = 26, gapX = 18, gapY = 20;
  const widest = Math.max(...rows.map(row => row.length)), width = Math.max(widest * (nodeWidth + gapX) + 40, parent.clientWidth - 24), height = rows.length * (nodeHeight + gapY) + 30;
  const x = layer => width / 2 + place[layer] * (nodeWidth + gapX), y = layer => 15 + (depth[layer] - least) * (nodeHeight + gapY);
  const svg = element(parent, "svg", { width, height, role: "img", "aria-label": "The model's layers" });
  for (const [from, to, size] of edges) {
    const startY = y(from) + nodeHeight, endY = y(to), bend = Math.max(12, (endY - startY) / 2), detour = depth[to] - depth[from] > 1 && place[from] === place[to] ? nodeWidth * .75 : 0;
    const path = element(svg, "path", { class: layers[from].device === layers[to].device ? "edge" : "edge cross", d: `M${x(from)},${startY} C${x(from) + detour},${startY + bend} ${x(to) + detour},${endY - bend} ${x(to)},${endY}` });
    element(path, "title", {}, `${layers[from].name} → ${layers[to].name}: ${bytes(size)}`);
  }
  layers.forEach((layer, index) => {
    const box = element(svg, "rect", { x: x(index) - nodeWidth / 2, y: y(index), width: nodeWidth, height: nodeHeight, rx: 5, fill: colourOf(layer.device) });
    element(box, "title", {}, `${layer.name}\n${layer.kind}\non ${model.devices[layer.device]}\n${scaled(layer.floatOperations, 1000, ["FLOP", "kFLOP", "MFLOP", "GFLOP"])}, weights ${bytes(layer.weightBytes)}`);
    const label = layer.kind.length > 28 ? `${layer.kind.slice(0, 27)}…` : layer.kind;
    element(svg, "text", { class: "label", x: x(index), y: y(index) + 17, "text-anchor": "middle" }, label);
  });
}
