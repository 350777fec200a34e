import { useTranslation } from "react-i18next";

interface Props {
  title: string;
  head: string[];
  rows: string[][];
  note?: string; // what a mark in the rows means
}

/** A small table of what the kernel or a daemon holds. */
export function LiveTable({ title, head, rows, note }: Props) {
  const { t } = useTranslation();
  return (
    <div className="sec">
      <h3>{title}</h3>
      {rows.length === 0 ? (
        <p className="dim">{t("inspector.none")}</p>
      ) : (
        <table className="live-table" aria-label={title}>
          <thead>
            <tr>
              {head.map((name) => (
                <th key={name}>{name}</th>
              ))}
            </tr>
          </thead>
          <tbody className="mono">
            {rows.map((row) => (
              <tr key={row.join(" ")}>
                {row.map((cell, at) => (
                  <td key={head[at]} title={cell}>
                    {cell}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {note && <p className="dim small">{note}</p>}
    </div>
  );
}
