// The connection to the engine: comes back by itself, and goes on at the record after the last one.

const PAUSES = [0.3, 0.6, 1.2, 2.5, 5, 10]; // seconds before another attempt, shortest first
const GONE = 4401;

/** Take the token out of the address bar; it stays in this tab alone. */
export function takeToken() {
  const given = new URLSearchParams(location.hash.slice(1)).get("token") ?? new URLSearchParams(location.search).get("token");
  if (given) {
    sessionStorage.setItem("token", given);
    history.replaceState(null, "", location.pathname);
  }
  return sessionStorage.getItem("token");
}

export class Link {
  /** `heard` takes snapshots, records and samples; `changed` takes the state of the connection and why. */
  constructor(token, { snapshot, record, samples, changed }) {
    this._token = token;
    this._heard = { snapshot, record, samples };
    this._changed = changed;
    this._attempts = 0;
    this._socket = null;
    this._run = null;
    this._last = 0;
    this._timer = null;
    this._ahead = 0; // s by which the bench's clock is ahead of this machine's
    window.addEventListener("online", () => this._timer !== null && this._open());
  }

  /** Watch a run from its first record; null: the newest, and those that follow. */
  watch(run = null) {
    this._only = run;
    this._run = run;
    this._last = 0;
    this._leave();
    this._open();
  }

  get live() { return this._socket?.readyState === WebSocket.OPEN; }

  /** Return the time of the bench in s since 1970, to about a second. */
  now() { return Date.now() / 1000 + this._ahead; }

  /** Ask the API as the holder of the link; returns null when it is not there, and throws when that is not known. */
  async get(path) {
    const answer = await this._fetch(path);
    if (answer.status === 401) throw new Refused();
    const told = Date.parse(answer.headers.get("Date")) / 1000 + 0.5; // whole seconds
    const ahead = Number.isFinite(told) ? told - Date.now() / 1000 : 0;
    this._ahead = Math.abs(ahead) < 1.5 ? 0 : ahead;
    if (answer.status === 404) return null;
    if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
    return answer.json();
  }

  /** Fetch a file of a run as a blob. */
  async file(path) {
    const answer = await this._fetch(path);
    if (!answer.ok) throw new Error((await answer.json()).detail);
    return answer.blob();
  }

  _fetch(path) {
    const headers = { Authorization: `Bearer ${this._token}` };
    return fetch(new URL(`../api/v1${path}`, location.href), { headers, cache: "no-store" });
  }

  _leave() {
    clearTimeout(this._timer);
    this._timer = null;
    const socket = this._socket;
    this._socket = null;
    socket?.close();
  }

  async _open() {
    this._leave();
    const attempt = (this._attempt = {});
    this._changed(this._attempts ? "lost" : "connecting", "");
    try {
      // A handshake that fails does not say why; this does.
      await this.get("/session");
      if (this._run !== null && (await this.get(`/runs/${encodeURIComponent(this._run)}`)) === null) {
        this._run = this._only = null;
        this._last = 0;
      }
    } catch (error) {
      if (attempt !== this._attempt) return;
      if (error instanceof Refused) this._changed("refused", "The link has expired, was revoked, or is not of this bench.");
      else this._again();
      return;
    }
    if (attempt === this._attempt) this._stream();
  }

  _stream() {
    const query = new URLSearchParams({ token: this._token, from: String(this._last + 1) });
    if (this._run !== null) query.set("run", this._run);
    if (this._only !== null) query.set("follow", "false");
    const address = new URL(`../api/v1/stream?${query}`, location.href);
    address.protocol = address.protocol.replace("http", "ws");
    const socket = (this._socket = new WebSocket(address));
    socket.binaryType = "arraybuffer";
    socket.onmessage = ({ data }) => socket === this._socket && this._take(data);
    socket.onclose = ({ code, reason }) => {
      if (socket !== this._socket) return;
      this._socket = null;
      if (code === GONE) this._changed("refused", "The link has expired or was revoked.");
      else if (code === 1000) this._changed("over", "");
      else this._again(reason);
    };
  }

  _take(data) {
    if (typeof data !== "string") {
      this._heard.samples(data);
      return;
    }
    const frame = JSON.parse(data);
    if (frame.snapshot) {
      this._attempts = 0;
      this._changed("live", "");
      this._heard.snapshot(frame.snapshot);
      return;
    }
    if (frame.run === null) return; // what happened while no run went on; the snapshot has its effect
    if (frame.run !== this._run) {
      this._run = frame.run;
      this._last = 0;
    }
    if (frame.n <= this._last) return;
    if (frame.n > this._last + 1) {
      this._open(); // records are missing: ask for them again
      return;
    }
    this._last = frame.n;
    this._heard.record(frame);
  }

  _again(reason = "") {
    const pause = PAUSES[Math.min(this._attempts, PAUSES.length - 1)] * (0.8 + 0.4 * Math.random());
    this._attempts += 1;
    this._changed("lost", reason);
    this._timer = setTimeout(() => this._open(), pause * 1000);
  }
}

class Refused extends Error {}
