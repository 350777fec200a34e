import { useTranslation } from "react-i18next";
import { glyphOf, glyphPath, LEGEND } from "../../packets/index";

/** What the moving glyphs mean: shape and colour, with the name beside. */
export function Legend() {
  const { t } = useTranslation();
  return (
    <ul className="float legend" aria-label={t("canvas.legend")}>
      {LEGEND.map((protocol) => {
        const glyph = glyphOf(protocol);
        return (
          <li key={protocol} className="chip">
            <svg width="16" height="16" viewBox="-8 -8 16 16" aria-hidden="true">
              <path
                className={`glyph ${glyph.color}`}
                d={glyphPath(glyph.shape, 5)}
                fillRule="evenodd"
              />
            </svg>
            {protocol}
          </li>
        );
      })}
    </ul>
  );
}
