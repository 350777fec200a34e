import { cleanup, configure, render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Lab, Template } from "../api/types";
import { dismissToast, toasts } from "../app/messages";
import { toWire } from "../doc/defaults";
import { drawing } from "../doc/testing";
import { initI18n } from "../i18n/index";
import { Api } from "../net/api";
import { SESSION, STOPPED } from "../net/mockServer";
import { ago } from "./ago";
import { LabsPage } from "./LabsPage";
import { LoginPage } from "./LoginPage";
import { blocksOf } from "./lessonText";
import { tokenOf } from "./loginToken";
import { smallOf } from "./thumbnail";

// Generous: they are deadlines, and the machine may be busy.
configure({ asyncUtilTimeout: 5_000 });
vi.setConfig({ testTimeout: 30_000 });

const LAB: Lab = {
  id: 7,
  name: "Ring",
  seq: 1,
  generation: 1,
  running: true,
  owner: "me",
  created: "2026-01-01T00:00:00Z",
  updated: "2026-01-01T00:00:00Z",
  status: { ...STOPPED, phase: "running" },
};
const TEMPLATE: Template = {
  id: "two",
  name: { en: "Two hosts", "zh-CN": "两台主机" },
  summary: { en: "The smallest network", "zh-CN": "最小的网络" },
  text: { en: "Look.\n\nTry:\n1. This\n2. That", "zh-CN": "看。" },
  document: drawing(),
};

type Answers = Record<string, (body: unknown) => unknown>;

/** An API in memory; what is not in `answers` is a 404. */
function server(answers: Answers) {
  const calls: { call: string; body: unknown }[] = [];
  const fetcher = async (input: RequestInfo | URL, init?: RequestInit) => {
    const call = `${init?.method ?? "GET"} ${String(input).replace("/api/v1", "")}`;
    const body: unknown = init?.body ? JSON.parse(String(init.body)) : undefined;
    calls.push({ call, body });
    const answer = answers[call];
    if (!answer) return Response.json({ detail: "no such thing" }, { status: 404 });
    const value = answer(body);
    return value === undefined ? new Response(null, { status: 204 }) : Response.json(value);
  };
  return { api: new Api(fetcher as typeof fetch), calls };
}

function openLabs(labs: Lab[], more: Answers = {}) {
  const made = server({ "GET /labs": () => labs, "GET /templates": () => [TEMPLATE], ...more });
  render(<LabsPage api={made.api} session={SESSION} onSignedOut={() => {}} />);
  return { ...made, user: userEvent.setup() };
}

beforeEach(() => {
  initI18n();
  history.replaceState(null, "", "/");
});
afterEach(() => {
  cleanup();
  for (const toast of toasts.getState().list) dismissToast(toast.id);
});

describe("labs", () => {
  it("shows each lab with its state, and links to it", async () => {
    openLabs([LAB]);
    const link = await screen.findByRole("link", { name: "Ring" });
    expect(link.getAttribute("href")).toBe("/labs/7");
    expect(screen.getByText("Running")).toBeTruthy();
  });

  it("helps on when there is none, and opens a lab of the gallery", async () => {
    const { calls, user } = openLabs([], { "POST /labs": () => LAB });
    expect(await screen.findByText("No labs yet")).toBeTruthy();
    await user.click(await screen.findByRole("button", { name: "Two hosts" }));
    expect(screen.getAllByRole("listitem").map((item) => item.textContent)).toContain("That");
    await user.click(screen.getByRole("button", { name: "Open as a new lab" }));
    await waitFor(() => expect(location.pathname).toBe("/labs/7"));
    expect(calls.at(-1)).toEqual({
      call: "POST /labs",
      body: { template: "two", name: "Two hosts" },
    });
  });

  it("asks before it deletes", async () => {
    const labs = [LAB];
    const { calls, user } = openLabs(labs, {
      "DELETE /labs/7": () => {
        labs.pop();
        return undefined;
      },
    });
    await user.click(await screen.findByRole("button", { name: "Actions for Ring" }));
    await user.click(await screen.findByRole("menuitem", { name: "Delete" }));
    expect(screen.getByRole("dialog").textContent).toContain("It is running");
    expect(calls.some(({ call }) => call.startsWith("DELETE"))).toBe(false);
    await user.click(screen.getByRole("button", { name: "Delete" }));
    await waitFor(() => expect(screen.queryByRole("link", { name: "Ring" })).toBeNull());
  });

  it("renames, and duplicates the drawing under a new name", async () => {
    const { calls, user } = openLabs([LAB], {
      "PATCH /labs/7": () => LAB,
      "GET /labs/7/document": () => ({ seq: 1, document: toWire(drawing()), problems: [] }),
      "POST /labs": () => LAB,
    });
    await user.click(await screen.findByRole("button", { name: "Actions for Ring" }));
    await user.click(await screen.findByRole("menuitem", { name: "Rename" }));
    await user.clear(screen.getByRole("textbox", { name: "Name of the lab" }));
    await user.keyboard("Star{Enter}");
    await waitFor(() =>
      expect(calls).toContainEqual({ call: "PATCH /labs/7", body: { name: "Star" } }),
    );
    await user.click(screen.getByRole("button", { name: "Actions for Ring" }));
    await user.click(await screen.findByRole("menuitem", { name: "Duplicate" }));
    await waitFor(() => expect(calls.some(({ call }) => call === "POST /labs")).toBe(true));
    const body = calls.find(({ call }) => call === "POST /labs")?.body;
    expect(body).toMatchObject({
      name: "Copy of Ring",
      document: { format: "topoweb", version: 1 },
    });
  });

  it("refuses a file that is no drawing, and imports one that is", async () => {
    const { calls } = openLabs([], { "POST /labs": () => LAB });
    const user = userEvent.setup({ applyAccept: false });
    await screen.findByText("No labs yet");
    const input = document.querySelector<HTMLInputElement>("input[type=file]");
    if (!input) throw new Error("no file field");
    await user.upload(input, new File(["{}"], "x.json"));
    expect(await screen.findByText("This file is not a topoweb drawing.")).toBeTruthy();
    const text = JSON.stringify({ ...toWire(drawing()), name: "" });
    await user.upload(input, new File([text], "my lab.json"));
    await waitFor(() => expect(location.pathname).toBe("/labs/7"));
    expect(calls.at(-1)?.body).toMatchObject({ name: "my lab", document: { version: 1 } });
  });
});

describe("login", () => {
  it("takes the whole printed address, and says why a token is refused", async () => {
    let good = false;
    const { api, calls } = server({
      "GET /session": () => SESSION,
      "POST /session/token": () => SESSION,
    });
    history.replaceState(null, "", "/login?reason=token");
    render(
      <LoginPage
        api={api}
        mode="alone"
        onSignedIn={() => {
          good = true;
        }}
      />,
    );
    const user = userEvent.setup();
    expect(screen.getByRole("alert").textContent).toContain("used already");
    await user.type(
      screen.getByRole("textbox", { name: "Address or token" }),
      "http://127.0.0.1:8000/labs/1?token=abc-1{Enter}",
    );
    await waitFor(() => expect(good).toBe(true));
    expect(calls.at(-1)).toEqual({ call: "POST /session/token", body: { token: "abc-1" } });
    expect(location.pathname).toBe("/");
  });

  it("finds the token in what was pasted", () => {
    expect(tokenOf("  abc ")).toBe("abc");
    expect(tokenOf("http://h/?x=1&token=a_b#c")).toBe("a_b");
  });
});

describe("small things", () => {
  it("a thumbnail holds all nodes, with the cables between them", () => {
    const topology = drawing();
    const small = smallOf(topology);
    expect(small?.nodes.map((node) => node.id)).toEqual(["n1", "n2"]);
    expect(small?.links).toMatchObject([{ from: { id: "n1" }, to: { id: "n2" } }]);
    const [left = 0, , width = 0] = (small?.viewBox ?? "").split(" ").map(Number);
    expect(left).toBeLessThan(-27);
    expect(left + width).toBeGreaterThan(227);
    expect(smallOf({ ...topology, nodes: {}, groups: {} })).toBeNull();
  });
  it("a lesson's numbered lines become lists", () => {
    expect(blocksOf("A\n\nTry:\n1. x\n2. y\n\nB").map((block) => block.kind)).toEqual([
      "text",
      "text",
      "list",
      "text",
    ]);
  });
  it("says when, in the reader's language", () => {
    const now = Date.parse("2026-01-02T00:00:00Z");
    expect(ago("2026-01-01T23:55:00Z", "en", now)).toBe("5 minutes ago");
    expect(ago("2026-01-01T00:00:00Z", "zh-CN", now)).toBe("昨天");
    expect(ago("", "en", now)).toBe("");
  });
});
