// What is plotted: series of points in the time of the bench, taken from records and samples.

import { labelled } from "./samples.js";

const PANELS = [
  ["pilot", "Pilot voltage", "V"],
  ["duty", "Pilot duty cycle", "%"],
  ["voltage", "Voltage", "V"],
  ["current", "Current", "A"],
  ["power", "Power", "kW"],
  ["energy", "Energy", "Wh"],
  ["temperature", "Temperature", "°C"],
  ["signal", "Signal strength", "dBm"],
  ["quality", "Signal quality", "dB"],
  ["response", "Response times", "ms"],
];
const KEPT = 200_000; // points of a series in memory
const STATION = "station";
const MEASURANDS = {
  Voltage: ["voltage", 1],
  "Current.Import": ["current", 1],
  "Power.Active.Import": ["power", 1e-3],
  "Energy.Active.Import.Register": ["energy", 1],
};

export class Series {
  constructor(panel, label) {
    this.panel = panel;
    this.label = label;
    this.xs = [];
    this.ys = [];
  }

  get newest() { return this.ys.at(-1); }

  add(x, y) {
    if (x < this.xs.at(-1)) return;
    if (this.xs.length >= KEPT) {
      this.xs.splice(0, KEPT / 2);
      this.ys.splice(0, KEPT / 2);
    }
    this.xs.push(x);
    this.ys.push(y);
  }

  /** Put points in place of all that are not newer than them. */
  fill(xs, ys) {
    const newer = after(this.xs, xs.at(-1));
    this.xs = [...xs, ...this.xs.slice(newer)];
    this.ys = [...ys, ...this.ys.slice(newer)];
  }

  /** Return the points between two moments and one beyond on each side, at most about `most`. */
  between(from, to, most) {
    const start = Math.max(0, after(this.xs, from) - 1);
    const end = Math.min(this.xs.length, after(this.xs, to) + 1);
    if (end - start <= most) return [this.xs.slice(start, end), this.ys.slice(start, end)];
    const [xs, ys] = [[], []];
    const size = ((end - start) / most) * 2;
    for (let at = start; at < end; at += size) {
      let [low, high] = [Math.floor(at), Math.floor(at)];
      for (let i = low; i < Math.min(end, Math.floor(at + size)); i += 1) {
        if (this.ys[i] < this.ys[low]) low = i;
        if (this.ys[i] > this.ys[high]) high = i;
      }
      for (const i of low === high ? [low] : [Math.min(low, high), Math.max(low, high)]) {
        xs.push(this.xs[i]);
        ys.push(this.ys[i]);
      }
    }
    return [xs, ys];
  }
}

/** Return the place of the first number beyond a limit in a sorted list. */
export function after(sorted, limit) {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] > limit) high = middle;
    else low = middle + 1;
  }
  return low;
}

export class Measurements {
  constructor() { this.clear(); }

  clear() {
    this.panels = new Map(PANELS.map(([id, title, unit]) => [id, { id, title, unit, series: [] }]));
    this.marks = { xs: [], lines: [] };
    this.newest = null;
    this.oldest = null;
    this._anchor = null;
  }

  /** Return the moment of a record in s since 1970: UTC of the run's begin, and what the steady clock counted since. */
  moment(record) {
    this._anchor ??= Date.parse(record.utc) / 1000 - record.mono;
    return this.at(record.mono);
  }

  /** Return the moment of a reading of the steady clock. */
  at(mono) { return this._anchor + mono; }

  /** Return the readings of the steady clock between which the records and samples lie. */
  span() { return [this.oldest - this._anchor, this.newest - this._anchor]; }

  /** Take a record, and the line of the time line that it made, if it made one. */
  take(record, line) {
    const x = this.moment(record);
    this.oldest ??= x;
    this.newest = Math.max(this.newest ?? x, x);
    if (line && ["message", "step", "case"].includes(line.type)) {
      this.marks.xs.push(x);
      this.marks.lines.push(line);
    }
    if (record.event === "Acted" && !record.data.error) this._read(x, record.data);
    if (line?.type === "message") this._message(x, line);
  }

  add(panel, label, x, y) {
    if (!Number.isFinite(y)) return;
    this._series(panel, label).add(x, y);
    this.newest = Math.max(this.newest ?? x, x);
  }

  /** Put what a series did in place of what is known of it until then. */
  fill(panel, label, xs, ys) { this._series(panel, label).fill(xs, ys); }

  _series(panel, label) {
    const { series } = this.panels.get(panel);
    let one = series.find((each) => each.label === label);
    if (!one) series.push((one = new Series(panel, label)));
    return one;
  }

  /** Take what a device of the lab read. */
  _read(x, { device, method, arguments: given, result }) {
    const of = labelled(device, given?.connector);
    if (result === null || typeof result !== "object") return;
    if (method === "read_pilot") {
      this.add("pilot", `${of} high`, x, result.high);
      this.add("pilot", `${of} low`, x, result.low);
      this.add("duty", of, x, result.duty);
    } else if (method === "read_signal") {
      for (const level of ["rssi", "rsrp"]) this.add("signal", `${device} ${level}`, x, quantity(result[level]));
    } else if (method === "read") {
      for (const name of ["voltage", "current"]) {
        const phases = Array.isArray(result[name]) ? result[name] : [result[name]];
        phases.forEach((one, i) => this.add(name, Array.isArray(result[name]) ? `${device} L${i + 1}` : device, x, quantity(one)));
      }
      this.add("power", device, x, quantity(result.power) / 1000);
      this.add("energy", device, x, quantity(result.energy_import));
    }
  }

  _message(x, line) {
    if (line.answers) {
      this.add("response", line.received ? STATION : "bench", x, (line.mono - line.answers.mono) * 1000);
    }
    if (line.kind !== "call" || line.action !== "MeterValues" || !line.received) return;
    for (const value of meterValues(line.text)) {
      const [panel, factor] = MEASURANDS[value.measurand ?? "Energy.Active.Import.Register"] ?? [];
      if (!panel) continue;
      const thousands = (value.unit ?? "").startsWith("k") ? 1000 : 1;
      this.add(panel, value.phase ? `${STATION} ${value.phase}` : STATION, x, Number(value.value) * thousands * factor);
    }
  }
}

const quantity = (one) => one?.value ?? one?.edge?.value ?? NaN;

/** Return the sampled values of a MeterValues, as far as the station wrote them as it should. */
function meterValues(text) {
  const { meterValue } = JSON.parse(text)[3];
  const lists = Array.isArray(meterValue) ? meterValue.map((one) => one?.sampledValue) : [];
  return lists.filter(Array.isArray).flat().filter((one) => typeof one === "object" && one !== null);
}
