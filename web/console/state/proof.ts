// Whether an entry is in the journal: asked for with its audit path, and believed only after the path was walked here.
import { api } from '@lib/api'
import { fromHex, leafHash, rootFromInclusion, toHex } from '@lib/merkle'
import type { JournalHead, JournalProof } from '@lib/types'

export interface Verdict {
  outcome: 'proved' | 'broken' | 'failed'
  signature: 'good' | 'bad' | 'unknown'
  steps: number
  size: number
  leaf: string
  root: string
}

const FAILED: Verdict = { outcome: 'failed', signature: 'unknown', steps: 0, size: 0, leaf: '', root: '' }

export async function prove(n: number): Promise<Verdict> {
  try {
    const [proof, head] = await Promise.all([
      api.get<JournalProof>(`journal/${n}/proof`),
      api.get<JournalHead>('journal/head'),
    ])
    const bytes = fromHex(proof.leaf)
    const leaf = bytes.length === 32 ? bytes : await leafHash(bytes)
    const root = await rootFromInclusion(leaf, proof.index, proof.size, proof.path.map(fromHex))
    // The head may have grown since: an entry is proved against the root that the proof names, and that root must be
    // the signed one when the sizes agree.
    const same = root !== null && toHex(root) === proof.root.toLowerCase()
    const agrees = head.size !== proof.size || head.root.toLowerCase() === proof.root.toLowerCase()
    return {
      outcome: same && agrees ? 'proved' : 'broken',
      signature: head.size === proof.size ? await signed(head) : 'unknown',
      steps: proof.path.length,
      size: proof.size,
      leaf: toHex(leaf),
      root: proof.root,
    }
  } catch {
    return FAILED
  }
}

/** What the post signs of a head: its name, the size and the instant as eight bytes each, big end first, the root. */
function signedBytes(head: JournalHead): Uint8Array {
  const name = new TextEncoder().encode('vigie tree head 1\n')
  const numbers = new DataView(new ArrayBuffer(16))
  numbers.setBigUint64(0, BigInt(head.size))
  numbers.setBigUint64(8, BigInt(head.at_us))
  return Uint8Array.of(...name, ...new Uint8Array(numbers.buffer), ...fromHex(head.root))
}

/** Whether the head is signed by its key (Ed25519), where this browser can tell. */
async function signed(head: JournalHead): Promise<Verdict['signature']> {
  try {
    const key = await crypto.subtle.importKey('raw', buffer(fromHex(head.key)), { name: 'Ed25519' }, false, ['verify'])
    const words = signedBytes(head)
    return (await crypto.subtle.verify({ name: 'Ed25519' }, key, buffer(fromHex(head.signature)), buffer(words)))
      ? 'good'
      : 'bad'
  } catch {
    return 'unknown'
  }
}

function buffer(bytes: Uint8Array): ArrayBuffer {
  return bytes.slice().buffer as ArrayBuffer
}
