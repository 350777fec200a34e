import { useEffect, useState } from "react";
import { Button as AriaButton, Tree, TreeItem, TreeItemContent } from "react-aria-components";
import type { TsharkField, TsharkTree } from "../api/filters";
import { useLab } from "../app/editor";
import { serverText } from "../app/serverText";
import { ApiError } from "../net/api";
import type { DockModel } from "../panels/dock/dockModel";
import { Icon } from "../ui/Icon";
import { both } from "./expression";
import { useWords } from "./words";

interface Answer {
  number: number;
  tree: TsharkTree | null;
  error: ApiError | null;
}

/** What Wireshark's own dissectors say of one packet, where tshark is installed. */
export function TsharkPane({ dock, number }: { dock: DockModel; number: number }) {
  const { t } = useWords();
  const answer = useTshark(number);
  if (answer === null) return <output className="decode-hint dim">{t("filter.dissecting")}</output>;
  if (answer.tree === null) {
    const { message, hint } = serverText(answer.error?.said ?? { message: "" }, t);
    return (
      <div className="decode-hint dim" role="alert">
        <p>{answer.error?.status === 404 ? t("decode.gone") : message}</p>
        {hint && <p>{hint}</p>}
      </div>
    );
  }
  const { layers, version, more } = answer.tree;
  const express = (filter: string) =>
    dock.express(both(dock.state.getState().filter.expression, filter));
  return (
    <div className="tshark">
      <Tree
        className="tshark-tree"
        aria-label={t("filter.tshark")}
        onAction={(key) => {
          const field = find(layers, String(key));
          if (field?.filter) express(field.filter);
        }}
      >
        {layers.map((layer, at) => item(layer, String(at)))}
      </Tree>
      <p className="dim tshark-foot">
        tshark {version}
        {more > 0 && ` · ${t("filter.moreFields", { count: more })}`} · {t("filter.doubleClick")}
      </p>
    </div>
  );
}

function item(field: TsharkField, key: string) {
  return (
    <TreeItem key={key} id={key} textValue={field.label} className="tshark-item">
      <TreeItemContent>
        {field.fields.length > 0 && (
          <AriaButton slot="chevron" className="tshark-chevron">
            <Icon name="right" size={12} />
          </AriaButton>
        )}
        <span>{field.label}</span>
      </TreeItemContent>
      {field.fields.map((inner, at) => item(inner, `${key}/${at}`))}
    </TreeItem>
  );
}

/** The field under a key: the places on the way to it, from the top. */
function find(layers: readonly TsharkField[], key: string): TsharkField | undefined {
  const [first, ...rest] = key.split("/").map(Number);
  return rest.reduce<TsharkField | undefined>((field, at) => field?.fields[at], layers[first ?? 0]);
}

function useTshark(number: number): Answer | null {
  const { api } = useLab();
  const [answer, setAnswer] = useState<Answer | null>(null);
  useEffect(() => {
    let gone = false;
    setAnswer(null);
    api.ask<TsharkTree>("GET", `/packets/${number}/tshark`).then(
      (tree) => {
        if (!gone) setAnswer({ number, tree, error: null });
      },
      (reason: unknown) => {
        const error = reason instanceof ApiError ? reason : new ApiError(0, String(reason));
        if (!gone) setAnswer({ number, tree: null, error });
      },
    );
    return () => {
      gone = true;
    };
  }, [api, number]);
  return answer;
}
