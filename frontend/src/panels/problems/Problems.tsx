import { useTranslation } from "react-i18next";
import { type Editor, useEditor, useFacts, useUi } from "../../app/editor";
import { problemText } from "../../app/problemText";
import type { Problem } from "../../doc/store";
import { Button } from "../../ui/Button";
import { Icon } from "../../ui/Icon";

/** What is wrong with the drawing, each with its remedy; a click goes there. */
export function Problems() {
  const { t } = useTranslation();
  const editor = useEditor();
  const open = useUi((state) => state.problemsOpen);
  const problems = useFacts((facts) => facts.problems);
  if (!open || problems.length === 0) return null;
  return (
    <section className="float problems" aria-label={t("problems.title")}>
      <header>
        <h2>{t("topbar.problems", { count: problems.length })}</h2>
        <Button
          label={t("ui.close")}
          icon="close"
          kind="bare"
          small
          onPress={() => editor.ui.setState({ problemsOpen: false })}
        />
      </header>
      <ul>
        {problems.map((problem) => {
          const { message, hint } = problemText(problem, t);
          return (
            <li key={`${problem.code} ${problem.path} ${message}`}>
              <button type="button" className="problem" onClick={() => goTo(editor, problem)}>
                <Icon
                  name={problem.severity === "error" ? "error" : "warning"}
                  className={`problem-icon ${problem.severity}`}
                />
                <span>
                  <b>{placeOf(editor, problem)}</b> {message}
                  <span className="dim">{hint}</span>
                </span>
              </button>
            </li>
          );
        })}
      </ul>
    </section>
  );
}

/** The node, cable or mark that a problem's path leads to, and the tab that mends it. */
function target(editor: Editor, problem: Problem) {
  const [, collection, id = ""] = problem.path.split("/");
  const { interfaces, routes } = editor.topology;
  if (collection === "interfaces") {
    return { id: interfaces[id]?.node, port: id, tab: "interfaces" as const };
  }
  if (collection === "routes") return { id: routes[id]?.node, port: null, tab: "routes" as const };
  return { id: id === "" ? undefined : id, port: null, tab: "properties" as const };
}

function placeOf(editor: Editor, problem: Problem): string {
  const { id, port } = target(editor, problem);
  const name = editor.topology.nodes[id ?? ""]?.name ?? "";
  const portName = port === null ? "" : (editor.topology.interfaces[port]?.name ?? "");
  return [name, portName].filter(Boolean).join(":");
}

function goTo(editor: Editor, problem: Problem): void {
  const { id, port, tab } = target(editor, problem);
  if (id === undefined) return;
  editor.select([id]);
  editor.ui.setState({ inspectorTab: tab, focusedPort: port, inspectorOpen: true });
  editor.scene?.centerOn(id);
}
