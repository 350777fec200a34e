import { useStory, useStoryModel } from "./hooks";
import { useWords } from "./words";

/** What the lines on the canvas mean. */
export function StoryLegend() {
  const { t } = useWords();
  const model = useStoryModel();
  const shown = useStory((state) => state.shown);
  useStory((state) => state.steps);
  useStory((state) => state.picked);
  useStory((state) => state.mended);
  const dry = model.ofRun && shown !== "seen";
  return (
    <ul className="float legend story-legend" aria-label={t("canvas.legend")}>
      {shown !== "dry" && (
        <li>
          <Line kind="seen" />
          {t("story.legend.seen")}
        </li>
      )}
      {dry && (
        <li>
          <Line kind="dry" />
          {t("story.legend.dry")}
        </li>
      )}
      {model.mended && shown !== "seen" && (
        <li>
          <Line kind="mended" />
          {t("story.legend.mended")}
        </li>
      )}
      <li>
        <span className="story-cross" aria-hidden="true">
          ✕
        </span>
        {t("story.legend.end")}
      </li>
    </ul>
  );
}

function Line({ kind }: { kind: "dry" | "seen" | "mended" }) {
  return (
    <svg width="26" height="8" aria-hidden="true">
      <path className={`story-line ${kind}`} d="M3 4h20" />
    </svg>
  );
}
