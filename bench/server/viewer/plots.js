// The plots: one panel for each quantity, all on one time axis that follows the run, pauses and zooms.

import { after } from "./series.js";
import { byId, element } from "./text.js";

const HEIGHT = 132;
const SHORTEST = 0.02; // s, the closest zoom
const SHORTEST_LIVE = 5; // s
const REST = 3; // how many times as long as it took, the plots are left alone after they were drawn
const FEW = 40; // points of a series that are drawn as dots, too
const DASHES = [[], [7, 4], [2, 3], [9, 3, 2, 3], [14, 4], [4, 2]];
// A pilot jumps between its states, and each answer has a response time of its own.
const jumps = { paths: uPlot.paths.stepped({ align: 1 }) };
const DRAWN = { pilot: jumps, duty: jumps, response: { paths: () => null, points: { show: true, size: 5 } } };
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

export class Plots {
  /** Draw measurements; `newest()` tells the moment up to which a live view reaches. */
  constructor(measurements, newest) {
    this._data = measurements;
    this._newest = newest;
    this._panels = new Map();
    this._sync = uPlot.sync("plots");
    this._view = null; // from and to while paused or zoomed, null while live
    this._selected = null;
    this._paused = false;
    this._drawn = 0;
    this._cost = 0;
    this._late = null;
    const again = () => this.draw(true);
    byId("pause").addEventListener("click", () => this.pause(!this._paused));
    byId("closer").addEventListener("click", () => this._zoom(0.5));
    byId("wider").addEventListener("click", () => this._zoom(2));
    byId("span").addEventListener("change", () => this.live());
    byId("panels").addEventListener("keydown", (event) => this._key(event));
    new ResizeObserver(() => this._resize()).observe(byId("panels"));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
  }

  clear() {
    for (const { plot, figure } of this._panels.values()) {
      plot.destroy();
      figure.remove();
    }
    this._panels.clear();
    this._selected = null;
    this.live();
  }

  pause(on) {
    this._paused = on;
    this._view = on ? this._range() : null;
    this._show();
  }

  live() {
    this._view = null;
    this._paused = false;
    this._show();
  }

  /** Mark a moment, and bring it into view. */
  select(moment) {
    this._selected = moment;
    const [from, to] = this._range();
    if (moment < from || moment > to) this._look(moment - (to - from) / 2, moment + (to - from) / 2);
    else this.draw(true);
  }

  /** Draw what is new; with `all` everything, as when the view has changed. */
  draw(all = false) {
    if (this._data.newest === null) return;
    if (!all && (this._view !== null || this._isTooSoon())) return;
    const began = performance.now();
    this._addPanels();
    const [from, to] = this._range();
    for (const { panel, plot, caption } of this._panels.values()) {
      const tables = panel.series.map((one) => one.between(from, to, 2 * plot.width));
      plot.setData(tables.length > 1 ? uPlot.join(tables) : tables[0], false);
      plot.batch(() => {
        plot.setScale("x", { min: from, max: to });
        plot.setScale("y", limits(tables.map((table) => table[1])));
      });
      const now = panel.series.map((one) => `${panel.series.length > 1 ? `${one.label} ` : ""}${number(one.newest)}`).join(", ");
      const text = `${now} ${panel.unit}`;
      if (caption.textContent !== text) caption.textContent = text;
      plot.root.parentElement.setAttribute("aria-label", `${panel.title} over time, newest ${text}`);
    }
    byId("panels").dispatchEvent(new Event("drawn"));
    this._drawn = performance.now();
    this._cost = this._drawn - began;
  }

  /** Leave most of the time to the rest of the page, however much there is to draw; what is put off is drawn later. */
  _isTooSoon() {
    const wait = this._drawn + REST * this._cost - performance.now();
    if (wait <= 0) return false;
    this._late ??= setTimeout(() => {
      this._late = null;
      this.draw();
    }, wait);
    return true;
  }

  _range() {
    if (this._view) return this._view;
    const span = Number(byId("span").value);
    const to = this._newest();
    const whole = Math.max(SHORTEST_LIVE, to - (this._data.oldest ?? to));
    return [to - (span ? Math.min(span, whole) : whole), to];
  }

  _look(from, to) {
    this._view = [from, to];
    this._paused = true;
    this._show();
  }

  _zoom(factor) {
    const [from, to] = this._range();
    const half = Math.max(SHORTEST, (to - from) * factor) / 2;
    const plot = [...this._panels.values()][0]?.plot;
    const middle = plot && hasCursor(plot) ? plot.posToVal(plot.cursor.left, "x") : (from + to) / 2;
    this._look(middle - half, middle + half);
  }

  _show() {
    const button = byId("pause");
    button.setAttribute("aria-pressed", String(this._paused));
    button.textContent = this._paused ? "Paused – go live" : "Pause";
    this.draw(true);
  }

  _key(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const [from, to] = this._range();
    const part = (to - from) / 5;
    const acts = {
      " ": () => this.pause(!this._paused),
      "+": () => this._zoom(0.5),
      "=": () => this._zoom(0.5),
      "-": () => this._zoom(2),
      ArrowLeft: () => this._look(from - part, to - part),
      ArrowRight: () => this._look(from + part, to + part),
      ",": () => this._cursor(-1),
      ".": () => this._cursor(1),
      0: () => this.live(),
      Escape: () => this.live(),
    };
    if (!(event.key in acts)) return;
    event.preventDefault();
    acts[event.key]();
  }

  /** Move the cursor by a step over all panels; the values under it stand in the legends. */
  _cursor(direction) {
    const plots = [...this._panels.values()].map((one) => one.plot);
    for (const plot of plots) {
      const width = plot.over.clientWidth;
      const left = hasCursor(plot) ? plot.cursor.left : width;
      plot.setCursor({ left: Math.min(width, Math.max(0, left + direction * Math.max(4, width / 60))), top: 10 });
    }
  }

  /** Make the panels and series that have come up since. */
  _addPanels() {
    for (const panel of this._data.panels.values()) {
      const known = this._panels.get(panel.id);
      if (!panel.series.length || known?.count === panel.series.length) continue;
      known?.plot.destroy();
      if (!known) byId("panels").querySelector(".empty")?.remove();
      const caption = known?.caption ?? element("span", "newest");
      const figure = known?.figure ?? element("figure", "panel", element("figcaption", "", element("b", "", panel.title), caption));
      const holder = known?.holder ?? element("div", "canvas");
      holder.setAttribute("role", "img");
      holder.setAttribute("aria-label", panel.title);
      if (!known) {
        figure.append(holder);
        const order = [...this._data.panels.keys()];
        const next = [...byId("panels").children].find((one) => order.indexOf(one.dataset.panel) > order.indexOf(panel.id));
        figure.dataset.panel = panel.id;
        byId("panels").insertBefore(figure, next ?? null);
      }
      const width = Math.max(200, holder.clientWidth);
      const plot = new uPlot(this._options(panel, width), [[], ...panel.series.map(() => [])], holder);
      this._panels.set(panel.id, { panel, plot, caption, figure, holder, count: panel.series.length });
    }
  }

  _options(panel, width) {
    const soft = () => css("--soft");
    const grid = { stroke: () => css("--grid"), width: 1 };
    const font = `11px ${css("--sans") || "sans-serif"}`;
    return {
      width,
      height: HEIGHT,
      ms: 1,
      tzDate: (stamp) => uPlot.tzDate(new Date(stamp * 1000), "Etc/UTC"),
      padding: [6, 22, 0, 0],
      cursor: { sync: { key: "plots" }, drag: { x: true, y: false, setScale: false }, points: { size: 7 } },
      legend: { live: true, markers: { width: 2 } },
      scales: { x: { time: true, auto: false }, y: { auto: false } },
      axes: [
        { stroke: soft, grid, ticks: grid, font, space: 70, size: 26, values: times },
        { stroke: soft, grid, ticks: grid, font, size: 54, space: 26 },
      ],
      series: [
        { label: "UTC", value: (_, x) => (x === null ? "–" : new Date(x * 1000).toISOString().slice(11, 23)) },
        ...panel.series.map((one, i) => ({
          label: one.label,
          stroke: () => css(`--s${(i % 6) + 1}`),
          dash: DASHES[i % DASHES.length],
          width: 1.5,
          spanGaps: true,
          points: { show: () => one.xs.length < FEW, size: 5 },
          ...DRAWN[panel.id],
          value: (_, y) => (y === null || y === undefined ? "–" : `${number(y)} ${panel.unit}`),
        })),
      ],
      hooks: {
        drawClear: [(plot) => this._marks(plot)],
        setSelect: [(plot) => this._dragged(plot)],
        ready: [(plot) => plot.over.addEventListener("dblclick", () => this.live())],
      },
    };
  }

  _dragged(plot) {
    const { left, width } = plot.select;
    if (width < 3) return;
    const [from, to] = [plot.posToVal(left, "x"), plot.posToVal(left + width, "x")];
    plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    if (to - from >= SHORTEST / 10) this._look(from, to);
  }

  /** Draw the marks of steps and messages under the curves. */
  _marks(plot) {
    const { ctx, bbox } = plot;
    const { xs, lines } = this._data.marks;
    const [from, to] = [plot.scales.x.min, plot.scales.x.max];
    if (!(to > from)) return;
    const ratio = devicePixelRatio;
    ctx.save();
    const upright = (x, top, height, colour, width) => {
      ctx.fillStyle = colour;
      ctx.fillRect(Math.round(plot.valToPos(x, "x", true) - width / 2), top, width, height);
    };
    const [step, message] = [css("--step"), css("--message")];
    const drawn = { message: -1, other: -1 };
    for (let i = after(xs, from); i < xs.length && xs[i] <= to; i += 1) {
      const kind = lines[i].type === "message" ? "message" : "other";
      const place = Math.round(plot.valToPos(xs[i], "x", true));
      if (place === drawn[kind]) continue;
      drawn[kind] = place;
      if (kind === "message") upright(xs[i], bbox.top + bbox.height - 7 * ratio, 7 * ratio, message, ratio);
      else upright(xs[i], bbox.top, bbox.height, step, ratio * (lines[i].type === "case" ? 2 : 1));
    }
    if (this._selected !== null && this._selected >= from && this._selected <= to) {
      upright(this._selected, bbox.top, bbox.height, css("--accent"), 2 * ratio);
    }
    ctx.restore();
  }

  _resize() {
    for (const { plot, holder } of this._panels.values()) {
      const width = Math.max(200, holder.clientWidth);
      if (width !== plot.width) plot.setSize({ width, height: HEIGHT });
    }
    this.draw(true);
  }
}

const hasCursor = (plot) => (plot.cursor.left ?? -1) >= 0;

/** Write the times of an axis: as much of them as its distances need. */
function times(_, splits, __, ___, distance) {
  const end = distance >= 60 ? 16 : distance >= 1 ? 19 : 23;
  return splits.map((x) => new Date(x * 1000).toISOString().slice(11, end));
}

/** Return the limits of an axis around the values of its series. */
function limits(lists) {
  let [low, high] = [Infinity, -Infinity];
  for (const list of lists) {
    for (const value of list) {
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  }
  if (low > high) return { min: 0, max: 1 };
  const room = (high - low || Math.abs(high) || 1) * 0.12;
  return { min: low >= 0 && low < high * 0.6 ? 0 : low - room, max: high + room };
}

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });

function number(value) {
  if (value === null || value === undefined) return "–";
  return Math.abs(value) >= 1000 ? whole.format(value) : String(Number(value.toPrecision(4)));
}
