import { useTranslation } from "react-i18next";
import { type Editor, useEditor, useFacts } from "../../app/editor";
import { serverText } from "../../app/serverText";
import type { Problem } from "../../doc/store";
import { Icon } from "../../ui/Icon";

/** What is wrong with the drawing, each with its remedy; a click goes there. */
export function ProblemList() {
  const { t } = useTranslation();
  const editor = useEditor();
  const problems = useFacts((facts) => facts.problems);
  if (problems.length === 0) return <p className="problems-none dim">{t("problems.none")}</p>;
  return (
    <ul className="problems">
      {problems.map((problem) => {
        const { message, hint } = serverText(problem, t);
        return (
          <li key={`${problem.code} ${problem.path} ${message}`}>
            <button type="button" className="problem" onClick={() => goTo(editor, problem)}>
              <span className={`problem-icon ${problem.severity}`}>
                <Icon name={problem.severity === "error" ? "error" : "warning"} />
              </span>
              <span>
                <b>{placeOf(editor, problem)}</b> {message}
                <span className="dim">{hint}</span>
              </span>
            </button>
          </li>
        );
      })}
    </ul>
  );
}

/** The node, cable or mark that a problem's path leads to, and the tab that mends it. */
function target(editor: Editor, problem: Problem) {
  const [, collection, id = ""] = problem.path.split("/");
  const { interfaces, routes, services } = editor.topology;
  if (collection === "interfaces") {
    return { id: interfaces[id]?.node, port: id, tab: "interfaces" as const };
  }
  if (collection === "routes") return { id: routes[id]?.node, port: null, tab: "routes" as const };
  if (collection === "services") {
    return { id: services[id]?.node, port: null, service: id, tab: "services" as const };
  }
  return { id: id === "" ? undefined : id, port: null, tab: "properties" as const };
}

function placeOf(editor: Editor, problem: Problem): string {
  const { id, port } = target(editor, problem);
  const name = editor.topology.nodes[id ?? ""]?.name ?? "";
  const portName = port === null ? "" : (editor.topology.interfaces[port]?.name ?? "");
  return [name, portName].filter(Boolean).join(":");
}

function goTo(editor: Editor, problem: Problem): void {
  const { id, port, tab, service = null } = target(editor, problem);
  if (id === undefined) return;
  editor.select([id]);
  editor.ui.setState({
    inspectorTab: tab,
    focusedPort: port,
    focusedService: service,
    inspectorOpen: true,
  });
  editor.scene?.centerOn(id);
}
