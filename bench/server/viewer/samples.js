// Samples: binary frames that sum up a short window of each channel, and the history of a run.

const KIND = 1; // the kind of frame that sums up a window
const PART = 24; // bytes of the header, and of each entry
const NUDGE = 1e-6; // s between the least and the greatest value of a window, as they are drawn
const PATIENCE = 400; // ms in which channels are gathered before their history is asked for
const LONGEST = 3600; // s of history that the bench gives at once
const LEVELS = { rssi: "signal", rsrp: "signal", rsrq: "quality", sinr: "quality" };

/** Read a binary frame (docs/reference/api.md, "Samples"); null for a kind that is not known. */
export function decode(buffer) {
  const view = new DataView(buffer);
  if (view.getUint16(0, true) !== KIND) return null;
  const entries = [];
  for (let i = 0, at = PART; i < view.getUint16(2, true); i += 1, at += PART) {
    const [least, greatest, mean, last] = [8, 12, 16, 20].map((place) => view.getFloat32(at + place, true));
    entries.push({ channel: view.getUint32(at, true), samples: view.getUint32(at + 4, true), least, greatest, mean, last });
  }
  return { number: view.getUint32(4, true), begin: view.getFloat64(8, true), end: view.getFloat64(16, true), entries };
}

/** Return the panel, the label and the factor of a channel; null for what is not plotted, or plotted from the records. */
export function placed({ name, instrument, connector }) {
  const of = labelled(instrument, connector);
  const [, kind, part] = /^(pilot|voltage|current)-(\w+)$/.exec(name) ?? [null, name, ""];
  if (name === "pilot-duty") return ["duty", of, 1];
  if (["pilot", "voltage", "current"].includes(kind)) return [kind, part ? `${of} ${part.replace("l", kind === "pilot" ? "l" : "L")}` : of, 1];
  if (kind === "power") return [kind, of, 1e-3];
  if (kind === "energy" || kind === "temperature") return [kind, of, 1];
  return kind in LEVELS ? [LEVELS[kind], `${of} ${kind}`, 1] : null;
}

export const labelled = (instrument, connector) => (connector ? `${instrument} ${connector}` : instrument);

export class Samples {
  /** Feed measurements; `history` asks the bench for what a channel did before. */
  constructor(measurements, history) {
    this._measurements = measurements;
    this._history = history;
    this.clear();
  }

  clear() {
    this._channels = new Map();
    this._missed = new Set();
    clearTimeout(this._timer);
    this._timer = null;
  }

  /** Take the declaration of a channel; what it did already is asked for. */
  declare(channel) {
    const place = placed(channel);
    if (place === null) return;
    this._channels.set(channel.channel, { ...channel, place });
    this._miss(channel.channel);
  }

  /** Ask for what the channels did while the connection was lost. */
  missed() { for (const channel of this._channels.keys()) this._miss(channel); }

  /** Take a binary frame. */
  take(buffer) {
    const window = decode(buffer);
    for (const { channel, least, greatest, last } of window?.entries ?? []) {
      const known = this._channels.get(channel);
      if (!known) continue;
      const [panel, label, factor] = known.place;
      const write = (mono, value) => this._measurements.add(panel, label, this._measurements.at(mono), (value + known.zero) * factor);
      if (least === greatest) write(window.end, last);
      else {
        write(window.end - NUDGE, least);
        write(window.end, greatest);
      }
    }
  }

  _miss(channel) {
    this._missed.add(channel);
    this._timer ??= setTimeout(() => this._ask(), PATIENCE);
  }

  async _ask() {
    this._timer = null;
    const channels = this._channels;
    const [first, now] = this._measurements.span();
    for (const channel of [...this._missed]) {
      this._missed.delete(channel);
      const found = await this._history(channel, Math.max(first, now - LONGEST)).catch(() => null);
      if (channels !== this._channels) return; // another run is shown by now
      if (!found?.time.length) continue;
      const [panel, label, factor] = channels.get(channel).place;
      const [xs, ys] = [[], []];
      found.time.forEach((mono, i) => {
        const values = found.min[i] === found.max[i] ? [found.max[i]] : [found.min[i], found.max[i]];
        values.forEach((value, later) => {
          xs.push(this._measurements.at(mono) + later * NUDGE);
          ys.push(value * factor);
        });
      });
      this._measurements.fill(panel, label, xs, ys);
    }
  }
}
