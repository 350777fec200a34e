import { useEffect, useRef, useState } from "react";
import { Menu, MenuItem, Popover, Separator } from "react-aria-components";
import { follow } from "../actions/story";
import { useLab } from "../app/editor";
import { showToast } from "../app/messages";
import { ApiError } from "../net/api";
import type { DockModel } from "../panels/dock/dockModel";
import type { FilterSubject } from "../panels/dock/filterSubject";
import { Icon, type IconName } from "../ui/Icon";
import { fieldsOf } from "./check";
import { both, flowFilter, rowFilters, without } from "./expression";
import { useWords } from "./words";

interface Props {
  dock: DockModel;
  subject: FilterSubject;
  onClose: () => void;
}

interface Item {
  id: string;
  icon: IconName;
  label: string;
  code?: string;
  act: () => void;
}

/** What can be done with a packet of the list, or with a field of it. */
export function FilterMenu({ dock, subject, onClose }: Props) {
  const { t } = useWords();
  const anchor = useRef<HTMLSpanElement>(null);
  const filters = useFilters(subject);
  const { expression } = dock.state.getState().filter;
  const { row } = subject;
  const first: Item[] =
    subject.kind === "row"
      ? [
          {
            id: "follow",
            icon: "trace",
            label: t("actions.follow"),
            act: () => follow(dock.editor, row.packet),
          },
          {
            id: "packet",
            icon: "filter",
            label: t("filter.onlyPacket"),
            act: () => dock.filter({ packet: row.packet }),
          },
        ]
      : [
          {
            id: "copy",
            icon: "copy",
            label: t("filter.copy"),
            act: () => void navigator.clipboard.writeText(subject.value),
          },
        ];
  const flow: Item = {
    id: "flow",
    icon: "filter",
    label: t("filter.onlyFlow"),
    act: () => void followFlow(dock, row.number, () => showToast("bad", t("filter.noFlow"))),
  };
  const narrowing: Item[] = filters.flatMap((code) => [
    {
      id: `only ${code}`,
      icon: "plus",
      label: t("filter.only"),
      code,
      act: () => dock.express(both(expression, code)),
    },
    {
      id: `hide ${code}`,
      icon: "minus",
      label: t("filter.hide"),
      code,
      act: () => dock.express(without(expression, code)),
    },
  ]);
  const items = [...first, ...(subject.kind === "row" ? [flow] : [])];
  const all = [...items, ...narrowing];
  return (
    <>
      <span
        ref={anchor}
        className="filter-anchor"
        style={{ left: `${subject.x}px`, top: `${subject.y}px` }}
      />
      <Popover
        className="popover"
        aria-label={t("filter.menu")}
        triggerRef={anchor}
        isOpen
        placement="bottom start"
        offset={0}
        onOpenChange={(open) => !open && onClose()}
      >
        <Menu
          className="menu"
          aria-label={t("filter.menu")}
          autoFocus="first"
          onClose={onClose}
          onAction={(id) => all.find((one) => one.id === id)?.act()}
        >
          {items.map(entry)}
          {narrowing.length > 0 && <Separator className="menu-separator" />}
          {narrowing.map(entry)}
        </Menu>
      </Popover>
    </>
  );
}

function entry({ id, icon, label, code }: Item) {
  return (
    <MenuItem
      key={id}
      id={id}
      className="menu-item filter-item"
      textValue={code ? `${label} ${code}` : label}
    >
      <Icon name={icon} />
      <span>{label}</span>
      {code && <code className="mono">{code}</code>}
    </MenuItem>
  );
}

/** What it can be filtered by. */
function useFilters(subject: FilterSubject): readonly string[] {
  const { api } = useLab();
  const [filters, setFilters] = useState<readonly string[]>(
    subject.kind === "field" && subject.filter ? [subject.filter] : [],
  );
  useEffect(() => {
    if (subject.kind === "field") return;
    let gone = false;
    fieldsOf(api).then(
      (known) => {
        if (!gone) setFilters(rowFilters(subject.row, known).map(({ filter }) => filter));
      },
      () => {}, // then there is nothing to filter by
    );
    return () => {
      gone = true;
    };
  }, [api, subject]);
  return filters;
}

/** Show the conversation that a packet belongs to, and nothing else. */
async function followFlow(dock: DockModel, number: number, none: () => void): Promise<void> {
  try {
    const { layers } = await dock.details.get(number);
    const flow = flowFilter(layers);
    if (flow) dock.express(flow);
    else none();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    none();
  }
}
