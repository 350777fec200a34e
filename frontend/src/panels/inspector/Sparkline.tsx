import { formatRate } from "../../doc/live";
import type { RateSample } from "../../net/live";

const WIDTH = 280;
const HEIGHT = 62;

interface Props {
  samples: readonly RateSample[];
  label: string;
}

/** The last minute of a cable: a → b filled, b → a dashed. */
export function Sparkline({ samples, label }: Props) {
  const peak = Math.max(1000, ...samples.flatMap(({ ab, ba }) => [ab, ba]));
  const line = (rate: (sample: RateSample) => number) =>
    samples
      .map((sample, at) => {
        const x = samples.length < 2 ? 0 : (at / (samples.length - 1)) * WIDTH;
        const y = HEIGHT - 2 - (rate(sample) / peak) * (HEIGHT - 8);
        return `${x.toFixed(1)} ${y.toFixed(1)}`;
      })
      .join("L");
  const ab = line((sample) => sample.ab);
  const ba = line((sample) => sample.ba);
  return (
    <svg
      className="sparkline"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={`${label}: ${formatRate(peak)}`}
    >
      <path className="grid" d={`M0 ${HEIGHT - 0.5}H${WIDTH}M0 ${HEIGHT / 2}H${WIDTH}`} />
      {samples.length > 1 && (
        <>
          <path className="area" d={`M${ab}L${WIDTH} ${HEIGHT}L0 ${HEIGHT}Z`} />
          <path className="line-ab" d={`M${ab}`} />
          <path className="line-ba" d={`M${ba}`} />
        </>
      )}
    </svg>
  );
}
