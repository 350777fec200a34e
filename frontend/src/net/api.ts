/** HTTP: session cookie and CSRF header in, problem+json out as a typed error. */

import type { FilterCheck, FilterFields } from "../api/filters";
import type { HopTables } from "../api/tables";
import type { Trace } from "../api/traces";
import type {
  DecodedLayer,
  FrrState,
  Lab,
  LabStatus,
  Missed,
  OperationAnswer,
  PlanStep,
  Probe,
  ProbeRequest,
  Revision,
  SessionInfo,
  Snapshot,
  Template,
  Tool,
} from "../api/types";
import { toWire } from "../doc/defaults";
import type { LivePayload } from "../doc/live";
import type { Operation } from "../doc/ops";
import type { Said } from "../doc/said";
import type { Envelope, Problem } from "../doc/store";
import type { PacketsPayload } from "../packets/rows";

const BASE = "/api/v1";

/** An answer other than 2xx. `status` 0: no answer at all. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly problems: Problem[] = [],
    readonly said: Said = { message },
  ) {
    super(message);
  }
}

/** What a download of packets may be narrowed by; `filter`: a display filter. */
export interface CaptureFilter {
  nodes?: string[];
  protocols?: string[];
  filter?: string;
}

type Method = "GET" | "POST" | "PATCH" | "DELETE";

function csrfCookie(): string {
  return /(?:^|;\s*)csrftoken=([^;]+)/.exec(document.cookie)?.[1] ?? "";
}

/** A replaced document travels with its format and version. */
function wire(operation: Operation): object {
  if (operation.kind !== "replace") return operation;
  return { kind: "replace", document: toWire(operation.document) };
}

async function failure(response: Response): Promise<ApiError> {
  let body: Partial<Said> & { detail?: unknown; title?: unknown; problems?: Problem[] } = {};
  try {
    body = await response.json();
  } catch {
    // A proxy's error page has no JSON; the status says enough.
  }
  const text = [body.detail, body.title].find((part) => typeof part === "string" && part !== "");
  const message = typeof text === "string" ? text : `HTTP ${response.status}`;
  const problems = Array.isArray(body.problems) ? body.problems : [];
  const { hint, code, params } = body;
  return new ApiError(response.status, message, problems, { message, hint, code, params });
}

export class Api {
  private csrf = "";

  constructor(private readonly fetcher: typeof fetch = (...args) => fetch(...args)) {}

  /** Any call of the API. Rejects with ApiError. */
  async call<T>(method: Method, path: string, body?: unknown): Promise<T> {
    const response = await this.request(method, path, body);
    return (response.status === 204 ? undefined : await response.json()) as T;
  }

  async session(): Promise<SessionInfo> {
    const session = await this.call<SessionInfo>("GET", "/session");
    this.csrf = session.csrf;
    return session;
  }

  labs = (): Promise<Lab[]> => this.call("GET", "/labs");
  lab = (id: number): Promise<Lab> => this.call("GET", `/labs/${id}`);
  templates = (): Promise<Template[]> => this.call("GET", "/templates");
  createLab = (body: { name?: string; template?: string; document?: unknown }): Promise<Lab> =>
    this.call("POST", "/labs", body);
  deleteLab = (id: number): Promise<void> => this.call("DELETE", `/labs/${id}`);
  login = (body: { username: string; password: string }): Promise<SessionInfo> =>
    this.call("POST", "/session", body);
  logout = (): Promise<void> => this.call("DELETE", "/session");

  /** The calls of one lab. */
  forLab(id: number) {
    const at = `/labs/${id}`;
    return {
      document: (): Promise<Snapshot> => this.call("GET", `${at}/document`),
      send: ({ operation, ...envelope }: Envelope): Promise<OperationAnswer> =>
        this.call("POST", `${at}/operations`, { ...envelope, ...wire(operation) }),
      since: (seq: number): Promise<Missed> => this.call("GET", `${at}/operations?since=${seq}`),
      run: (): Promise<LabStatus> => this.call("POST", `${at}/run`),
      stop: (): Promise<LabStatus> => this.call("POST", `${at}/stop`),
      cancel: (): Promise<LabStatus> => this.call("POST", `${at}/cancel`),
      status: (): Promise<LabStatus> => this.call("GET", `${at}/status`),
      live: (): Promise<LivePayload> => this.call("GET", `${at}/live`),
      plan: (): Promise<{ steps: PlanStep[]; problems: Problem[] }> =>
        this.call("POST", `${at}/plan`),
      probe: (request: ProbeRequest): Promise<Probe> => this.call("POST", `${at}/probes`, request),
      probeState: (probe: number): Promise<Probe> => this.call("GET", `${at}/probes/${probe}`),
      drift: (node: string, path: string, action: "keep" | "restore"): Promise<unknown> =>
        this.call("POST", `${at}/drift`, { node, path, action }),
      packets: (after: number, limit: number): Promise<PacketsPayload> =>
        this.call("GET", `${at}/packets?after=${after}&limit=${limit}`),
      packet: (number: number): Promise<{ row: unknown; layers: DecodedLayer[]; hex: string }> =>
        this.call("GET", `${at}/packets/${number}`),
      trace: (packet: number): Promise<Trace> => this.call("GET", `${at}/packets/${packet}/trace`),
      /** The tables of the node at a hop of a packet, as they were then. */
      tables: (packet: number, hop: number): Promise<HopTables> =>
        this.call("GET", `${at}/packets/${packet}/hops/${hop}/tables`),
      checkFilter: (expression: string): Promise<FilterCheck> =>
        this.call("GET", `/filters/check?lab=${id}&expression=${encodeURIComponent(expression)}`),
      filterFields: (): Promise<FilterFields> => this.call("GET", "/filters/fields"),
      /** What only a part of the page that is loaded later asks for. */
      ask: <T>(method: Method, path: string, body?: unknown): Promise<T> =>
        this.call(method, at + path, body),
      serviceLog: (service: string): Promise<{ text: string }> =>
        this.call("GET", `${at}/services/${encodeURIComponent(service)}/log`),
      frr: (node: string): Promise<FrrState> =>
        this.call("GET", `${at}/nodes/${encodeURIComponent(node)}/frr`),
      tools: (): Promise<{ tools: Tool[] }> => this.call("GET", `${at}/tools`),
      revisions: (): Promise<Revision[]> => this.call("GET", `${at}/revisions`),
      saveRevision: (name: string): Promise<Revision> =>
        this.call("POST", `${at}/revisions`, { name }),
      restoreRevision: (number: number): Promise<unknown> =>
        this.call("POST", `${at}/revisions/${number}/restore`),
      rename: (name: string): Promise<Lab> => this.call("PATCH", at, { name }),
      pcap: async (filter: CaptureFilter = {}): Promise<Blob> => {
        const query = new URLSearchParams();
        for (const node of filter.nodes ?? []) query.append("nodes", node);
        for (const protocol of filter.protocols ?? []) query.append("protocols", protocol);
        if (filter.filter) query.set("filter", filter.filter);
        return (await this.request("GET", `${at}/pcap?${query}`)).blob();
      },
    };
  }

  private async request(method: Method, path: string, body?: unknown): Promise<Response> {
    const headers: Record<string, string> = { Accept: "application/json" };
    if (method !== "GET") headers["X-CSRFToken"] = csrfCookie() || this.csrf;
    const file = body instanceof Blob;
    if (body !== undefined)
      headers["Content-Type"] = file ? "application/octet-stream" : "application/json";
    let response: Response;
    try {
      response = await this.fetcher(BASE + path, {
        method,
        headers,
        credentials: "same-origin",
        ...(body === undefined ? {} : { body: file ? body : JSON.stringify(body) }),
      });
    } catch (error) {
      throw new ApiError(0, error instanceof Error ? error.message : "no answer");
    }
    if (!response.ok) throw await failure(response);
    return response;
  }
}

export type LabApi = ReturnType<Api["forLab"]>;
