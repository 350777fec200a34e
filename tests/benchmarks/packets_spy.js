// What PACKETS messages say, without keeping the rows: the page's memory is measured, too.
window.spy = { arrivals: [], rows: 0, gap: 0, hops: 0, drops: 0, sampled: 0, ends: [] };
// Of DNS queries: when the kernel saw each, when its row came, and when pictures of its colour were
// on the canvas (all that were, until the colour is set); ms since the epoch.
window.marks = { watched: false, seen: [], came: [], color: "", drawn: [] };
{
  const PACKETS = 2;
  const now = () => performance.timeOrigin + performance.now();
  const Plain = window.WebSocket;
  const whole = (text, name) => Number(new RegExp(`"${name}":(\\d+)`).exec(text)?.[1] ?? 0);
  const note = (text) => {
    spy.arrivals.push(performance.now());
    spy.gap += whole(text, "gap");
    const rows = /"rows":\[\[.*?\]\]/.exec(text)?.[0] ?? "";
    spy.rows += rows.split("],[").length - (rows ? 0 : 1);
    const unseen = /"unseen":\{[^}]*\}/.exec(text)?.[0] ?? "";
    for (const name of ["hops", "drops", "sampled"]) spy[name] += whole(unseen, name);
    if (text.includes('"ends":')) {
      for (const { repeated, time, verdict, packet } of JSON.parse(text).ends) {
        spy.ends.push({ repeated, time, packet, params: JSON.stringify(verdict.params) });
      }
    }
    if (marks.watched && text.includes('"DNS"')) {
      for (const row of JSON.parse(text).rows) {
        if (row[5] !== "DNS") continue;
        marks.seen.push(row[1] * 1000);
        marks.came.push(now());
      }
    }
  };
  window.WebSocket = class extends Plain {
    constructor(...args) {
      super(...args);
      this.addEventListener("message", ({ data }) => {
        if (!(data instanceof ArrayBuffer) || new Uint8Array(data)[0] !== PACKETS) return;
        note(new TextDecoder().decode(new Uint8Array(data, 8)));
      });
    }
  };
}
{
  // What a small picture is filled with last is its colour: a protocol's, for a packet.
  const colors = new WeakMap();
  const { fill } = OffscreenCanvasRenderingContext2D.prototype;
  OffscreenCanvasRenderingContext2D.prototype.fill = function (...rest) {
    colors.set(this.canvas, String(this.fillStyle));
    return fill.apply(this, rest);
  };
  const { transferToImageBitmap } = OffscreenCanvas.prototype;
  OffscreenCanvas.prototype.transferToImageBitmap = function () {
    const bitmap = transferToImageBitmap.call(this);
    colors.set(bitmap, colors.get(this));
    return bitmap;
  };
  const { drawImage } = CanvasRenderingContext2D.prototype;
  CanvasRenderingContext2D.prototype.drawImage = function (image, ...rest) {
    if (marks.watched) {
      const host = this.canvas.parentElement;
      const upper = host?.matches("[data-canvas]") && host.querySelectorAll("canvas")[1];
      const color = colors.get(image) ?? "";
      if (this.canvas === upper && rest.length === 4 && (!marks.color || color === marks.color)) {
        marks.drawn.push([performance.timeOrigin + performance.now(), color]);
      }
    }
    return drawImage.call(this, image, ...rest);
  };
}
