/** The 8-byte header of binary frames (topoweb/protocol/frames.py), little endian. */

export const Stream = { live: 1, packets: 2, pcap: 3, terminal: 4, query: 5, trace: 6 } as const;
export const Kind = { open: 1, data: 2, credit: 3, close: 4 } as const;

const HEADER = 8;

export interface Frame {
  stream: number;
  kind: number;
  sequence: number;
  payload: Uint8Array;
}

/** Read a frame; null for anything malformed. */
export function decodeFrame(data: ArrayBuffer): Frame | null {
  if (data.byteLength < HEADER) return null;
  const view = new DataView(data);
  if (view.getUint16(2, true) !== 0) return null;
  return {
    stream: view.getUint8(0),
    kind: view.getUint8(1),
    sequence: view.getUint32(4, true),
    payload: new Uint8Array(data, HEADER),
  };
}

/** Write a frame: tests play the server with it. */
export function encodeFrame(frame: Frame): ArrayBuffer {
  const bytes = new Uint8Array(HEADER + frame.payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, frame.stream);
  view.setUint8(1, frame.kind);
  view.setUint32(4, frame.sequence, true);
  bytes.set(frame.payload, HEADER);
  return bytes.buffer;
}
