// What a lab's socket says, with the page's clock, and the page's long tasks.
window.spy = { text: [], live: [], tasks: [] };
new PerformanceObserver((list) => {
  for (const one of list.getEntries()) spy.tasks.push([one.startTime, one.duration]);
}).observe({ type: "longtask", buffered: true });
const Plain = window.WebSocket;
window.WebSocket = class extends Plain {
  constructor(...args) {
    super(...args);
    this.addEventListener("message", ({ data }) => {
      const at = performance.now();
      if (typeof data === "string") spy.text.push([at, JSON.parse(data)]);
      else spy.live.push([at, data]);
    });
  }
};
// Payloads of LIVE frames (8-byte header: kind, stream, ...) that contain a text, since a moment.
window.spyHeard = (text, since) => {
  for (const [at, data] of spy.live) {
    if (at >= since && new TextDecoder().decode(new Uint8Array(data, 8)).includes(text)) return at;
  }
  return 0;
};
