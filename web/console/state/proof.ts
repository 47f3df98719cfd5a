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

/** Whether the head is signed by its key (Ed25519), where this browser can tell. */
async function signed(head: JournalHead): Promise<Verdict['signature']> {
  try {
    const key = await crypto.subtle.importKey('raw', buffer(fromHex(head.key)), { name: 'Ed25519' }, false, ['verify'])
    const words = new TextEncoder().encode(`${head.size}\n${head.root}\n${head.at}\n`)
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
