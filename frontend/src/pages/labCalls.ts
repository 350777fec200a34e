/** What the labs page does: each call tells of its failure by a toast. */

import type { TFunction } from "i18next";
import type { Lab, Template } from "../api/types";
import { showToast } from "../app/messages";
import { navigate } from "../app/router";
import { serverLine, serverText } from "../app/serverText";
import { isFields, toWire } from "../doc/defaults";
import { type Api, ApiError } from "../net/api";

export class LabCalls {
  constructor(
    private readonly api: Api,
    private readonly t: TFunction,
    /** The list has changed. */
    private readonly changed: () => void,
  ) {}

  create = (): Promise<void> =>
    this.attempt(async () =>
      this.open(await this.api.createLab({ name: this.t("pages.newLabName") })),
    );

  fromTemplate = (template: Template, name: string): Promise<void> =>
    this.attempt(async () => this.open(await this.api.createLab({ template: template.id, name })));

  /** A lab from an exported drawing. */
  importFile = (file: File): Promise<void> =>
    this.attempt(async () => {
      const document = parsed(await file.text());
      if (!document) {
        showToast("bad", this.t("say.notADrawing"));
        return;
      }
      const named = typeof document.name === "string" && document.name.trim() !== "";
      const name = named ? {} : { name: file.name.replace(/\.json$/i, "").slice(0, 120) };
      this.open(await this.api.createLab({ ...name, document }));
    });

  rename = (lab: Lab, name: string): Promise<void> =>
    this.attempt(async () => {
      await this.api.forLab(lab.id).rename(name);
      this.changed();
    });

  duplicate = (lab: Lab): Promise<void> =>
    this.attempt(async () => {
      const { document } = await this.api.forLab(lab.id).document();
      const name = this.t("pages.copyOf", { name: lab.name }).slice(0, 120);
      await this.api.createLab({ name, document: { ...toWire(document), name } });
      this.changed();
    });

  remove = (lab: Lab): Promise<void> =>
    this.attempt(async () => {
      await this.api.deleteLab(lab.id);
      showToast("ok", this.t("pages.deleted", { name: lab.name }));
      this.changed();
    });

  private open(lab: Lab): void {
    navigate(`/labs/${lab.id}`);
  }

  private async attempt(call: () => Promise<void>): Promise<void> {
    try {
      await call();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      const { message, hint } = serverText(error.said, this.t);
      const lines = error.problems.slice(0, 4).map((problem) => serverLine(problem, this.t));
      showToast("bad", message, [...(hint ? [hint] : []), ...lines]);
    }
  }
}

function parsed(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return isFields(value) && value.format === "topoweb" ? value : null;
  } catch {
    return null;
  }
}
