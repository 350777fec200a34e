import { beforeAll, describe, expect, it } from "vitest";
import { changeLanguage, initI18n } from "../i18n";
import { failureLine, serverLine, serverText } from "./serverText";

const i18n = initI18n();
const limit = {
  code: "limit-terminals",
  message: "This lab has 3 terminals open and may have 3. Close one first.",
  params: { count: "3", limit: "3" },
};
const words = { code: "", message: "exit {{count}} $t(ui.close)", params: {} };

describe("what the server says", () => {
  it("is English as it came", () => {
    expect(serverLine(limit, i18n.t)).toBe(limit.message);
    expect(serverText(words, i18n.t)).toEqual({ message: words.message, hint: "" });
  });

  describe("in Chinese", () => {
    beforeAll(() => changeLanguage("zh-CN"));

    it("is found by its code, with its values and its hint", () => {
      expect(serverLine(limit, i18n.t)).toBe(
        "本实验已打开 3 个终端,最多允许 3 个。 请先关闭一个。",
      );
      const failure = { subject: "h1", hint: "x", ...limit };
      expect(failureLine(failure, i18n.t)).toMatch(/^h1: 本实验已打开 3 个终端/);
    });

    it("leaves a program's own words alone", () => {
      const params = { words: words.message };
      const said = { code: "program-ended-saying", message: "The program ended: …", params };
      expect(serverLine(said, i18n.t)).toBe(`程序已结束:${words.message}`);
    });

    it("falls back to English for what it does not know", () => {
      expect(serverLine(words, i18n.t)).toBe(words.message);
      expect(serverLine({ code: "new-code", message: "New.", hint: "Look." }, i18n.t)).toBe(
        "New. Look.",
      );
    });
  });
});
