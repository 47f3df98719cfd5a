// A frame of the live door: u32 length of the header, header (JSON), padding to 8, then columns, each padded to 8.

export type Column = Float64Array | Float32Array | Uint32Array | Uint8Array

export interface FrameHeader {
  type: 'snapshot' | 'delta' | 'cells' | 'sheet' | 'figures' | 'conditions' | 'commands' | 'inventory' | 'lost' | 'bye' | string
  sub?: number
  epoch?: string
  version?: number
  server_us?: number
  rows?: number
  columns?: [name: string, type: string][]
  moving?: boolean
  forget?: boolean
  data?: unknown
}

export interface Frame {
  header: FrameHeader
  rows: number
  columns: Record<string, Column>
}

const SIZES: Record<string, number> = { u1: 1, u4: 4, f4: 4, f8: 8 }

function padded(offset: number): number {
  return (offset + 7) & ~7
}

/** Reads a frame without copying its columns. Throws when it is shorter than it says, or has an unknown column type. */
export function readFrame(buffer: ArrayBuffer): Frame {
  const length = new DataView(buffer).getUint32(0, true)
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length))) as FrameHeader
  const rows = header.rows ?? 0
  const columns: Record<string, Column> = {}
  let offset = padded(4 + length)
  for (const [name, type] of header.columns ?? []) {
    const size = SIZES[type]
    if (size === undefined) throw new Error(`column ${name} is of unknown type ${type}`)
    columns[name] = view(buffer, offset, type, rows)
    offset = padded(offset + size * rows)
  }
  return { header, rows, columns }
}

function view(buffer: ArrayBuffer, offset: number, type: string, rows: number): Column {
  switch (type) {
    case 'u1':
      return new Uint8Array(buffer, offset, rows)
    case 'u4':
      return new Uint32Array(buffer, offset, rows)
    case 'f4':
      return new Float32Array(buffer, offset, rows)
    default:
      return new Float64Array(buffer, offset, rows)
  }
}
