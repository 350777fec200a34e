import { useMemo } from "react";
import type { Topology } from "../doc/model";
import { Icon } from "../ui/Icon";
import { smallOf } from "./thumbnail";

const SIGN = 30; // px of the sign in a node's box

/** A drawing in small. Decorative: the name stands beside it. */
export function Thumbnail({ topology }: { topology: Topology }) {
  const small = useMemo(() => smallOf(topology), [topology]);
  if (!small) return <div className="thumb" />;
  const { viewBox, nodes, links, groups, detailed } = small;
  return (
    <svg className="thumb" viewBox={viewBox} aria-hidden="true" focusable="false">
      {groups.map(({ id, color, ...box }) => (
        <rect key={id} {...box} rx="14" className={`thumb-group ${color}`} />
      ))}
      {links.map(({ id, from, to }) => (
        <line key={id} className="thumb-link" x1={from.x} y1={from.y} x2={to.x} y2={to.y} />
      ))}
      {nodes.map(({ id, kind, x, y }) => (
        <g key={id} className={`thumb-node ${kind}`} transform={`translate(${x} ${y})`}>
          <rect
            x="-27"
            y="-27"
            width="54"
            height="54"
            rx="14"
            className={detailed ? "" : "plain"}
          />
          {detailed && (
            <g transform={`translate(${-SIGN / 2} ${-SIGN / 2})`}>
              <Icon name={kind} size={SIGN} />
            </g>
          )}
        </g>
      ))}
    </svg>
  );
}
