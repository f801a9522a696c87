"use strict";
// Lines over the last minutes, and bars of requests on their lanes. Nothing here knows where the data comes from.
const nice = value => { const power = 10 ** Math.floor(Math.log10(value)); return [1, 2, 2.5, 5, 10].find(step => step * power >= value * .999) * power; };
const timeSteps = [.001, .002, .005, .01, .02, .05, .1, .2, .5, 1, 2, 5, 10, 15, 30, 60, 120, 300];

// Round times before now on the axis below: [seconds ago], at most so many after "now".
function timeTicks(span, most) {
  const step = timeSteps.find(candidate => span / candidate <= most) ?? span;
  return Array.from({ length: Math.floor(span / step * 1.001) + 1 }, (_, tick) => tick * step);
}
const ago = seconds => seconds === 0 ? "now" : seconds < .995 ? `−${Math.round(seconds * 1000)} ms` : seconds <= 90 ? `−${+seconds.toFixed(1)} s` : `−${+(seconds / 60).toFixed(1)} min`;

// lines: [{ colour, values: [[unix seconds, value or null]] }]; marks: [unix seconds];
// least: the smallest step on the axis of values.
function drawLines(parent, { lines, from, to, format, marks, least = 0 }) {
  const width = Math.max(280, parent.clientWidth), height = 190, left = 58, right = 12, bottom = 22, top = 10;
  const known = lines.flatMap(line => line.values.map(([, value]) => value ?? 0)), most = Math.max(...known, 0), step = Math.max(nice((most > 0 ? most : 1) / 4), least), highest = step * Math.max(1, Math.ceil((most > 0 ? most : 1) / step * .999));
  const svg = element(parent, "svg", { viewBox: `0 0 ${width} ${height}`, height, role: "img", "aria-label": parent.id });
  const x = at => left + (width - left - right) * (at - from) / (to - from), y = value => height - bottom - (height - bottom - top) * Math.min(value / highest, 1);
  for (let tick = 0; tick <= Math.round(highest / step); tick++) {
    element(svg, "line", { class: "grid", x1: left, x2: width - right, y1: y(step * tick), y2: y(step * tick) });
    element(svg, "text", { x: left - 6, y: y(step * tick) + 4, "text-anchor": "end" }, format(step * tick));
  }
  for (const tick of timeTicks(to - from, 5)) element(svg, "text", { x: x(to - tick), y: height - 6, "text-anchor": tick === 0 ? "end" : x(to - tick) < left + 20 ? "start" : "middle" }, ago(tick));
  for (const mark of marks) if (mark.at >= from && mark.at <= to) element(element(svg, "line", { class: "switch", x1: x(mark.at), x2: x(mark.at), y1: top, y2: height - bottom }), "title", {}, mark.text);
  for (const line of lines) {
    let path = "", pen = "M";
    line.values.forEach(([at, value], index) => {
      if (at < from || value === null) { pen = "M"; return; }
      path += `${pen}${x(at).toFixed(1)},${y(value).toFixed(1)}`;
      // A point that stands alone would not be seen.
      if (pen === "M" && (line.values[index + 1]?.[1] ?? null) === null) element(svg, "circle", { class: "dot", cx: x(at), cy: y(value), r: 2.5, fill: `var(${line.colour})` });
      pen = "L";
    });
    element(svg, "path", { class: "line", d: path, stroke: `var(${line.colour})` });
  }
}

// bars: [{ lane, start, end, computeFrom, computeTo, title, shade }]; times in unix seconds.
function drawBars(parent, { lanes, bars, from, to, colourOf }) {
  const width = Math.max(280, parent.clientWidth), row = 30, top = 8, left = Math.min(150, 24 + 7 * Math.max(4, ...lanes.map(lane => lane.length))), right = 12;
  const height = top + lanes.length * row + 24, scale = (width - left - right) / (to - from);
  const svg = element(parent, "svg", { viewBox: `0 0 ${width} ${height}`, height, role: "img", "aria-label": "Requests by device and time" });
  const clipped = at => left + Math.max(0, Math.min(to - from, at - from)) * scale;
  lanes.forEach((lane, index) => {
    element(svg, "text", { x: 8, y: top + index * row + 19 }, lane.length * 7 > left - 12 ? `${lane.slice(0, Math.floor((left - 20) / 7))}…` : lane);
    element(svg, "line", { class: "grid", x1: left, x2: width - right, y1: top + (index + 1) * row, y2: top + (index + 1) * row });
  });
  for (const tick of timeTicks(to - from, width < 500 ? 3 : 7)) element(svg, "text", { x: width - right - tick * scale, y: height - 6, "text-anchor": tick === 0 ? "end" : "middle" }, ago(tick));
  for (const bar of bars) {
    const lane = lanes.indexOf(bar.lane);
    if (lane < 0 || bar.end < from || bar.start > to) continue;
    const y = top + lane * row + 5, group = element(svg, "g");
    element(group, "title", {}, bar.title);
    element(group, "rect", { x: clipped(bar.start), y: y + 6, width: Math.max(clipped(bar.end) - clipped(bar.start), .5), height: row - 22, fill: colourOf(bar.lane), "fill-opacity": .35 });
    element(group, "rect", { x: clipped(bar.computeFrom), y, width: Math.max(clipped(bar.computeTo) - clipped(bar.computeFrom), 1), height: row - 10, rx: 2, fill: colourOf(bar.lane, bar.shade) });
  }
}
