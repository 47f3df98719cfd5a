// RFC 6962 in the browser: the root that an inclusion proof leads to. Whoever reads the journal checks it themselves.

async function sha256(...parts: Uint8Array[]): Promise<Uint8Array> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let offset = 0
  for (const part of parts) {
    whole.set(part, offset)
    offset += part.length
  }
  return new Uint8Array(await crypto.subtle.digest('SHA-256', whole))
}

export function fromHex(text: string): Uint8Array {
  if (!/^(?:[0-9a-f]{2})*$/i.test(text)) throw new Error('no hexadecimal text')
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16))
}

export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** The hash of a leaf's bytes: the zero keeps a leaf from passing for a node. */
export function leafHash(leaf: Uint8Array): Promise<Uint8Array> {
  return sha256(Uint8Array.of(0), leaf)
}

function nodeHash(left: Uint8Array, right: Uint8Array): Promise<Uint8Array> {
  return sha256(Uint8Array.of(1), left, right)
}

/** The root that the audit path of leaf `index` in a tree of `size` leads to; null if its length is impossible. */
export async function rootFromInclusion(
  leaf: Uint8Array,
  index: number,
  size: number,
  path: Uint8Array[],
): Promise<Uint8Array | null> {
  if (index < 0 || index >= size) return null
  let hashed = leaf
  let position = index
  let last = size - 1
  for (const sibling of path) {
    if (last === 0) return null
    if (position % 2 === 1 || position === last) {
      hashed = await nodeHash(sibling, hashed)
      while (position % 2 === 0 && position !== 0) {
        position = Math.floor(position / 2)
        last = Math.floor(last / 2)
      }
    } else hashed = await nodeHash(hashed, sibling)
    position = Math.floor(position / 2)
    last = Math.floor(last / 2)
  }
  return last === 0 ? hashed : null
}
