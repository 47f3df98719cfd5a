// The points of a vector tile's layer, straight into columns: MapLibre needs the tile too, but gives no columns.

export interface TilePoints {
  id: Float64Array
  kind: Uint8Array
  /** In tile units, 0 to `extent`. */
  x: Float32Array
  y: Float32Array
  extent: number
}

class Reader {
  at: number
  constructor(
    readonly bytes: Uint8Array,
    start: number,
    readonly end: number,
  ) {
    this.at = start
  }

  varint(): number {
    let value = 0
    let factor = 1
    for (;;) {
      const byte = this.bytes[this.at++] ?? 0
      value += (byte & 0x7f) * factor
      if (byte < 0x80) return value
      factor *= 128
    }
  }

  part(): Reader {
    const length = this.varint()
    const start = this.at
    this.at += length
    return new Reader(this.bytes, start, start + length)
  }

  skip(wire: number): void {
    if (wire === 0) this.varint()
    else if (wire === 1) this.at += 8
    else if (wire === 2) this.at += this.varint()
    else this.at += 4
  }

  text(): string {
    return new TextDecoder().decode(this.bytes.subarray(this.at, this.end))
  }
}

function zigzag(n: number): number {
  return n % 2 ? -(n + 1) / 2 : n / 2
}

/** The points of one layer with the whole-number property `property`; empty when the tile has no such layer. */
export function pointsOf(tile: ArrayBuffer, layer: string, property: string): TilePoints {
  const reader = new Reader(new Uint8Array(tile), 0, tile.byteLength)
  while (reader.at < reader.end) {
    const tag = reader.varint()
    if (tag >> 3 !== 3) {
      reader.skip(tag & 7)
      continue
    }
    const part = reader.part()
    const found = layerOf(part, layer, property)
    if (found) return found
  }
  return { id: new Float64Array(), kind: new Uint8Array(), x: new Float32Array(), y: new Float32Array(), extent: 4096 }
}

function layerOf(reader: Reader, wanted: string, property: string): TilePoints | null {
  const features: Reader[] = []
  const values: number[] = []
  const keys: string[] = []
  let name = ''
  let extent = 4096
  while (reader.at < reader.end) {
    const tag = reader.varint()
    if (tag >> 3 === 1) name = reader.part().text()
    else if (tag >> 3 === 2) features.push(reader.part())
    else if (tag >> 3 === 3) keys.push(reader.part().text())
    else if (tag >> 3 === 4) values.push(valueOf(reader.part()))
    else if (tag >> 3 === 5) extent = reader.varint()
    else reader.skip(tag & 7)
  }
  if (name !== wanted) return null
  const key = keys.indexOf(property)
  const points: TilePoints = {
    id: new Float64Array(features.length),
    kind: new Uint8Array(features.length),
    x: new Float32Array(features.length),
    y: new Float32Array(features.length),
    extent,
  }
  features.forEach((feature, row) => readFeature(feature, row, points, key, values))
  return points
}

function valueOf(reader: Reader): number {
  const tag = reader.varint()
  const field = tag >> 3
  if (field === 4 || field === 5) return reader.varint()
  if (field === 6) return zigzag(reader.varint())
  return 0
}

function readFeature(reader: Reader, row: number, into: TilePoints, key: number, values: number[]): void {
  while (reader.at < reader.end) {
    const tag = reader.varint()
    const field = tag >> 3
    if (field === 1) into.id[row] = reader.varint()
    else if (field === 2) {
      const tags = reader.part()
      while (tags.at < tags.end) {
        const at = tags.varint()
        const value = tags.varint()
        if (at === key) into.kind[row] = values[value] ?? 0
      }
    } else if (field === 4) {
      const geometry = reader.part()
      geometry.varint()
      into.x[row] = zigzag(geometry.varint())
      into.y[row] = zigzag(geometry.varint())
    } else reader.skip(tag & 7)
  }
}
