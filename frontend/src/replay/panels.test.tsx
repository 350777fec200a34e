import { configure, render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Kept, Recording } from "../api/recordings";
import { toasts } from "../app/messages";
import { renderEditor } from "../app/testing";
import { initI18n } from "../i18n/index";
import { Api } from "../net/api";
import { threeNodes } from "../story/testing";
import { dropped } from "./drop";
import { RecordingsPage } from "./RecordingsPage";
import { SaveDialog } from "./SaveDialog";
import { addWords } from "./words";

// Generous: they are deadlines, and the machine may be busy.
configure({ asyncUtilTimeout: 5_000 });
vi.setConfig({ testTimeout: 30_000 });

const RECORDING: Recording = {
  id: 7,
  name: "The ping that died",
  lab: 1,
  lab_name: "no way back",
  size: 7_400,
  began: 1_000,
  ended: 1_017.2,
  created: 1_018,
  packets: 27,
  faults: 2,
  tier: "bpf",
  imported: false,
  shared: null,
};

interface Call {
  method: string;
  path: string;
  body: unknown;
}

/** A server that answers what it is told to. */
function server(answers: Record<string, (body: unknown) => unknown>): { api: Api; calls: Call[] } {
  const calls: Call[] = [];
  const fetcher = async (input: RequestInfo | URL, init?: RequestInit): Promise<Response> => {
    const path = String(input).replace("/api/v1", "");
    const method = init?.method ?? "GET";
    const body = typeof init?.body === "string" ? JSON.parse(init.body) : init?.body;
    calls.push({ method, path, body });
    const answer = answers[`${method} ${path}`]?.(body);
    if (answer instanceof Response) return answer;
    return answer === undefined
      ? new Response(null, { status: 204 })
      : Response.json(answer as object);
  };
  return { api: new Api(fetcher as typeof fetch), calls };
}

beforeEach(() => {
  initI18n();
  addWords();
  toasts.setState({ list: [] });
  history.replaceState(null, "", "/recordings");
});
afterEach(() => {
  document.body.replaceChildren();
});

it("lists one's recordings, and takes one away after asking", async () => {
  const user = userEvent.setup();
  const { api, calls } = server({ "GET /recordings": () => [RECORDING] });
  render(<RecordingsPage api={api} />);
  const line = await screen.findByRole("listitem");
  expect(within(line).getByText(/27 packets · 7\.4 kB/)).toBeTruthy();
  expect(within(line).getByText("✕ 2 faults")).toBeTruthy();
  await user.click(within(line).getByRole("button", { name: /^Delete/ }));
  await user.click(await screen.findByRole("button", { name: "Delete" }));
  await waitFor(() =>
    expect(calls).toContainEqual({ method: "DELETE", path: "/recordings/7", body: undefined }),
  );
});

it("makes a link that is shown once, copies it, and takes it back", async () => {
  const user = userEvent.setup();
  const { api, calls } = server({
    "GET /recordings": () => [RECORDING],
    "GET /recordings/7": () => RECORDING,
    "POST /recordings/7/share": () => ({ url: "/shared/abcdefghijklmnopqrstuv", until: 2_000 }),
  });
  render(<RecordingsPage api={api} />);
  await user.click(await screen.findByRole("button", { name: /^Share/ }));
  await user.selectOptions(await screen.findByRole("combobox"), "30");
  await user.click(screen.getByRole("button", { name: "Make a link" }));
  const link = await screen.findByRole<HTMLInputElement>("textbox", { name: "Link" });
  expect(link.value).toBe(`${location.origin}/shared/abcdefghijklmnopqrstuv`);
  expect(calls.at(-1)).toMatchObject({ path: "/recordings/7/share", body: { days: 30 } });
  await user.click(screen.getByRole("button", { name: "Copy" }));
  expect(await navigator.clipboard.readText()).toBe(link.value);
  await user.click(screen.getByRole("button", { name: "Stop sharing" }));
  await waitFor(() => expect(screen.queryByRole("textbox", { name: "Link" })).toBeNull());
  expect(calls.at(-1)).toMatchObject({ method: "DELETE", path: "/recordings/7/share" });
});

it("saves what was kept, and goes on to it", async () => {
  const kept: Kept = { seconds: 65.5, packets: 27, tier: "bpf", kept: null };
  const bodies: unknown[] = [];
  const made = renderEditor(<SaveDialog onClose={() => {}} />, threeNodes(), {
    running: true,
    answers: {
      "GET /labs/1/recording": () => kept,
      "POST /labs/1/recording": (body) => {
        bodies.push(body);
        return { ...kept, kept: { until: 5_000, user: "me" } };
      },
      "POST /labs/1/recordings": (body) => {
        bodies.push(body);
        return RECORDING;
      },
    },
  });
  addWords();
  const { user, close } = made;
  expect(await screen.findByText(/1:05\.500/)).toBeTruthy();
  await user.click(screen.getByRole("button", { name: "Keep recording" }));
  expect(await screen.findByText(/me keeps it going until/)).toBeTruthy();
  await user.type(screen.getByRole("textbox", { name: "Name" }), " Died ");
  await user.click(screen.getByRole("button", { name: "Save recording" }));
  await waitFor(() => expect(location.pathname).toBe("/recordings/7"));
  expect(bodies).toEqual([{ minutes: 15 }, { name: "Died", seconds: null }]);
  close();
});

it("adds a file that was dropped, and says why another was refused", async () => {
  const refusal = { title: "Refused", detail: "packets.pcapng: no such block", code: "odd" };
  const { api, calls } = server({
    "POST /recordings?name=good": () => RECORDING,
    "POST /recordings?name=bad": () => Response.json(refusal, { status: 422 }),
  });
  const file = (name: string) => new File(["PK"], name);
  await dropped(api, file("bad.topoweb"));
  expect(toasts.getState().list.map(({ title }) => title)).toEqual([refusal.detail]);
  expect(location.pathname).toBe("/recordings");
  await dropped(api, file("good.topoweb"));
  expect(location.pathname).toBe("/recordings/7");
  expect(calls.at(-1)?.body).toBeInstanceOf(File);
});
