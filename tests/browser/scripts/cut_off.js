// Follow a stream that breaks off, repeats and skips; return from where it was asked for, and what was taken.
async () => {
  const { Link } = await import("/view/link.js");
  const asked = [];
  const plans = [[1, 2, 3], [3, 4, 7, 8], [5, 6, 7, 8, 9]];
  const { fetch, WebSocket } = window;
  // The engine's proxy answers before the engine itself does.
  let proxied = 0;
  window.fetch = async (url) => (url.pathname.endsWith("/runs/r") && (proxied += 1) === 1 ? new Response("", { status: 502 }) : new Response("{}"));
  window.WebSocket = class {
    static OPEN = 1;
    readyState = 1;
    constructor(url) {
      asked.push(new URL(url).searchParams.get("from"));
      const plan = plans[asked.length - 1];
      setTimeout(() => {
        this.say({ snapshot: {} });
        for (const n of plan) this.say({ run: "r", n });
        if (asked.length === 1) this.onclose({ code: 1006, reason: "" });
      });
    }
    say(frame) { this.onmessage({ data: JSON.stringify(frame) }); }
    close() {}
  };
  const got = [];
  await new Promise((resolve) => {
    const link = new Link("t", { snapshot() {}, samples() {}, changed() {},
      record: ({ n }) => { got.push(n); if (n === 9) resolve(); } });
    link.watch();
  });
  Object.assign(window, { fetch, WebSocket });
  return [asked, got, proxied];
}
