/** Pushes blocks that overlap apart, each pair along the axis where that takes least. */
import type { Block, Places } from "./graph";

const ROUNDS = 80;
const MOST = 400; // blocks; it looks at every pair

/** Changes `places` until no two blocks overlap, or the rounds are over. */
export function separate(blocks: readonly Block[], places: Places): Places {
  if (blocks.length > MOST) return places;
  for (let round = 0; round < ROUNDS; round++) {
    let touched = false;
    blocks.forEach((one, index) => {
      for (const other of blocks.slice(index + 1))
        touched = pushApart(one, other, places) || touched;
    });
    if (!touched) break;
  }
  return places;
}

function pushApart(one: Block, other: Block, places: Places): boolean {
  const [a, b] = [places[one.id], places[other.id]];
  if (!a || !b) return false;
  const x = (one.width + other.width) / 2 - Math.abs(a.x - b.x);
  const y = (one.height + other.height) / 2 - Math.abs(a.y - b.y);
  if (x <= 0.5 || y <= 0.5) return false;
  if (x < y) {
    const step = (a.x <= b.x ? x : -x) / 2;
    a.x -= step;
    b.x += step;
  } else {
    const step = (a.y <= b.y ? y : -y) / 2;
    a.y -= step;
    b.y += step;
  }
  return true;
}
