// Notes what the canvas draws: texts, and where pictures are put on its upper layer (packets).
(() => {
  const spy = { texts: [], pictures: [] };
  window.canvasSpy = spy;
  for (const { prototype } of [CanvasRenderingContext2D, OffscreenCanvasRenderingContext2D]) {
    const { fillText } = prototype;
    prototype.fillText = function (text, ...rest) {
      if (spy.texts.length < 100_000) spy.texts.push(String(text));
      return fillText.call(this, text, ...rest);
    };
  }
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
  CanvasRenderingContext2D.prototype.drawImage = function (image, x, y, width, height, ...rest) {
    const host = this.canvas.parentElement;
    const upper = host?.matches("[data-canvas]") && host.querySelectorAll("canvas")[1];
    if (this.canvas === upper && rest.length === 0 && spy.pictures.length < 100_000) {
      const box = this.canvas.getBoundingClientRect();
      const scale = this.canvas.width / box.width;
      const at = this.getTransform().transformPoint({ x: x + width / 2, y: y + height / 2 });
      spy.pictures.push([
        performance.now(),
        box.left + at.x / scale,
        box.top + at.y / scale,
        colors.get(image) ?? "",
      ]);
    }
    return drawImage.call(this, image, x, y, width, height, ...rest);
  };
  window.policyViolations = [];
  document.addEventListener("securitypolicyviolation", (event) => {
    window.policyViolations.push(`${event.violatedDirective} ${event.blockedURI}`);
  });
})();
