import { useEffect, useId, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { connectNodes } from "../../actions/draw";
import { useEditor, useTopology, useUi } from "../../app/editor";
import { rank } from "../../ui/fuzzy";

/** Connect by typing: C on a node, the target's name, Enter. The pointer may pick it, too. */
export function ConnectPrompt() {
  const from = useUi((state) => state.connectFrom);
  return from === null ? null : <Prompt key={from} from={from} />;
}

const SHOWN = 7;

function Prompt({ from }: { from: string }) {
  const { t } = useTranslation();
  const editor = useEditor();
  const { nodes, interfaces } = useTopology();
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  const source = interfaces[from]?.node ?? from;

  useEffect(() => {
    const before = document.activeElement;
    input.current?.focus();
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);

  const options = useMemo(() => {
    const others = Object.entries(nodes).filter(([id]) => id !== source);
    return rank(text, others, ([, node]) => node.name).slice(0, SHOWN);
  }, [nodes, source, text]);
  const chosen = options[Math.min(at, options.length - 1)];

  const close = () => editor.ui.setState({ connectFrom: null, tool: { kind: "select" } });
  const take = (target: string) => {
    close();
    connectNodes(editor, from, target);
  };

  return (
    <div className="float prompt">
      <label htmlFor={`${id}-input`}>
        {t("canvas.connectFrom", { name: nodes[source]?.name ?? "" })}
      </label>
      <input
        ref={input}
        id={`${id}-input`}
        className="input"
        role="combobox"
        aria-expanded={options.length > 0}
        aria-controls={`${id}-list`}
        aria-autocomplete="list"
        aria-activedescendant={chosen ? `${id}-${chosen[0]}` : undefined}
        placeholder={t("canvas.connectTo")}
        autoComplete="off"
        value={text}
        onChange={(event) => {
          setText(event.target.value);
          setAt(0);
        }}
        onKeyDown={(event) => {
          const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
          if (step !== undefined) {
            event.preventDefault();
            setAt((now) => Math.max(0, Math.min(options.length - 1, now + step)));
          } else if (event.key === "Enter" && chosen) {
            event.preventDefault();
            take(chosen[0]);
          } else if (event.key === "Escape") {
            event.preventDefault();
            close();
          }
        }}
      />
      <div id={`${id}-list`} role="listbox" aria-label={t("canvas.connectTo")}>
        {options.map((option) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: keys are the combobox's
          // biome-ignore lint/a11y/useFocusableInteractive: the combobox keeps the focus
          <div
            key={option[0]}
            id={`${id}-${option[0]}`}
            role="option"
            aria-selected={option === chosen}
            className={option === chosen ? "menu-item active" : "menu-item"}
            onClick={() => take(option[0])}
          >
            {option[1].name}
            <span className="dim">{t(`kind.${option[1].kind}`)}</span>
          </div>
        ))}
      </div>
    </div>
  );
}
