// Whether an entry is in the journal: asked for with its audit path, and believed only after the path was walked here.
import { api, Problem } from '@lib/api'
import { fromHex, leafHash, rootFromInclusion, toHex } from '@lib/merkle'
import type { JournalHead, JournalProof } from '@lib/types'

export interface Verdict {
  /** insecure: this page came over plain http, where a browser hashes nothing. */
  outcome: 'proved' | 'broken' | 'failed' | 'insecure'
  /** pending: the entry is younger than the newest signed head; the next comes within the minute. */
  signature: 'good' | 'bad' | 'unknown' | 'pending'
  steps: number
  size: number
  leaf: string
  root: string
}

const FAILED: Verdict = { outcome: 'failed', signature: 'unknown', steps: 0, size: 0, leaf: '', root: '' }

/** An entry is proved in the newest signed tree; one that is younger than it, in the tree of this moment. */
export async function prove(n: number): Promise<Verdict> {
  if (!isSecureContext) return { ...FAILED, outcome: 'insecure' }
  try {
    const head = await newestHead()
    const signedIn = head !== null && n < head.size ? head : null
    const proof = await api.get<JournalProof>(`journal/${n}/proof`, { size: signedIn?.size })
    const bytes = fromHex(proof.leaf)
    const leaf = bytes.length === 32 ? bytes : await leafHash(bytes)
    const root = await rootFromInclusion(leaf, proof.index, proof.size, proof.path.map(fromHex))
    const expected = (signedIn ?? proof).root.toLowerCase()
    return {
      outcome: proof.index === n && root !== null && toHex(root) === expected ? 'proved' : 'broken',
      signature: signedIn ? await signed(signedIn) : 'pending',
      steps: proof.path.length,
      size: proof.size,
      leaf: toHex(leaf),
      root: expected,
    }
  } catch {
    return FAILED
  }
}

async function newestHead(): Promise<JournalHead | null> {
  try {
    return await api.get<JournalHead>('journal/head')
  } catch (error) {
    if (error instanceof Problem && error.status === 404) return null
    throw error
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
