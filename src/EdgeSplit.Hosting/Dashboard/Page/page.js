"use strict";
const svgNs = "http://www.w3.org/2000/svg";
const hue = device => (device * 137.508 + 210) % 360;
// Yellow, green and cyan look much lighter than the others; white text stands on all of them.
const dimmed = angle => 15 * Math.max(0, Math.cos((angle - 120) * 0.75 * Math.PI / 180));
const colour = (device, light = 45) => `hsl(${hue(device)} 60% ${light - dimmed(hue(device))}%)`;
const element = (parent, name, attributes = {}, text) => {
  const node = parent.appendChild(document.createElementNS(svgNs, name));
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  if (text !== undefined) node.textContent = text;
  return node;
};
const html = (parent, name, text) => {
  const node = parent.appendChild(document.createElement(name));
  if (text !== undefined) node.textContent = text;
  return node;
};
const duration = (seconds, digits) => seconds === 0 ? "0" : seconds < 1e-3 ? `${(seconds * 1e6).toPrecision(3)} µs` : seconds < 1 ? `${(seconds * 1e3).toPrecision(3)} ms` : `${seconds.toPrecision(digits)} s`;
const figure = (name, value) => {
  const box = html(document.getElementById("figures"), "div");
  box.className = "figure";
  html(box, "b", value);
  html(box, "span", name).className = "soft";
};
const scaled = (value, step, units) => {
  let unit = 0;
  while (Math.abs(value) >= step && unit < units.length - 1) { value /= step; unit++; }
  return `${unit === 0 ? Math.round(value) : value.toPrecision(3)} ${units[unit]}`;
};
const bytes = value => scaled(value, 1024, ["B", "KiB", "MiB", "GiB", "TiB"]);
