/** Decoded packets from the server; the last few are kept, so that stepping to and fro is quick. */

import type { DecodedLayer } from "../../api/types";
import type { LabApi } from "../../net/api";

export interface DecodedPacket {
  layers: readonly DecodedLayer[];
  hex: string;
}

const KEPT = 64;

export class PacketDetails {
  private readonly known = new Map<number, Promise<DecodedPacket>>();

  constructor(private readonly api: Pick<LabApi, "packet">) {}

  /** Rejects with ApiError; 404 when the tracer holds the packet no longer. */
  get(number: number): Promise<DecodedPacket> {
    const known = this.known.get(number);
    if (known) return known;
    const asked = this.api.packet(number);
    this.known.set(number, asked);
    asked.catch(() => this.known.delete(number));
    if (this.known.size > KEPT) {
      const oldest = this.known.keys().next();
      if (!oldest.done) this.known.delete(oldest.value);
    }
    return asked;
  }

  /** A new capture numbers its packets anew. */
  clear(): void {
    this.known.clear();
  }
}
