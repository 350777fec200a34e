import { beforeEach, describe, expect, it } from "vitest";
import type { FilterField, FilterFields } from "../api/filters";
import type { DecodedField, DecodedLayer } from "../api/types";
import { parseRow } from "../packets/index";
import {
  accepted,
  addressFilter,
  both,
  flowFilter,
  protocolFilter,
  rowFilters,
  suggest,
  unitsAt,
  without,
} from "./expression";
import { recentFilters, remember } from "./recent";

const field = (name: string, change: Partial<FilterField> = {}): FilterField => ({
  name,
  kind: "number",
  text: { en: `about ${name}`, "zh-CN": `关于 ${name}` },
  example: "",
  values: [],
  operators: ["==", "!="],
  ...change,
});

const KNOWN: FilterFields = {
  fields: [
    field("ip.addr"),
    field("ip.ttl"),
    field("ip", { kind: "protocol", operators: [] }),
    field("tcp.flags.syn", { values: ["1", "0"] }),
    field("direction", { values: ['"ab"', '"ba"'] }),
    field("icmp", { kind: "protocol", operators: [] }),
  ],
  operators: [{ sign: "==", words: ["eq"], text: { en: "equal" } }],
};

const at = (text: string, caret = text.length) =>
  suggest(text, caret, KNOWN, "en").map((one) => one.text);

describe("suggestions", () => {
  it("are fields that begin so, then those that contain it", () => {
    expect(at("ip")).toEqual(["ip.addr", "ip.ttl"]);
    expect(at("arp || ttl")).toEqual(["ip.ttl"]);
    expect(at("")).toEqual([]);
  });

  it("are operators behind a field, and values behind an operator", () => {
    expect(at("ip.ttl ")).toEqual(["==", "!=", "&&", "||"]);
    expect(at("icmp ")).toEqual(["&&", "||"]);
    expect(at("ip.ttl =")).toEqual(["=="]);
    expect(at("tcp.flags.syn == ")).toEqual(["1", "0"]);
    expect(at('direction == "a')).toEqual(['"ab"']);
  });

  it("replace only what is being typed", () => {
    const text = "ip.t && arp";
    const [one] = suggest(text, 4, KNOWN, "zh-CN");
    expect(one?.about).toBe("关于 ip.ttl");
    expect(one && accepted(text, one)).toEqual({ text: "ip.ttl && arp", caret: 7 });
    expect(accepted("arp && ip.t", { text: "ip.ttl", about: "", from: 7, to: 11 }).text).toBe(
      "arp && ip.ttl ",
    );
  });

  it("count characters as the server does", () => {
    expect(unitsAt("😀 == x", 2)).toBe(3);
  });
});

describe("joining", () => {
  it("keeps what was meant", () => {
    expect(both("", "arp")).toBe("arp");
    expect(both("ip.ttl == 3", "icmp")).toBe("ip.ttl == 3 && icmp");
    expect(both("arp || icmp", "ip.ttl == 3")).toBe("(arp || icmp) && ip.ttl == 3");
    expect(without("arp or icmp", "ip")).toBe("(arp or icmp) && !(ip)");
    expect(without(" ", "ip")).toBe("!(ip)");
  });
});

const leaf = (name: string, value: string): DecodedField => ({
  name,
  label: name,
  value,
  start: 0,
  end: 1,
  fields: [],
});
const layer = (protocol: string, ...fields: DecodedField[]): DecodedLayer => ({
  protocol,
  start: 0,
  end: 1,
  summary: "",
  fields,
});

describe("filters from what is clicked", () => {
  it("know addresses by their form", () => {
    expect(addressFilter("10.0.0.1")).toBe("ip.addr == 10.0.0.1");
    expect(addressFilter("fe80::1")).toBe("ipv6.addr == fe80::1");
    expect(addressFilter("02:00:00:00:00:01")).toBe("eth.addr == 02:00:00:00:00:01");
    expect(addressFilter("h1")).toBeNull();
  });

  it("take a row's columns, as far as there are fields for them", () => {
    expect(protocolFilter("IPv4", KNOWN)).toBe("ip");
    const row = parseRow([1, 1, "l1", "ab", 1, "STP", "02:00:00:00:00:01", "x", "", 60, ""]);
    expect(rowFilters(row, KNOWN).map(({ filter }) => filter)).toEqual([
      "eth.addr == 02:00:00:00:00:01",
      'link == "l1"',
    ]);
  });

  it("tell a conversation by its addresses and ports, the innermost of a tunnel", () => {
    const outer = layer("IPv4", leaf("source", "1.1.1.1"), leaf("destination", "2.2.2.2"));
    const inner = layer("IPv4", leaf("source", "10.0.0.1"), leaf("destination", "10.0.0.2"));
    const tcp = layer("TCP", leaf("source_port", "40000"), leaf("destination_port", "80 (http)"));
    expect(flowFilter([outer, layer("UDP"), inner, tcp])).toBe(
      "ip.addr == 10.0.0.1 && ip.addr == 10.0.0.2 && tcp.port == 40000 && tcp.port == 80",
    );
    expect(flowFilter([outer, layer("ICMP")])).toBe("ip.addr == 1.1.1.1 && ip.addr == 2.2.2.2");
    expect(flowFilter([layer("ARP")])).toBeNull();
  });
});

describe("recent filters", () => {
  beforeEach(() => localStorage.clear());

  it("are kept once each, newest first, and not without end", () => {
    for (let n = 0; n < 15; n += 1) remember(`ip.ttl == ${n}`);
    remember(" ip.ttl == 10 ");
    remember(" ");
    expect(recentFilters()[0]).toBe("ip.ttl == 10");
    expect(recentFilters()).toHaveLength(10);
    expect(new Set(recentFilters()).size).toBe(10);
    localStorage.setItem("topoweb.filters", "{");
    expect(recentFilters()).toEqual([]);
  });
});
