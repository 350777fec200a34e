/**
 * xterm writes style elements and style attributes, which our content security policy forbids. The
 * page holds a nonce for style elements that its own scripts make; and what an attribute may not
 * say, the element's `style` object may. Neither lets markup carry style.
 */

const create = Document.prototype.createElement;

function nonced(name: string, options?: ElementCreationOptions): HTMLElement {
  const element = create.call(document, name, options);
  if (element instanceof HTMLStyleElement) {
    const meta = document.querySelector<HTMLMetaElement>("meta[property=csp-nonce]");
    element.nonce = meta?.content ?? "";
  }
  return element;
}

/** Run what makes style elements; those it makes meanwhile are allowed. */
export function withStyles(run: () => void): void {
  document.createElement = nonced as typeof document.createElement;
  try {
    run();
  } finally {
    Reflect.deleteProperty(document, "createElement");
  }
}

// Colours beyond the 256 of the palette come as style attributes of spans (DomRendererRowFactory).
HTMLSpanElement.prototype.setAttribute = function (name: string, value: string): void {
  if (name === "style") this.style.cssText = value;
  else Element.prototype.setAttribute.call(this, name, value);
};
