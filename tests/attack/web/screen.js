// The product's own terminal screen and session, alone on a page that notes whatever reaches out.
import { plain, TerminalSession } from "../../../frontend/src/terminal/session.ts";
import { XtermScreen } from "../../../frontend/src/terminal/xtermScreen.ts";

const noted = [];
const note = (kind, value = "") => noted.push([kind, String(value).slice(0, 500)]);
const clipboard = {
  writeText: (text) => Promise.resolve(note("clipboard", text)),
  write: () => Promise.resolve(note("clipboard")),
  readText: () => Promise.resolve(note("clipboard-read")),
};
Object.defineProperty(navigator, "clipboard", { value: clipboard });
for (const name of ["open", "print", "alert", "confirm", "prompt", "resizeTo", "moveTo"]) {
  window[name] = (value) => note(name, value);
}
document.execCommand = (name) => note("execCommand", name);
window.Notification = class {
  constructor(text) {
    note("notification", text);
  }
};

let session = null;
const screen = new XtermScreen(
  {
    input: (text) => (note("input", text), session?.input(text)),
    binary: (text) => (note("input", text), session?.inputBinary(text)),
    resized: (columns, rows) => note("resized", `${columns}x${rows}`),
    title: (title) => note("title", plain(title)),
    bell: () => {},
    link: (address) => note("link", address),
    spares: () => false,
    found: () => {},
    typed: () => {},
  },
  { fontSize: 14, screenReader: true },
);
const host = document.createElement("div");
host.style.cssText = "width: 800px; height: 400px; overflow: hidden";
document.body.append(host);
screen.attach(host, "terminal");
const bytesOf = (text) => Uint8Array.from(text, (character) => character.charCodeAt(0));

/** Write bytes as a program does; return what was noted, and what stands in the page. */
window.show = async (text, times = 1) => {
  noted.length = 0;
  for (let n = 0; n < times; n += 1) {
    await new Promise((done) => screen.write(bytesOf(text), done));
  }
  await new Promise((done) => setTimeout(done, 50));
  const foreign = [...host.querySelectorAll("script, img, iframe, object, embed, a, form, svg")];
  return {
    noted: [...noted],
    size: `${screen.columns}x${screen.rows}`,
    elements: foreign.map((element) => element.outerHTML),
    title: document.title,
  };
};

/** Click where a cell is. */
window.cell = (column, row) => {
  const box = host.querySelector(".xterm-screen").getBoundingClientRect();
  const [width, height] = [box.width / screen.columns, box.height / screen.rows];
  return { x: box.x + (column + 0.5) * width, y: box.y + (row + 0.5) * height };
};

/** A session of a viewer: return what it sends of a screen's answers. */
window.viewer = async (write, text) => {
  const typed = [];
  let events = null;
  const socket = {
    connect: () => {},
    input: (bytes) => typed.push(String.fromCharCode(...bytes)),
    resize: () => typed.push("resize"),
    credit: () => {},
    end: () => {},
    destroy: () => {},
  };
  const make = (given) => {
    events = given;
    return socket;
  };
  session = new TerminalSession("n1", null, screen, make, () => {});
  session.start();
  events.connection("open");
  const size = { columns: 80, rows: 24 };
  events.text({ type: "opened", terminal: "x", node: "n1", write, missed: 0, replay: 0, ...size });
  events.bytes(bytesOf(text));
  await new Promise((done) => setTimeout(done, 100));
  session = null;
  return typed;
};
setTimeout(() => {
  window.ready = true; // it has found its size
}, 300);
